"""Fits the weights of the offline model on annotated episodes: `python -m tests.evals.fit_offline`.

Ridge regression of what a passage is worth as a pick (`tests.evals.measures.gain`) on its signals, its embedding and
that of what surrounds it; all are additive, so the solution is one linear system. Each passage is told from the others
of its own episode, not one show or field from another. The worth counts by its square, so that the best are told from
the fair more than the fair from the rest. A second regression, of the share of a passage that lies in an advertisement,
says what sells. The calibration maps a worth to a reader's overall mark, fitted on passages of shows that the weights
had not seen. Writes `include/claims/offline/weights/offline.npz` and, beside it, the provenance as JSON.
"""

import datetime
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from include.claims.offline.extractor import Reading, pick
from include.claims.offline.worth import GROUPS, SPAN, WEIGHTS, Weights, apart
from tests.evals.material import Annotated, further_readings, shared_gold
from tests.evals.measures import gain, inside, shared

# For signals, the meaning of a passage, that of what is around it, and rules.
PENALTIES_WORTH = (6_000.0, 90_000.0, 140_000.0)
PENALTIES_SELLING = (10_000.0, 10_000.0, 10_000.0, 11.0)
EMBEDDED = 384
RULES = 2
UNMARKED = 0.8
"""What a passage that no reader marked is taken to be worth, 0 to 5, when scores are calibrated."""


@dataclass(frozen=True)
class Lesson:
    """One episode to learn from: what is seen of its passages, what each is worth, and which share of it sells."""

    annotated: Annotated
    reading: Reading
    worth: np.ndarray
    selling: np.ndarray

    @property
    def show(self) -> str:
        return self.annotated.show


def lesson(annotated: Annotated) -> Lesson:
    """Reads an episode (the slow part: some 4 s for 10,000 words) and says what its passages are worth."""
    reading = Reading(annotated.episode, annotated.segments)
    spans = _spans(annotated, reading)
    gains = np.array([gain(s, annotated.marked) for s in spans])
    selling = np.array([max((inside(s, ad) for ad in annotated.marked.ads), default=0.0) for s in spans])
    return Lesson(annotated, reading, gains * np.maximum(gains, 1.0) / 4, selling)


def fit(lessons: Sequence[Lesson]) -> Weights:
    """The weights that these episodes teach; the calibration is left at one to one."""
    scales = Scales.of(lessons)
    return scales.weights(*(sum(some, Sums()) for some in zip(*(scales.sums(one) for one in lessons), strict=True)))


def by_show(lessons: Sequence[Lesson]) -> dict[str, Weights]:
    """For each show the weights fitted on all the others."""
    return _leaving_out(lessons, lambda one: one.show)


def by_field(lessons: Sequence[Lesson]) -> dict[str, Weights]:
    """For each field the weights fitted on all the others; none where there is but one field."""
    return _leaving_out(lessons, lambda one: one.annotated.field)


def _leaving_out(lessons: Sequence[Lesson], part: Callable[[Lesson], str]) -> dict[str, Weights]:
    """What the marks of a part teach is left out; the spread of its signals is not."""
    scales = Scales.of(lessons)
    worth: defaultdict[str, Sums] = defaultdict(Sums)
    selling: defaultdict[str, Sums] = defaultdict(Sums)
    for one in lessons:
        for sums, more in zip((worth, selling), scales.sums(one), strict=True):
            sums[part(one)] += more
    others = {name: [[sums[n] for n in sums if n != name] for sums in (worth, selling)] for name in worth}
    return {name: scales.weights(*(sum(some, Sums()) for some in both)) for name, both in others.items() if both[0]}


@dataclass(frozen=True)
class Sums:
    """Sums over passages, from which a ridge regression is solved: of columns times columns, columns times target,
    columns, target, and how many they are."""

    squares: np.ndarray | float = 0.0
    answers: np.ndarray | float = 0.0
    columns: np.ndarray | float = 0.0
    target: float = 0.0
    count: int = 0

    @classmethod
    def of(cls, columns: np.ndarray, target: np.ndarray) -> "Sums":
        wide = columns.astype(np.float64)
        return cls(wide.T @ wide, wide.T @ target, wide.sum(axis=0), float(target.sum()), len(target))

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(one + more for one, more in zip(vars(self).values(), vars(other).values(), strict=True)))

    def solve(self, penalty: np.ndarray) -> tuple[np.ndarray, float]:
        """The weight of each column, and the level at which all are 0."""
        centre, level = self.columns / self.count, self.target / self.count
        squares = self.squares - self.count * np.outer(centre, centre)
        weights = np.linalg.solve(squares + np.diag(penalty), self.answers - self.count * level * centre)
        return weights, level - float(centre @ weights)


