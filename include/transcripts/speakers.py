"""Who speaks, where a transcript says it in its words: `Ann Roe: …`, `[SPEAKER_01] …`, `>> ANN ROE: …`. Pure.

A name before a colon looks like any other words before a colon, so the transcript as a whole decides: what the format
itself marks is a name; so are a full name, a label in brackets or capitals, and what recurs or stands in the show
notes. A single common word (`Remember:`) is none unless it recurs more often than it is said otherwise.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from include.transcripts.row import CLOCK, Row, clock, folded

_PARTICLES = frozenset(
    "a al and ap ben bin da das de dei del den der di dos du e el la le of st ten the van von y zu".split()
)
_WORD = r"(?!\d{1,3}:\d)[^\W_][\w.'’&№#-]*"
_NAME = rf"{_WORD}(?:,? {_WORD}|,? [#№]?\d+(?!:\d)){{0,5}}"
_ROLE = r"(?: ?[(\[][^()\[\]]{1,40}[)\]])?"
_LABEL = re.compile(
    rf"(?P<turn>(?:>+|[-–—])\s*)?(?P<mark>\*\*|__)?(?P<open>[\[(])?(?P<name>{_NAME})(?P<role>{_ROLE})(?(open)[\])])"
    rf"(?P<time>\s+[\[(]?{CLOCK}[\])]?)?\s*(?:[:：](?(mark)\s*(?:\*\*|__))|(?(mark)(?:\*\*|__))\s*[:：])\s*"
)
_BRACKETED = re.compile(rf"\[(?P<name>{_NAME})\]\s+(?=\S)")
_TIMED = re.compile(rf"[\[(]{CLOCK}[\])]|{CLOCK}(?=\s|$)")
_TURN = re.compile(r"^(?:>>+)\s*")
_LETTER = re.compile(r"[^\W\d_]")
_ROLES = frozenset("announcer caller guest host interviewer interviewee moderator narrator participant speaker".split())
_LONGEST = 60
_COMMON_RANK = 9_000
"""A word that is among so many commonest of English is taken for a name only where it recurs."""


def named(rows: Sequence[Row], notes: str = "") -> list[Row]:
    """The rows with who speaks, and without the labels that said so. A name holds until the next one, since many a
    format names only changes. `notes` are title and description of the episode, and its persons."""
    found = [None if row.speaker else _label(row.text) for row in rows]
    # Numbered speakers count as one, since each of them is one of several.
    counts = Counter(_unnumbered(label.name) for label in found if label)
    usual = 2 * sum(label is not None for label in found) > len(rows) > 1
    accepted = {
        label.name for label in found if label and _is_name(label, counts[_unnumbered(label.name)], usual, rows, notes)
    }
    out: list[Row] = []
    speaker: str | None = None
    for row, label in zip(rows, found, strict=True):
        text, start = row.text, row.start
        if row.speaker:
            speaker = clean_name(row.speaker)
        elif label and label.name in accepted:
            speaker, text = label.name, text[label.end :]
            start = label.start if start is None else start
        elif row.new_speaker or (turn := _TURN.match(text)):
            speaker, text = None, text if row.new_speaker else text[turn.end() :]  # type: ignore[union-attr]
        out.append(replace(row, speaker=speaker, text=text, start=start))
    return out


def clean_name(name: str) -> str | None:
    """A name without brackets, chevrons, stars, colon, clock and role around it; None where nothing is left."""
    name = re.sub(rf"[\[(]?\b{CLOCK}\b[\])]?", "", folded(name))
    name = re.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*:?\s*$", "", name) or name
    return name.strip(" \t*_:：>[]()–—-")[:_LONGEST] or None


def begins_turn(line: str) -> bool:
    """Whether a line begins with a time, or with what may be a name and a colon."""
    return bool(_TIMED.match(line)) or _label(line) is not None


class _Label:
    """What stands before the words of a row: a name, how it is marked, where the words begin, the time it bears."""

    def __init__(self, name: str, end: int, start: float | None, mark: str):
        self.name, self.end, self.start, self.mark = name, end, start, mark


def _label(text: str) -> _Label | None:
    match = _LABEL.match(text) or _BRACKETED.match(text)
    if not match or match.end() > _LONGEST + 40:
        return None
    parts = match.groupdict()
    name = clean_name(parts["name"])
    if not name or not _LETTER.search(name) or not _has_capitals(name):
        return None
    signs = ("brackets",) if "turn" not in parts else [sign for sign in ("turn", "mark", "open", "role") if parts[sign]]
    return _Label(name, match.end(), clock(parts["time"]) if parts.get("time") else None, next(iter(signs), ""))


def _has_capitals(name: str) -> bool:
    """Whether each word begins as a name's does: with a capital, a figure, or a letter of a script without capitals."""
    parts = [part for part in re.split(r"[ ,]+", name) if part]
    return all(part[0].lower() == part[0].upper() or part[0].isupper() or part in _PARTICLES for part in parts)


def _is_name(label: _Label, count: int, usual: bool, rows: Sequence[Row], notes: str) -> bool:
    """Whether a label that occurs so often is a name; `usual` where more than half of the rows begin with a label."""
    name = label.name
    if label.mark == "brackets":
        return usual  # else it is what is heard: [Laughter]
    if label.mark == "turn" or (label.mark and usual):
        return True
    parts = [part for part in name.split() if part not in _PARTICLES]
    cased = any(letter.lower() != letter.upper() for letter in name)
    if cased and (len(parts) > 1 or any(sign.isdigit() for sign in name)):
        # Two words of a sentence may begin with capitals as well, once; a heading ("Show Notes:") may.
        return count > 1 or bool(label.mark) or _is_full_name(parts) or name in notes
    if name.lower() in _ROLES or (cased and name.isupper() and len(name) > 2 and count > 1):
        return True
    if cased and _is_common(name):
        otherwise = re.compile(rf"\b{re.escape(name.lower())}\b")
        recurs = count > 2 and count > 2 * sum(len(otherwise.findall(row.text)) for row in rows)
        return recurs or bool(re.search(rf"\b{re.escape(name)} [A-Z]", notes))
    return count > 1 or usual or cased or name in notes


def _unnumbered(name: str) -> str:
    return re.sub(r"\d+", "", name)


def _is_full_name(parts: Sequence[str]) -> bool:
    """Whether several words look like somebody's name rather than like the beginning of a sentence."""
    return not all(_is_common(part) for part in parts)


def _is_common(word: str) -> bool:
    from include.models.meaning import rank

    return word.isascii() and rank(word.lower().strip(".'’")) <= _COMMON_RANK
