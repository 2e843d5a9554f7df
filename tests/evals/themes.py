"""How well claims are grouped into themes: `python -m tests.evals.themes`.

Measured against insights that were grouped by hand: those in `../shared/gold` where they are, and the bundled ones.
How views of a claim are combined in `include.themes.grouping` was chosen with all of them in view. Each set is grouped
all at once, as a file is, and as a stream, dealt at random over five days that come one after the other. Beside them
stand the plain mean of the embedding model, grouped in the same way, what comes of asking for the likeness that suits
the other sets best, what comes of a reader's verdicts on the pairs that the pipeline asks about, all of them right or
one in twenty wrong, and what comes of a chat model's: a large model was asked about all these pairs, by the pipeline's
rules, and its answers were kept (`gold/verdicts.jsonl`).
"""

import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import comb
from pathlib import Path

import numpy as np

from include.local.theme_files import pairs_of
from include.models.embedding import bundled_encoder
from include.models.meaning import claim_encoder
from include.themes.grouping import ALONE, Claims, Criterion, assign
from include.themes.pairs import LIKE_ENOUGH, LIKEST
from include.themes.rare_words import rare_words

HERE = Path(__file__).resolve()
SETS = {
    "shared": HERE.parents[3] / "shared" / "gold" / "themes-dev.jsonl",
    "news": HERE.parents[3] / "shared" / "gold" / "themes-news-dev.jsonl",
    "bundled": HERE.parent / "gold" / "themes.jsonl",
    "technology": HERE.parent / "gold" / "themes_a.jsonl",
    "other fields": HERE.parent / "gold" / "themes_b.jsonl",
    "mixed": HERE.parent / "gold" / "themes_c.jsonl",
    "half spoken": HERE.parent / "gold" / "themes_d.jsonl",
}
VERDICTS = HERE.parent / "gold" / "verdicts.jsonl"
MEASURES = ("precision", "recall", "f1", "ari", "largest_mixed")
DAYS, DEALS = 5, 10
ASKED_FOR = [thousandths / 1000 for thousandths in range(80, 210, 10)]


@dataclass(frozen=True, slots=True)
class Gold:
    """Insights of a file, their ids, the theme of each, and their vectors."""

    ids: list[str]
    texts: list[str]
    themes: list[str]
    embeddings: np.ndarray

    @classmethod
    def read(cls, path: Path) -> "Gold":
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        texts = [line["text"] for line in lines]
        themes = [line["theme"] for line in lines]
        return cls([line["id"] for line in lines], texts, themes, claim_encoder().encode(texts))

    def taken(self, rows: Sequence[int]) -> "Gold":
        """Some of the insights, in the order given."""
        ids, texts, themes = ([column[row] for row in rows] for column in (self.ids, self.texts, self.themes))
        return Gold(ids, texts, themes, self.embeddings[list(rows)])


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


def at_once(texts: Sequence[str], embeddings: np.ndarray, criterion: Criterion = ALONE) -> list[str]:
    """The themes of some texts, as `make themes` finds them."""
    return by_day(texts, embeddings, np.zeros(len(texts), dtype=int), criterion)


def by_day(texts: Sequence[str], embeddings: np.ndarray, days: np.ndarray, criterion: Criterion = ALONE) -> list[str]:
    """The themes of some texts that come day by day."""
    found = np.full(len(texts), "", dtype=object)
    earlier: list[int] = []
    for day in np.unique(days):
        today = np.flatnonzero(days == day).tolist()
        new, known = (_claims(texts, embeddings, rows) for rows in (today, earlier))
        found[today] = assign(new, known, found[earlier], criterion)
        earlier += today
    return found.tolist()


def with_verdicts(gold: Gold, said: dict) -> tuple[str, dict[str, float]]:
    """How the insights of a set, or those of them that were asked about, are grouped by what a chat model said."""
    asked = set(gold.ids if said["insights"] == "all" else said["insights"])
    gold = gold.taken([row for row, name in enumerate(gold.ids) if name in asked])
    claims = _claims(gold.texts, gold.embeddings, range(len(gold.ids)))
    verdict = {tuple(pair): name for name in ("same", "related") for pair in said[name]}
    verdicts = {
        (claims.claim_ids[one], claims.claim_ids[other]): verdict.get((gold.ids[one], gold.ids[other]), "different")
        for one, other in _likest_before(gold.embeddings)
    }
    found = assign(claims, _claims((), gold.embeddings, ()), (), verdicts=verdicts)
    return f"{len(asked)} at once, with a chat model's verdicts", measure(found, gold.themes)


