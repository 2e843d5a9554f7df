"""What a published transcript is read into before it is known who speaks: rows of text, in spoken order."""

import math
import re
from dataclasses import dataclass

LONGEST_SECONDS = 48 * 3600.0
"""A time past that, or before 0, is none."""

CLOCK = r"(?:\d{1,3}:)?\d{1,3}:(?:\d{2}|\d(?=[.,]\d))(?:[.,]\d{1,6})?"
_CLOCK = re.compile(rf"[\[(]?({CLOCK})[\])]?")
_INVISIBLE = re.compile("[\x00\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Row:
    """One stretch of text. `speaker` is who the format itself says speaks, None where it does not say; `new_speaker`
    that somebody else begins here, whoever it is. Times in seconds, None where there are none."""

    text: str
    speaker: str | None = None
    start: float | None = None
    end: float | None = None
    new_speaker: bool = False


def seconds(value: object, unit: float = 1.0) -> float | None:
    """A time as a number, as digits or as a clock, in units of so many seconds; None for what is no time."""
    if isinstance(value, str):
        if ":" in value:
            return clock(value)
        value = value.strip().removesuffix("s").replace(",", ".")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value) * unit
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and 0 <= found <= LONGEST_SECONDS else None


def clock(text: str) -> float | None:
    """Seconds of `1:02:03.5`, `62:03` or `[00:12]`; None where it is no clock time."""
    stamp = _CLOCK.fullmatch(text.strip())
    if not stamp:
        return None
    found = 0.0
    for figure in stamp.group(1).replace(",", ".").split(":"):
        found = found * 60 + float(figure)
    return found if found <= LONGEST_SECONDS else None


def folded(text: str) -> str:
    """Text on one line, without characters that nobody sees."""
    return " ".join(_INVISIBLE.sub("", text).split())
