"""Fits the weights of the offline model on annotated episodes: `python -m tests.evals.fit_offline`.

Ridge regression of what a passage is worth as a pick (`tests.evals.measures.gain`) on its signals and its embedding;
both are additive, so the solution is one linear system. The worth counts by its square, so that the best are told from
the fair more than the fair from the rest. The calibration maps a worth to a reader's overall mark, fitted on passages
of shows that the weights had not seen. Writes `include/claims/offline/weights/offline.npz` and, beside it, the
provenance as JSON.
"""

import datetime
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from include.claims.offline import signals
from include.claims.offline.extractor import GROUPS, WEIGHTS, OfflineExtractor, Reading, Weights
from tests.evals.material import Annotated, further_readings, shared_gold
from tests.evals.measures import gain, inside, shared

PENALTY_PLAIN = 16000.0
PENALTY_MEANING = 48000.0
UNMARKED = 0.8
"""What a passage that no reader marked is taken to be worth, 0 to 5, when scores are calibrated."""


@dataclass(frozen=True)
class Lesson:
    """One episode to learn from: what is seen of its passages, and what each is worth."""

    annotated: Annotated
    reading: Reading
    worth: np.ndarray

    @property
    def show(self) -> str:
        return self.annotated.show


def lesson(annotated: Annotated) -> Lesson:
    """Reads an episode (the slow part: some 4 s for 10,000 words) and says what its passages are worth."""
    reading = Reading(annotated.episode, annotated.segments)
    gains = np.array([gain(s, annotated.marked) for s in _spans(annotated, reading)])
    return Lesson(annotated, reading, gains * np.maximum(gains, 1.0) / 4)


def fit(lessons: Sequence[Lesson]) -> Weights:
    """The weights that these episodes teach; the calibration is left at one to one, what is usual at nothing."""
    table = np.vstack([one.reading.table for one in lessons]).astype(np.float64)
    vectors = np.vstack([one.reading.vectors for one in lessons]).astype(np.float64)
    worth = np.concatenate([one.worth for one in lessons])
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    plain = np.clip((table - mean) / spread, -4, 4)
    spoken = vectors * table[:, [signals.NAMES.index("size")]]
    scale = spoken.std()
    seen = np.hstack([plain, spoken / scale])
    centre, level = seen.mean(axis=0), float(worth.mean())
    n, d = plain.shape[1], vectors.shape[1]
    penalty = np.concatenate([np.full(n, PENALTY_PLAIN), np.full(d, PENALTY_MEANING)])
    centred = seen - centre
    weights = np.linalg.solve(centred.T @ centred + np.diag(penalty), centred.T @ (worth - level))
    return Weights(
        mean=mean,
        spread=spread,
        plain=weights[:n],
        meaning=weights[n:] / scale,
        intercept=float(level - centre @ weights),
        usual=level,
        slope=1.0,
        offset=0.0,
        chosen_mean=np.zeros(len(GROUPS)),
        chosen_spread=np.ones(len(GROUPS)),
    )


def by_show(lessons: Sequence[Lesson]) -> dict[str, Weights]:
    """For each show the weights fitted on all the others."""
    shows = sorted({one.show for one in lessons})
    return {show: fit([one for one in lessons if one.show != show]) for show in shows}


def by_field(lessons: Sequence[Lesson]) -> dict[str, Weights]:
    """For each field the weights fitted on all the others."""
    fields = sorted({one.annotated.field for one in lessons})
    return {name: fit([one for one in lessons if one.annotated.field != name]) for name in fields}


def calibrated(weights: Weights, lessons: Sequence[Lesson], unseen: dict[str, Weights]) -> Weights:
    """The weights with what depends on the claims that get chosen, taken from claims of shows not learned from: the
    line that maps a worth to a reader's mark, and what each group of signals usually adds."""
    worths, marks, shares = [], [], []
    for one in lessons:
        spoken, marked = one.annotated.spoken, one.annotated.marked
        for claim in OfflineExtractor(unseen[one.show]).choose(one.reading).claims:
            shares.append([claim.features[group] for group in GROUPS])
            span = spoken.find(claim.quote, spoken.segments(claim.first_segment, claim.last_segment))
            if span is None:
                continue
            found = [w for s, w in marked.insights if shared(span, s) >= 0.3]
            found += [w for s, w in marked.acceptable if inside(span, s) >= 0.5]
            worths.append(claim.features["worth"])
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
        "method": "ridge regression of a passage's worth as a pick, squared, on its signals and its sentences' "
        "embeddings",
        "episodes": len(lessons),
        "shows": sorted({one.show for one in lessons}),
        "passages": int(sum(len(one.worth) for one in lessons)),
        "embedding": "all-MiniLM-L6-v2, int8",
        "penalty_plain": PENALTY_PLAIN,
        "penalty_meaning": PENALTY_MEANING,
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