def _likest_before(embeddings: np.ndarray) -> list[tuple[int, int]]:
    """The pairs that the model was asked about: each insight and the eight before it that are likest to it."""
    likeness = np.round(embeddings @ embeddings.T, 5)
    return [
        (row, int(other))
        for row in range(len(likeness))
        for other in np.argsort(-likeness[row, :row], kind="stable")[:LIKEST]
        if likeness[row, other] >= LIKE_ENOUGH
    ]


def with_a_reader_s_verdicts(gold: Gold, wrong: float) -> dict[str, float]:
    """How the insights of a set are grouped, at once, by what a reader would say of all pairs that are asked about, of
    which a share, drawn at random, is wrong; the mean of several draws."""
    claims = _claims(gold.texts, gold.embeddings, range(len(gold.ids)))
    theme_of = dict(zip(claims.claim_ids, gold.themes, strict=True))
    asked = [(pair.claim_id, pair.other_claim_id) for pair in pairs_of(claims)]
    draws = []
    for seed in range(DEALS if wrong else 1):
        slips = np.random.default_rng(seed).random(len(asked)) < wrong
        verdicts = {
            (one, other): "same" if (theme_of[one] == theme_of[other]) != slip else "different"
            for (one, other), slip in zip(asked, slips, strict=True)
        }
        draws.append(measure(assign(claims, _claims((), gold.embeddings, ()), (), verdicts=verdicts), gold.themes))
    return {name: statistics.fmean(figures[name] for figures in draws) for name in MEASURES}


def rows(gold: Gold) -> Iterator[tuple[str, dict[str, float]]]:
    """How the insights of a set were grouped, and the measures of it."""
    texts, themes = gold.texts, gold.themes
    yield f"all {len(texts)} at once", measure(at_once(texts, gold.embeddings), themes)
    rng = np.random.default_rng(0)
    dealt = [measure(by_day(texts, gold.embeddings, rng.integers(0, DAYS, len(texts))), themes) for _ in range(DEALS)]
    means = {name: statistics.fmean(figures[name] for figures in dealt) for name in MEASURES}
    yield f"over {DAYS} days, mean of {DEALS} deals", means
    yield "all at once, by the model's plain mean", measure(at_once(texts, bundled_encoder().encode(texts)), themes)
    for wrong in (0.0, 0.05):
        told = f"at once, by a reader's verdicts, {wrong:.0%} of them wrong"
        yield told, with_a_reader_s_verdicts(gold, wrong)
    yield "each alone", measure([str(i) for i in range(len(texts))], themes)


def carried_over(sets: dict[str, Gold]) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Each set grouped at once, asking for the likeness that suits all the others best."""
    found: dict[str, dict[float, dict[str, float]]] = {name: {} for name in sets}
    for asked_for in ASKED_FOR:
        criterion = replace(ALONE, like_enough=asked_for)
        for name, gold in sets.items():
            found[name][asked_for] = measure(at_once(gold.texts, gold.embeddings, criterion), gold.themes)
    for name in sets:
        others = [figures for other, figures in found.items() if other != name]
        best = max(ASKED_FOR, key=lambda t, o=others: sum(figures[t]["f1"] + figures[t]["ari"] for figures in o))
        yield name, f"at once, likeness {best:.3f} from the other sets", found[name][best]


def main() -> int:
    print("| set | grouped | " + " | ".join(MEASURES) + " |")
    print("| --- | --- |" + " ---: |" * len(MEASURES))
    sets = {}
    for name, path in SETS.items():
        if not path.is_file():
            print(f"No {name} set of grouped insights here: {path.name}", file=sys.stderr)
            continue
        sets[name] = Gold.read(path)
        for grouped, figures in rows(sets[name]):
            _print(name, grouped, figures)
    for name, grouped, figures in carried_over(sets):
        _print(name, grouped, figures)
    for said in map(json.loads, VERDICTS.read_text(encoding="utf-8").splitlines()):
        if said["set"] in sets:
            _print(said["set"], *with_verdicts(sets[said["set"]], said))
    return 0


def _print(name: str, grouped: str, figures: dict[str, float]) -> None:
    cells = [f"{figures[one]:.3f}" for one in MEASURES[:-1]] + [f"{figures['largest_mixed']:.0f}"]
    print(f"| {name} | {grouped} | " + " | ".join(cells) + " |", flush=True)


def _claims(texts: Sequence[str], embeddings: np.ndarray, rows: Sequence[int]) -> Claims:
    told = [texts[row] for row in rows]
    return Claims([f"c{row:06}" for row in rows], told, [rare_words(text) for text in told], embeddings[list(rows)])


if __name__ == "__main__":
    sys.exit(main())
