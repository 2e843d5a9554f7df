"""How well claims are grouped into themes: `python -m tests.evals.themes`.

Measured against insights that were grouped by hand: those in `../shared/gold` where they are, and the bundled ones.
Each set is grouped twice, all at once as a file is, and as a stream, dealt at random over five days that come one after
the other; beside them stands the plain mean of the embedding model, grouped in the same way.
"""

import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from math import comb
from pathlib import Path

import numpy as np

from include.embedding import bundled_encoder
from include.meaning import claim_encoder
from include.themes import Claims, assign

HERE = Path(__file__).resolve()
SETS = {
    "shared": HERE.parents[3] / "shared" / "gold" / "themes-dev.jsonl",
    "bundled": HERE.parent / "gold" / "themes.jsonl",
}
MEASURES = ("precision", "recall", "f1", "ari", "largest_mixed")
DAYS, DEALS = 5, 10


def measure(found: Sequence[str], gold: Sequence[str]) -> dict[str, float]:
    """B-cubed precision, recall and their harmonic mean (Bagga and Baldwin 1998), the adjusted Rand index (Hubert and
    Arabie 1985), and the size of the largest group that mixes gold themes, 0 if none does."""
    cells, groups, themes = Counter(zip(found, gold, strict=True)), Counter(found), Counter(gold)
    precision = sum(n * n / groups[group] for (group, _), n in cells.items()) / len(gold)
    recall = sum(n * n / themes[theme] for (_, theme), n in cells.items()) / len(gold)
    together = sum(comb(n, 2) for n in cells.values())
    in_groups, in_themes = (sum(comb(n, 2) for n in sizes.values()) for sizes in (groups, themes))
    chance, most = in_groups * in_themes / max(comb(len(gold), 2), 1), (in_groups + in_themes) / 2
    kinds = Counter(group for group, _ in cells)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall),
        "ari": (together - chance) / (most - chance) if most != chance else 1.0,
        "largest_mixed": max((groups[group] for group, n in kinds.items() if n > 1), default=0),
    }


def at_once(texts: Sequence[str], embeddings: np.ndarray) -> list[str]:
    """The themes of some texts, as `make themes` finds them."""
    return by_day(texts, embeddings, np.zeros(len(texts), dtype=int))


def by_day(texts: Sequence[str], embeddings: np.ndarray, days: np.ndarray) -> list[str]:
    """The themes of some texts that come day by day."""
    found = np.full(len(texts), "", dtype=object)
    earlier: list[int] = []
    for day in np.unique(days):
        today = np.flatnonzero(days == day).tolist()
        found[today] = assign(_claims(texts, embeddings, today), _claims(texts, embeddings, earlier), found[earlier])
        earlier += today
    return found.tolist()


def rows(path: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """How the insights of a file were grouped, and the measures of it."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    texts, gold = [line["text"] for line in lines], [line["theme"] for line in lines]
    embeddings = claim_encoder().encode(texts)
    yield f"all {len(texts)} at once", measure(at_once(texts, embeddings), gold)
    rng = np.random.default_rng(0)
    dealt = [measure(by_day(texts, embeddings, rng.integers(0, DAYS, len(texts))), gold) for _ in range(DEALS)]
    means = {name: statistics.fmean(figures[name] for figures in dealt) for name in MEASURES}
    yield f"over {DAYS} days, mean of {DEALS} deals", means
    yield "all at once, by the model's plain mean", measure(at_once(texts, bundled_encoder().encode(texts)), gold)
    yield "each alone", measure([str(i) for i in range(len(texts))], gold)


def main() -> int:
    print("| set | grouped | " + " | ".join(MEASURES) + " |")
    print("| --- | --- |" + " ---: |" * len(MEASURES))
    for name, path in SETS.items():
        if not path.is_file():
            print(f"No {name} set of grouped insights here: {path.name}", file=sys.stderr)
            continue
        for grouped, figures in rows(path):
            cells = [f"{figures[one]:.3f}" for one in MEASURES[:-1]] + [f"{figures['largest_mixed']:.0f}"]
            print(f"| {name} | {grouped} | " + " | ".join(cells) + " |", flush=True)
    return 0


def _claims(texts: Sequence[str], embeddings: np.ndarray, rows: Sequence[int]) -> Claims:
    return Claims([f"c{row:06}" for row in rows], [texts[row] for row in rows], embeddings[list(rows)])


if __name__ == "__main__":
    sys.exit(main())
