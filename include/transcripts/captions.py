"""Captions, WebVTT and SRT alike: whatever has lines of two times with an arrow between them. Pure.

Files in the wild have SRT numbers in WebVTT, commas for stops, no hours, no numbers, blank lines within a cue or none
between two: so a cue is what stands between two lines of times, and its number is left out wherever it stands.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from include.transcripts.row import CLOCK, Row, clock, folded
from include.words import words

_TIMES = re.compile(rf"^[^\S\n]*({CLOCK})[^\S\n]*(?:[-–—]+>|→)[^\S\n]*({CLOCK})(?:[^\S\n].*)?$")
_NOT_SPOKEN = re.compile(r"(?i)^(?:NOTE|STYLE|REGION|WEBVTT)\b")
"""Heads of blocks that nobody says; a file put together of several has a head in its midst."""
_VOICE = re.compile(r"(?i)<v(?:\.[^\s>]*)?[ \t]+([^>]*)>")
_TAG = re.compile(r"</?[^\W\d_][^<>]*>|<[\d:.,]*>|\{\\[^{}]*\}")
_ROLLING = 0.3
"""The share of cues that begin with what the cue before ended with, from which captions roll."""
_FEWEST_WORDS = 3


def has_cues(text: str) -> bool:
    """Whether there is a line of times among the first two hundred."""
    return any(_TIMES.match(line) for line in text.split("\n", 200)[:200])


def cues(text: str) -> list[Row]:
    """The cues in spoken order, a row for each voice in one; of captions that roll, each word once."""
    rows = [row for cue in _cues(text) for row in _voices(cue)]
    return _unrolled(rows)


def _cues(text: str) -> Iterator[Row]:
    lines = text.split("\n")
    places = [place for place, line in enumerate(lines) if _TIMES.match(line)]
    for number, (place, following) in enumerate(pairwise([*places, len(lines)]), 1):
        start, end = (clock(time) for time in _TIMES.match(lines[place]).groups())  # type: ignore[union-attr]
        spoken: Sequence[str] = lines[place + 1 : following]
        if following < len(lines):
            spoken = _without_name(spoken, number)
        yield Row("\n".join(_without_notes(spoken)), start=start, end=end)


def _without_name(lines: Sequence[str], number: int) -> Sequence[str]:
    """The lines of the cue of that number, from 1 on, without the number or name of the next one, which stands right
    above its times; with a blank line between, a number is the next one's where it counts on."""
    last = next((place for place in reversed(range(len(lines))) if lines[place].strip()), -1)
    if -1 < last < len(lines) - 1 and lines[last].strip() in (str(number), str(number + 1)):
        return lines[:last] if last == 0 or not lines[last - 1].strip() else lines
    if lines and (lines[-1].strip().isdigit() or (len(lines) > 1 and lines[-1].strip() and not lines[-2].strip())):
        return lines[:-1]
    return lines


def _without_notes(lines: Sequence[str]) -> Iterator[str]:
    skipping, blank = False, False
    for line in lines:
        skipping = bool(line.strip()) and (skipping or (blank and bool(_NOT_SPOKEN.match(line))))
        blank = not line.strip()
        if not skipping:
            yield line


def _voices(cue: Row) -> Iterator[Row]:
    """A cue with one row for each voice that is marked in it, and for each line that a dash gives to another."""
    before, *voices = _VOICE.split(cue.text)
    parts = [(None, before), *zip(voices[::2], voices[1::2], strict=True)]
    for name, text in parts:
        spoken = folded(html.unescape(_TAG.sub("", text)))
        if spoken:
            yield replace(cue, text=spoken, speaker=folded(html.unescape(name or "")) or None)


def _unrolled(rows: list[Row]) -> list[Row]:
    """The rows without what each repeats of the one before, where captions roll: two lines are shown, the upper of
    which was said before."""
    said = [row.text.split() for row in rows]
    shared = [0, *(_overlap(before, now) for before, now in pairwise(said))]
    rolling = sum(count >= min(_FEWEST_WORDS, len(now)) > 0 for count, now in zip(shared, said, strict=True))
    if rolling < _ROLLING * len(rows):
        return rows
    kept = (replace(row, text=" ".join(now[count:])) for row, now, count in zip(rows, said, shared, strict=True))
    return [row for row in kept if words(row.text)]


def _overlap(before: Sequence[str], now: Sequence[str]) -> int:
    """How many words `now` begins with that `before` ended with, none of fewer than three where it goes on."""
    for count in range(min(len(before), len(now), 60), 0, -1):
        if before[-count:] == now[:count]:
            return count if count >= _FEWEST_WORDS or count == len(now) else 0
    return 0
