"""How well it is told that two passages of real talk say the same: `python -m tests.evals.pairs`.

Pairs of passages of ten shows, which two readers graded apart from one another: 3 where both tell one story or make one
point, 2 where one leads to the other, 1 where they share a field, 0 else. Which pairs were read was decided by several
measures of likeness, so that figures say which of two measures puts the same before the rest, and not how many of all
that say the same are found. `include.themes.grouping.IN_CONTEXT` was fitted on these pairs.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from include.models.meaning import claim_encoder
from include.themes.grouping import IN_CONTEXT, Claims, likeness
from include.themes.rare_words import rare_words
from tests.evals.material import SHARED

PAIRS = Path(__file__).parent / "gold" / "pairs.jsonl"
THE_SAME = 2.5
AROUND = 300


@dataclass(frozen=True, slots=True)
class Pairs:
    """Passages, pairs of their places among them, shape (pairs, 2), and the mean grade of each pair."""

    passages: Claims
    pairs: np.ndarray
    grades: np.ndarray


def read() -> Pairs:
    """The graded pairs, with their texts from `../shared`. Raises FileNotFoundError where that has no transcripts."""
    episodes = _episodes()
    rows = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    places = sorted({tuple(row[side]) for row in rows for side in ("one", "other")})
    texts = [" ".join(episodes[guid][begin:end]) for guid, begin, end in places]
    words = [rare_words(_around(episodes[guid], begin, end)) for guid, begin, end in places]
    ids, guids = [f"c{i:04}" for i in range(len(places))], [guid for guid, *_ in places]
    number = {place: i for i, place in enumerate(places)}
    return Pairs(
        Claims(ids, texts, words, claim_encoder().encode(texts), documents=guids),
        np.array([(number[tuple(row["one"])], number[tuple(row["other"])]) for row in rows]),
        np.array([row["grade"] for row in rows]),
    )


def average_precision(grades: np.ndarray, scores: np.ndarray) -> float:
    """The mean precision at each pair that says the same, the likest pair first."""
    the_same = grades[np.argsort(-scores, kind="stable")] >= THE_SAME
    return float((np.cumsum(the_same) / np.arange(1, len(the_same) + 1))[the_same].mean())


def rows(pairs: Pairs) -> Iterator[tuple[str, float, str]]:
    """By what pairs are ordered, the average precision, and the grades of those that are alike enough."""
    one, other = pairs.pairs.T
    vectors = pairs.passages.embeddings
    yield "their vectors alone", average_precision(pairs.grades, (vectors[one] * vectors[other]).sum(axis=1)), ""
    criteria = {
        "their vectors, less what a field has in common": replace(IN_CONTEXT, rare_words=0.0),
        "rare words around them, less that": replace(IN_CONTEXT, rare_words=1e6),
        "both, as the pipeline does": IN_CONTEXT,
    }
    for name, criterion in criteria.items():
        scores = likeness(pairs.passages, criterion)[one, other]
        alike = pairs.grades[scores >= criterion.like_enough] if criterion == IN_CONTEXT else None
        told = "" if alike is None else f"{(alike >= THE_SAME).sum()} the same, {(alike < THE_SAME).sum()} not"
        yield name, average_precision(pairs.grades, scores), told


def main() -> int:
    try:
        pairs = read()
    except FileNotFoundError as missing:
        print(f"No real talk here to find pairs in: {missing.filename}", file=sys.stderr)
        return 0
    same = int((pairs.grades >= THE_SAME).sum())
    print(
        f"\n| {len(pairs.grades)} pairs, {same} of which say the same, ordered by | average precision | alike enough |"
    )
    print("| --- | ---: | --- |")
    for name, precision, told in rows(pairs):
        print(f"| {name} | {precision:.2f} | {told} |", flush=True)
    return 0


def _episodes() -> dict[str, list[str]]:
    files = sorted((SHARED / "corpus" / "episodes").glob("*/*.json"))
    if not files:
        raise FileNotFoundError(2, "no episodes", str(SHARED / "corpus" / "episodes"))
    read = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    return {episode["guid"]: " ".join(s["text"] for s in episode["segments"]).split() for episode in read}


def _around(words: list[str], begin: int, end: int) -> str:
    """The passage with some 300 characters on either side."""
    before, after = " ".join(words[max(begin - AROUND, 0) : begin]), " ".join(words[end : end + AROUND])
    return " ".join([before[-AROUND:], *words[begin:end], after[:AROUND]])


if __name__ == "__main__":
    sys.exit(main())
