"""Claims without a key: passages weighed by a linear model on plain signals and a small sentence embedding."""

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from include.claims import signals
from include.claims.claim import Claim, DroppedClaim, Episode, Extraction, ReadEpisode, Score, Segment, words
from include.claims.passages import Passage, Sentence, passages, sentences
from include.claims.wording import headline, readable
from include.embedding import bundled_encoder

WEIGHTS = Path(__file__).parent / "weights" / "offline.npz"
CODE = "1"
MOST_CLAIMS = 20
MOST_DROPPED = 20
WORDS_A_CLAIM = 120
ALIKE = 0.75


@functools.cache
def weights() -> dict[str, np.ndarray]:
    """The fitted weights by name; read once a process."""
    with np.load(WEIGHTS) as stored:
        return {name: stored[name] for name in stored.files}


@functools.cache
def version() -> str:
    """A short hash of the weights and of the code's own version: the same version gives the same claims."""
    return hashlib.sha256(WEIGHTS.read_bytes() + CODE.encode()).hexdigest()[:12]


class Reading:
    """One transcript cut into sentences and passages, each passage with its signals and its worth."""

    def __init__(self, episode: Episode, segments: Sequence[Segment]):
        self.spoken: list[Sentence] = sentences(segments)
        self.found: list[Passage] = passages(self.spoken)
        self.vectors = bundled_encoder().encode([p.text for p in self.found])
        self.table = _table(episode, self.spoken, self.found, self.vectors)
        self.worth = _worth(self.table, self.vectors)


class OfflineExtractor:
    """Finds the passages of an episode that are worth a reader's while, by figures alone: no network, no key."""

    name = "offline"

    @property
    def version(self) -> str:
        return version()

    def extract(self, episode: Episode, segments: Sequence[Segment]) -> Extraction:
        """About twenty claims an episode, best first, none overlapping another; fewer where less is said."""
        reading = Reading(episode, segments)
        if not reading.found:
            return Extraction(())
        most = max(3, min(MOST_CLAIMS, sum(s.size for s in reading.spoken) // WORDS_A_CLAIM))
        chosen = _chosen(reading, most)
        return Extraction(tuple(_claim(reading, i) for i in chosen))


class OfflineScorer:
    """Scores claims by the same figures that found them, on the scale of the gold's `overall`, 0 to 5."""

    name = "offline"

    @property
    def version(self) -> str:
        return version()

    def score(self, day: Sequence[ReadEpisode]) -> list[list[Score]]:
        return [[_score(claim) for claim in read.claims] for read in day]


def _table(episode: Episode, spoken: list[Sentence], found: list[Passage], vectors: np.ndarray) -> np.ndarray:
    counts = signals.sentence_counts(spoken)
    place = signals.placed(spoken, found, counts)
    about = bundled_encoder().encode(signals.about(episode))
    at = np.array([spoken[p.first].at for p in found], dtype=float)
    rate = signals.summed(counts, found) / np.maximum(1, place[:, :1]) * 50
    return np.hstack([rate, place, signals.likeness(vectors, about, at)])


def _worth(table: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    w = weights()
    plain = np.clip((table - w["mean"]) / w["spread"], -4, 4)
    return plain @ w["plain"] + vectors @ w["meaning"] + w["intercept"]


def _chosen(reading: Reading, most: int) -> list[int]:
    chosen: list[int] = []
    for i in np.argsort(-reading.worth, kind="stable"):
        p = reading.found[i]
        if any(p.first <= reading.found[j].last and p.last >= reading.found[j].first for j in chosen):
            continue
        if chosen and float((reading.vectors[chosen] @ reading.vectors[i]).max()) > ALIKE:
            continue
        chosen.append(int(i))
        if len(chosen) == most:
            break
    return chosen


def _claim(reading: Reading, i: int) -> Claim:
    passage = reading.found[i]
    first, last = reading.spoken[passage.first], reading.spoken[passage.last]
    return Claim(
        quote=passage.text,
        headline=headline(passage.text),
        insight=readable(passage.text),
        speaker=first.speaker,
        first_segment=first.first_segment,
        last_segment=last.last_segment,
        start_seconds=first.start_seconds,
        features={"worth": round(float(reading.worth[i]), 4)},
    )


def _score(claim: Claim) -> Score:
    worth = claim.features.get("worth", 1.0)
    return Score(round(min(5.0, max(0.0, 1.5 + worth)), 3), "by the offline model's figures")
