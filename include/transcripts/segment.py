"""What a transcript is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of speech, in spoken order; `index` counts from 0 within the episode."""

    index: int
    text: str
    speaker: str | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
