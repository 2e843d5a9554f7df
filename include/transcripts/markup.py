"""Transcripts in HTML, in whatever nesting: read as lines, as a browser shows them. Pure.

The document is read in one pass without a tree, so that depth and errors of nesting cost nothing.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from include.transcripts.row import CLOCK, Row, clock, folded
from include.transcripts.speakers import begins_turn

_LEFT_OUT = frozenset("script style head title nav header footer template noscript svg button".split())
_BLOCKS = frozenset(
    "address article aside blockquote body dd div dl dt figcaption figure form h1 h2 h3 h4 h5 h6 hr html li "
    "main ol p pre section summary table tbody thead tr ul".split()
)
_NAME_WORDS = 8
_CELL, _BREAK, _HEADING, _OPENING = "\x05", "\x06", "\x07", ("\x01", "\x03")
_NAMES = frozenset({"cite", "dt"})
_BOLD = frozenset({"b", "strong"})
_SPEAKER = re.compile(r"(?i)(?:^|[\s_-])(?:speaker|speaker-?name|author|person|who)(?:$|[\s_-])")
_TIME = re.compile(r"(?i)(?:^|[\s_-])(?:time|timestamp|timecode|start)(?:$|[\s_-])")
_MARKED = re.compile(r"\x01([^\x01-\x04]*)\x02")
_TIMED = re.compile(r"\x03([^\x01-\x04]*)\x04")
_TIME_LINE = re.compile(rf"[\[(]?{CLOCK}[\])]?:?")


def lines(text: str) -> list[Row]:
    """The lines of the body, with the speakers and times that elements mark; a name or a time that stands alone is
    that of the lines that follow."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    rows: list[Row] = []
    speaker: str | None = None
    start: float | None = None
    for line in _lines("".join(reader.out)):
        line, names, times = _unmarked(line)
        cells = [folded(cell) for cell in line.split(_CELL) if folded(cell)]
        spoken = max(cells, key=len, default="")
        for cell in (cell for cell in cells if cell != spoken or _TIME_LINE.fullmatch(cell)):
            if (found := clock(cell.rstrip(":"))) is not None:
                times.append(found)
            else:
                names.append(cell)
        spoken = "" if _TIME_LINE.fullmatch(spoken) else spoken
        speaker = names[0] if names else speaker
        start = times[0] if times else start
        spoken = spoken.lstrip(":： ") if names else spoken
        if spoken:
            rows.append(Row(spoken, speaker, start))
            speaker, start = None, None
    return rows


def _lines(read: str) -> Iterator[str]:
    """The lines of the page. A break within a paragraph begins a new line where a turn begins after it, or where there
    are two."""
    for line in (line for line in read.split("\n") if _HEADING not in line):
        begun = ""
        for place, piece in enumerate(line.split(_BREAK)):
            bare = folded(re.sub(r"[\x01-\x05]", "", piece))
            if place and (not bare or piece.lstrip()[:1] in _OPENING or begins_turn(bare)):
                yield begun
                begun = ""
            begun += " " + piece
        yield begun


def _unmarked(line: str) -> tuple[str, list[str], list[float]]:
    """A line without its marks, and the names and times that these hold. What is too long for a name is text."""
    times = [found for stamp in _TIMED.findall(line) if (found := clock(stamp)) is not None]
    names = [name for mark in _MARKED.findall(line) if (name := folded(mark)) and len(name.split()) <= _NAME_WORDS]
    line = _TIMED.sub(" ", line)
    line = _MARKED.sub(lambda mark: " " if len(mark[1].split()) <= _NAME_WORDS else mark[1], line)
    return re.sub(r"[\x01-\x04]", "", line), names, times


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._hidden: list[str] = []
        self._mark: tuple[str, str] | None = None
        self._begun = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden:
            if tag in self._hidden:
                self._hidden.append(tag)
            return
        if tag in _LEFT_OUT:
            self._hidden.append(tag)
            return
        if tag in _BLOCKS:
            self._line()
        elif tag == "th":
            self.out.append(_HEADING)
        elif tag == "br":
            self.out.append(_BREAK)
        elif tag == "td" and self._begun:
            self._close()
            self.out.append(_CELL)
        named = dict(attrs)
        about = f"{named.get('class') or ''} {named.get('itemprop') or ''}"
        if tag in _NAMES or _SPEAKER.search(about):
            self._open(tag, "\x01", "\x02")
        elif tag == "time" or _TIME.search(about):
            self._open(tag, "\x03", "\x04")
        elif tag in _BOLD and not self._begun:
            self._open(tag, "**", "**")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag == self._hidden[-1]:
                self._hidden.pop()
            return
        if self._mark and self._mark[0] == tag:
            self._close()
        if tag in _BLOCKS:
            self._line()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._begun = self._begun or bool(data.strip())
            self.out.append(re.sub(r"[\s\x01-\x07]+", " ", data))

    def _open(self, tag: str, opening: str, closing: str) -> None:
        if self._mark is None:
            self._begun = False
            self.out.append(opening)
            self._mark = (tag, closing)

    def _close(self) -> None:
        if self._mark is not None:
            self.out.append(self._mark[1])
            self._mark = None

    def _line(self) -> None:
        if self._mark is not None and not self._begun:
            return  # what wraps a name is no line of its own
        self._close()
        self.out.append("\n")
        self._begun = False