@dataclass(frozen=True)
class Scales:
    """The units in which penalties count: the spread of each signal; of an embedding, which has one unit, the spread of
    all its parts: spoken, around, and as what sells sees them."""

    mean: np.ndarray
    spread: np.ndarray
    embeddings: tuple[float, float, float, float]

    @classmethod
    def of(cls, lessons: Sequence[Lesson]) -> "Scales":
        seen = [one.reading.seen for one in lessons if one.reading.seen.found]
        table = np.vstack([one.table for one in seen])
        mean, spread = table.mean(axis=0, dtype=np.float64), table.std(axis=0, dtype=np.float64) + 1e-6
        _, spoken, around = zip(*(apart(one, spread) for one in seen), strict=True)
        embeddings = (spoken, around, [one.meaning for one in seen], [one.around for one in seen])
        one, two, three, four = (float(np.vstack(some).std(dtype=np.float64)) for some in embeddings)
        return cls(mean, spread, (one, two, three, four))

    def sums(self, lesson: Lesson) -> tuple[Sums, Sums]:
        """What an episode teaches of worth and of what sells."""
        seen = lesson.reading.seen
        if not seen.found:
            return Sums(), Sums()
        plain, spoken, around = apart(seen, self.spread)
        one, two, three, four = self.embeddings
        standard = np.clip((seen.table - self.mean) / self.spread, -SPAN, SPAN)
        return (
            Sums.of(np.hstack([plain, spoken / one, around / two]), lesson.worth - lesson.worth.mean()),
            Sums.of(
                np.hstack([standard, seen.meaning / three, seen.around / four, lesson.reading.rules]), lesson.selling
            ),
        )

    def weights(self, worth: Sums, selling: Sums) -> Weights:
        one, two, three, four = self.embeddings
        n = len(self.mean)
        plain, meaning, around = np.split(worth.solve(_penalties(n, PENALTIES_WORTH))[0], [n, n + EMBEDDED])
        sells, level = selling.solve(_penalties(n, PENALTIES_SELLING))
        parts = np.split(sells, [n, n + EMBEDDED, n + 2 * EMBEDDED])
        return Weights(
            mean=self.mean,
            spread=self.spread,
            plain=plain,
            meaning=meaning / one,
            around=around / two,
            selling_plain=parts[0],
            selling_meaning=parts[1] / three,
            selling_around=parts[2] / four,
            selling_rules=parts[3],
            selling_level=level,
            slope=1.0,
            offset=0.0,
            chosen_mean=np.zeros(len(GROUPS)),
            chosen_spread=np.ones(len(GROUPS)),
        )


def _penalties(signals: int, penalties: Sequence[float]) -> np.ndarray:
    return np.repeat(penalties, [signals, EMBEDDED, EMBEDDED, RULES][: len(penalties)])


def calibrated(weights: Weights, lessons: Sequence[Lesson], unseen: dict[str, Weights]) -> Weights:
    """The weights with what depends on the claims that get chosen, taken from claims of shows not learned from: the
    line that maps a worth to a reader's mark, and what each group of signals usually adds."""
    worths, marks, shares = [], [], []
    for one in lessons:
        spans, marked = _spans(one.annotated, one.reading), one.annotated.marked
        for i, added in pick(one.reading, unseen[one.show]).chosen:
            shares.append(added)
            found = [w for s, w in marked.insights if shared(spans[i], s) >= 0.3]
            found += [w for s, w in marked.acceptable if inside(spans[i], s) >= 0.5]
            worths.append(added.sum())
            marks.append(max(found, default=UNMARKED))
    slope, offset = np.polyfit(worths, marks, 1)
    return replace(
        weights,
        slope=float(slope),
        offset=float(offset),
        chosen_mean=np.mean(shares, axis=0),
        chosen_spread=np.std(shares, axis=0),
    )


def main() -> int:
    material = [*shared_gold(), *further_readings()]
    if not material:
        print("The annotated episodes are not there: expected ../shared/gold/dev beside the project.", file=sys.stderr)
        return 2
    lessons = []
    for number, annotated in enumerate(material, 1):
        lessons.append(lesson(annotated))
        print(f"[{number}/{len(material)}] {annotated.slug}", file=sys.stderr)
    weights = calibrated(fit(lessons), lessons, by_show(lessons))
    write(weights, lessons, WEIGHTS)
    return 0


def write(weights: Weights, lessons: Sequence[Lesson], file: Path) -> None:
    """The weights, and beside them where they come from."""
    file.parent.mkdir(exist_ok=True)
    weights.save(file)
    provenance = {
        "fitted_on": datetime.date.today().isoformat(),
        "by": "python -m tests.evals.fit_offline",
        "method": "ridge regression of a passage's worth as a pick, squared, beside the others of its episode, on its "
        "signals, its sentences' embeddings and those around it; the same of the share of it that sells",
        "episodes": len(lessons),
        "shows": sorted({one.show for one in lessons}),
        "passages": int(sum(len(one.worth) for one in lessons)),
        "embedding": "all-MiniLM-L6-v2, int8",
        "penalties_worth": PENALTIES_WORTH,
        "penalties_selling": PENALTIES_SELLING,
        "score": {"slope": round(weights.slope, 4), "offset": round(weights.offset, 4)},
        "note": "Weights only; no text of the episodes is kept. Readers that are language models marked the episodes "
        "under one written protocol. Figures for shows not learned from: make evals.",
    }
    file.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")


def _spans(annotated: Annotated, reading: Reading) -> list[tuple[int, int]]:
    find: Callable = annotated.spoken.find
    spans = []
    for p in reading.found:
        first, last = reading.spoken[p.first], reading.spoken[p.last]
        around = annotated.spoken.segments(first.first_segment, last.last_segment)
        spans.append(find(p.text, around) or around)
    return spans


if __name__ == "__main__":
    sys.exit(main())
