"""Fits the weights of the offline model on annotated episodes: `python -m tests.evals.fit_offline`.

Ridge regression of what a passage is worth as a pick (`tests.evals.measures.gain`) on its signals and its embedding;
both are additive, so the solution is one linear system. The calibration maps a worth to a reader's overall mark, fitted
on passages of shows that the weights had not seen. Writes `include/claims/weights/offline.npz` and, beside it, the
provenance as JSON.
"""

import datetime
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from include.claims import signals
from include.claims.offline import WEIGHTS, OfflineExtractor, Reading, Weights
from tests.evals.material import Annotated, shared_gold
from tests.evals.measures import gain, inside, shared

PENALTY_PLAIN = 3000.0
PENALTY_MEANING = 5000.0
UNMARKED = 0.8
"""What a passage that no reader marked is taken to be worth, 0 to 5, when scores are calibrated."""


@dataclass(frozen=True)
class Lesson:
    """One episode to learn from: what is seen of its passages, and what each is worth."""

    annotated: Annotated
    reading: Reading
    worth: np.ndarray


def lesson(annotated: Annotated) -> Lesson:
    """Reads an episode (the slow part: some 4 s for 10,000 words) and says what its passages are worth."""
    reading = Reading(annotated.episode, annotated.segments)
    return Lesson(annotated, reading, np.array([gain(s, annotated.marked) for s in _spans(annotated, reading)]))


def fit(lessons: Sequence[Lesson]) -> Weights:
    """The weights that these episodes teach; the calibration is left at one to one."""
    table = np.vstack([one.reading.table for one in lessons]).astype(np.float64)
    vectors = np.vstack([one.reading.vectors for one in lessons]).astype(np.float64)
    worth = np.concatenate([one.worth for one in lessons])
    sizes = table[:, [signals.NAMES.index("size")]]
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    plain = np.clip((table - mean) / spread, -4, 4)
    by_size = vectors * sizes
    scale, scale_by_size = vectors.std(), by_size.std()
    seen = np.hstack([plain, vectors / scale, by_size / scale_by_size])
    centre = seen.mean(axis=0)
    penalty = np.concatenate([np.full(plain.shape[1], PENALTY_PLAIN), np.full(2 * vectors.shape[1], PENALTY_MEANING)])
    centred = seen - centre
    weights = np.linalg.solve(centred.T @ centred + np.diag(penalty), centred.T @ (worth - worth.mean()))
    n, d = plain.shape[1], vectors.shape[1]
    return Weights(
        mean=mean,
        spread=spread,
        plain=weights[:n],
        meaning=weights[n : n + d] / scale,
        meaning_by_size=weights[n + d :] / scale_by_size,
        intercept=float(worth.mean() - centre @ weights),
        slope=1.0,
        offset=0.0,
    )


def by_show(lessons: Sequence[Lesson]) -> dict[str, Weights]:
    """For each show the weights fitted on all the others."""
    shows = sorted({one.annotated.show for one in lessons})
    return {show: fit([one for one in lessons if one.annotated.show != show]) for show in shows}


def calibrated(weights: Weights, lessons: Sequence[Lesson], unseen: dict[str, Weights]) -> Weights:
    """The weights with the line that maps a worth to a reader's mark, fitted on claims of shows not learned from."""
    worths, marks = [], []
    for one in lessons:
        extraction = OfflineExtractor(unseen[one.annotated.show]).choose(one.reading)
        for claim in extraction.claims:
            span = one.annotated.spoken.find(
                claim.quote, one.annotated.spoken.segments(claim.first_segment, claim.last_segment)
            )
            if span is None:
                continue
            marked = [w for s, w in one.annotated.marked.insights if shared(span, s) >= 0.3]
            marked += [w for s, w in one.annotated.marked.acceptable if inside(span, s) >= 0.5]
            worths.append(claim.features["worth"])
            marks.append(max(marked, default=UNMARKED))
    slope, offset = np.polyfit(worths, marks, 1)
    return replace(weights, slope=float(slope), offset=float(offset))


def main() -> int:
    material = shared_gold()
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
        "method": "ridge regression of a passage's worth as a pick on its signals and its sentences' embeddings",
        "episodes": len(lessons),
        "shows": sorted({one.annotated.show for one in lessons}),
        "passages": int(sum(len(one.worth) for one in lessons)),
        "embedding": "all-MiniLM-L6-v2, int8",
        "penalty_plain": PENALTY_PLAIN,
        "penalty_meaning": PENALTY_MEANING,
        "score": {"slope": round(weights.slope, 4), "offset": round(weights.offset, 4)},
        "note": "Weights only; no text of the episodes is kept. Figures for shows not learned from: make evals.",
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
