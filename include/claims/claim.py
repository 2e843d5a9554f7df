"""What a claim is, and the two small interfaces that find and score claims.

Everything here is plain values: an extractor turns one transcript into claims, a scorer turns a day's claims into
scores. Who implements them (the offline model, a chat model) is decided in `include.pipeline.chosen_models`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from include.transcripts.segment import Segment
from include.words import words

UNREAD = frozenset({"not_read", "skipped_budget"})
"""Reasons of a DroppedClaim that stand for a part of the transcript: it was not read and may be another time."""

UNRATED = "Not rated"
"""How the reason of a Score begins that stands for no rating: the claim is to be scored again another time."""


@dataclass(frozen=True, slots=True)
class Episode:
    """What may be known of an episode when its transcript is read. Descriptions are plain text, markup removed;
    `published` is a day in UTC."""

    episode_id: str
    show_title: str
    title: str
    description: str = ""
    persons: tuple[str, ...] = ()
    duration_seconds: int | None = None
    published: date | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One point that somebody made.

    `quote` is verbatim text of the transcript (case, spacing and punctuation aside); `first_segment` and
    `last_segment` (both included) say where it stands. `start_seconds` is the known time nearest before the quote,
    None where the transcript bears no time before it. `features` are the extractor's own figures for the passage,
    kept so that a score can be explained in SQL; empty where the extractor has none.
    """

    quote: str
    headline: str
    insight: str
    speaker: str | None
    first_segment: int
    last_segment: int
    start_seconds: float | None = None
    kind: str = "opinion"
    features: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DroppedClaim:
    """A claim that did not survive: `reason` is a short stable code (`quote_not_found`, `advertisement`, …)."""

    quote: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that one reading of one transcript gave."""

    claims: tuple[Claim, ...]
    dropped: tuple[DroppedClaim, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadEpisode:
    """An episode with its transcript and the claims found in it: what a scorer sees."""

    episode: Episode
    segments: Sequence[Segment]
    claims: Sequence[Claim]


@dataclass(frozen=True, slots=True)
class Score:
    """How much a claim is worth, 0 to 5; the rubric's four parts where the scorer has them; why, in plain words."""

    score: float
    reason: str
    novelty: float | None = None
    specificity: float | None = None
    evidence: float | None = None
    significance: float | None = None


class Extractor(Protocol):
    """Finds claims. `name` and `version` together key what was extracted: the same pair gives the same claims."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def extract(self, episode: Episode, segments: Sequence[Segment]) -> Extraction: ...


class Scorer(Protocol):
    """Scores claims. One call sees a whole day, so that scores can be compared across its episodes."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def score(self, day: Sequence[ReadEpisode]) -> list[list[Score]]:
        """One list an episode, one score a claim, in the order given."""
        ...


def claim_id(episode_id: str, quote: str) -> str:
    """A stable id: the same words of the same episode give the same id on every run and machine."""
    return "c" + hashlib.sha256(f"{episode_id}\n{' '.join(words(quote))}".encode()).hexdigest()[:15]
