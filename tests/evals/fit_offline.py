"""Fits the weights of the offline model on annotated episodes: `python -m tests.evals.fit_offline`.

Ridge regression of what a passage is worth as a pick on its signals and its embedding; both are additive, so the
solution is one linear system. It learns from two kinds of marks: the gold (`tests.evals.measures.gain`), and
`grades.jsonl`, where a language model graded the likeliest passages of further episodes from 0 to 5, close together and
so finer where it matters. The calibration maps a worth to a reader's overall mark, fitted on passages of shows that the
weights had not seen. Writes `include/claims/weights/offline.npz` and, beside it, the provenance as JSON.
"""

import datetime
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from include.claim_files import read_episode
from include.claims import signals
from include.claims.offline import WEIGHTS, OfflineExtractor, Reading, Weights
from tests.evals.material import SHARED, Annotated, shared_gold
from tests.evals.measures import Span, gain, inside, shared

GRADES = Path(__file__).parent / "grades.jsonl"
PENALTY_PLAIN = 4000.0
PENALTY_MEANING = 12000.0
GOLD_WEIGHT = 0.25
"""How much a passage of a gold episode counts against one of a graded episode."""
UNMARKED = 0.8
"""What a passage that no reader marked is taken to be worth, 0 to 5, when scores are calibrated."""


@dataclass(frozen=True)
class Lesson:
    """One episode to learn from: what is seen of its passages, what each is worth, and how much that counts.
    `annotated` is None where the episode has grades and no gold."""

    show: str
    reading: Reading
    worth: np.ndarray
    weight: float = 1.0
    annotated: Annotated | None = None


def lesson(annotated: Annotated) -> Lesson:
    """Reads an episode (the slow part: some 4 s for 10,000 words) and says what its passages are worth."""
    reading = Reading(annotated.episode, annotated.segments)
    worth = np.array([gain(s, annotated.marked) for s in _spans(annotated, reading)])
    return Lesson(annotated.show, reading, worth, GOLD_WEIGHT, annotated)


def graded_lessons() -> list[Lesson]:
    """The episodes that `grades.jsonl` speaks of, where their transcripts are at hand.

    A row says that the passage of `size` words after the first `at` words of an episode (`slug`) has a grade. An
    episode's ten best are taken for insights, the next fifteen for fair picks at 60 %, as in the gold.
    """
    grades: dict[str, list[tuple[float, Span]]] = {}
    for line in GRADES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        grades.setdefault(row["slug"], []).append((row["grade"], (row["at"], row["at"] + row["size"])))
    found = []
    for slug, marks in sorted(grades.items()):
        show, _, name = slug.partition("__")
        file = SHARED / "corpus" / "episodes" / show / f"{name}.json"
        if not file.exists():
            continue
        read = read_episode(file)
        reading = Reading(read.episode, read.segments)
        found.append(Lesson(show, reading, _graded(reading, marks)))
        print(f"[graded] {slug}", file=sys.stderr)
    return found


def _graded(reading: Reading, marks: Sequence[tuple[float, Span]]) -> np.ndarray:
    best = sorted(marks, key=lambda mark: -mark[0])
    insights = [mark for mark in best[:10] if mark[0] >= 2.4]
    fair = [mark for mark in best[10:25] if mark[0] >= 1.8]
    worth = []
    for p in reading.found:
        span = (reading.spoken[p.first].at, reading.spoken[p.last].at + reading.spoken[p.last].size)
        kept = [grade for grade, place in insights if shared(span, place) >= 0.5]
        kept += [0.6 * grade for grade, place in fair if inside(span, place) >= 0.5]
        worth.append(max(kept, default=0.0))
    return np.array(worth)


def fit(lessons: Sequence[Lesson]) -> Weights:
    """The weights that these episodes teach; the calibration is left at one to one."""
    table = np.vstack([one.reading.table for one in lessons]).astype(np.float64)
    vectors = np.vstack([one.reading.vectors for one in lessons]).astype(np.float64)
    worth = np.concatenate([one.worth for one in lessons])
    counts = np.concatenate([np.full(len(one.worth), one.weight) for one in lessons])[:, None]
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    plain = np.clip((table - mean) / spread, -4, 4)
    by_size = vectors * table[:, [signals.NAMES.index("size")]]
    scale, scale_by_size = vectors.std(), by_size.std()
    seen = np.hstack([plain, vectors / scale, by_size / scale_by_size])
    centre = (seen * counts).sum(axis=0) / counts.sum()
    level = float((worth[:, None] * counts).sum() / counts.sum())
    n, d = plain.shape[1], vectors.shape[1]
    penalty = np.concatenate([np.full(n, PENALTY_PLAIN), np.full(2 * d, PENALTY_MEANING)])
    centred = seen - centre
    weighed = centred * counts
    weights = np.linalg.solve(weighed.T @ centred + np.diag(penalty), weighed.T @ (worth - level))
    return Weights(
        mean=mean,
        spread=spread,
        plain=weights[:n],
        meaning=weights[n : n + d] / scale,
        meaning_by_size=weights[n + d :] / scale_by_size,
        intercept=float(level - centre @ weights),
        usual=level,
        slope=1.0,
        offset=0.0,
    )


def by_show(lessons: Sequence[Lesson]) -> dict[str, Weights]:
    """For each show the weights fitted on all the others."""
    shows = sorted({one.show for one in lessons})
    return {show: fit([one for one in lessons if one.show != show]) for show in shows}


def calibrated(weights: Weights, lessons: Sequence[Lesson], unseen: dict[str, Weights]) -> Weights:
    """The weights with the line that maps a worth to a reader's mark, fitted on claims of shows not learned from."""
    worths, marks = [], []
    for one in lessons:
        if one.annotated is None:
            continue
        spoken, marks_made = one.annotated.spoken, one.annotated.marked
        for claim in OfflineExtractor(unseen[one.show]).choose(one.reading).claims:
            span = spoken.find(claim.quote, spoken.segments(claim.first_segment, claim.last_segment))
            if span is None:
                continue
            marked = [w for s, w in marks_made.insights if shared(span, s) >= 0.3]
            marked += [w for s, w in marks_made.acceptable if inside(span, s) >= 0.5]
            worths.append(claim.features["worth"])
            marks.append(max(marked, default=UNMARKED))
    slope, offset = np.polyfit(worths, marks, 1)
    return replace(weights, slope=float(slope), offset=float(offset))


def main() -> int:
    material = shared_gold()
    if not material:
        print("The annotated episodes are not there: expected ../shared/gold/dev beside the project.", file=sys.stderr)
        return 2
    lessons = graded_lessons()
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
        "method": "ridge regression of a passage's worth as a pick on its signals and its sentences' embeddings",
        "gold_episodes": sum(one.annotated is not None for one in lessons),
        "graded_episodes": sum(one.annotated is None for one in lessons),
        "shows": sorted({one.show for one in lessons}),
        "passages": int(sum(len(one.worth) for one in lessons)),
        "embedding": "all-MiniLM-L6-v2, int8",
        "gold_weight": GOLD_WEIGHT,
        "penalty_plain": PENALTY_PLAIN,
        "penalty_meaning": PENALTY_MEANING,
        "score": {"slope": round(weights.slope, 4), "offset": round(weights.offset, 4)},
        "note": "Weights only; no text of the episodes is kept. The gold was marked by careful readers, the grades "
        "of tests/evals/grades.jsonl by a language model. Figures for shows not learned from: make evals.",
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
