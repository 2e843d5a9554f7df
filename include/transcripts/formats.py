"""Published transcripts: from the bytes of WebVTT, SRT, JSON, HTML or plain text to segments. Pure."""

import codecs
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from urllib.parse import urlsplit

from include.sources.feeds import OfferedTranscript
from include.transcripts import captions, json_rows, markup, speakers
from include.transcripts.row import CLOCK, Row, clock, folded
from include.transcripts.segment import Segment
from include.words import words

FORMATS = ("json", "vtt", "srt", "html", "text")
"""Best first: formats that carry times and speakers, then those that may, then those that cannot."""

UNKNOWN = "unknown"
"""The format of an offer that does not say it: what it is shows when it is read."""

LONGEST = 1_000
"""Words of a segment; a longer one is cut into pieces of at most PIECE words, at the ends of sentences where it can."""
PIECE = 300

_MEDIA_TYPES = {
    "application/json": "json",
    "text/json": "json",
    "text/vtt": "vtt",
    "application/x-subrip": "srt",
    "application/srt": "srt",
    "text/srt": "srt",
    "application/x-srt": "srt",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "text",
    "text/markdown": "text",
}
_SUFFIXES = {"json": "json", "vtt": "vtt", "srt": "srt", "html": "html", "htm": "html", "txt": "text", "md": "text"}
_NEVER_TEXT = re.compile(r"^(?:audio|video|image|font)/|pdf|msword|officedocument|opendocument|epub|zip")
_CHARSET = re.compile(rb"(?i)<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]+)")
_PAGE = re.compile(
    r"(?is)\s*(?:<!--.*?-->\s*)*<(?:!doctype|html|head|body|div|p|article|section|main|cite|dl|ul|table|time)\b"
)
_TAGS = re.compile(r"(?i)</(?:p|div|span|cite|strong|b|li|dd|td|time|h\d)>|<(?:br|p)\b")
_STAMP = re.compile(rf"[\[(]({CLOCK})[\])]")
_LEADING = re.compile(rf"({CLOCK})\b(?:\s*[-–—]\s*{CLOCK}\b)?[:,]?(?=\s|$)\s*")
_TRAILING = re.compile(rf"\s[\[(]?({CLOCK})[\])]?:?$")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")


class UnreadableTranscript(Exception):
    """The document is not what it was said to be, or holds no speech."""


@dataclass(frozen=True, slots=True)
class Document:
    """A transcript that was read: its real format, its segments, and how many of its rows could not be used."""

    format: str
    segments: tuple[Segment, ...]
    unusable_rows: int = 0


def format_of(media_type: str, url: str) -> str | None:
    """The format a transcript is offered in, UNKNOWN where the offer does not say it, None where it is none that can
    be read."""
    declared = media_type.split(";")[0].strip().lower()
    name = urlsplit(url).path.rsplit("/", 1)[-1].lower()
    suffix = name.rsplit(".", 1)[-1] if "." in name else ""
    known = _MEDIA_TYPES.get(declared) or _SUFFIXES.get(suffix)
    return known or (None if _NEVER_TEXT.search(declared) or _NEVER_TEXT.search(suffix) else UNKNOWN)


def best_first(offers: Sequence[OfferedTranscript]) -> list[tuple[str, OfferedTranscript]]:
    """The readable offers with their formats, those with times and speakers first; English before other languages."""
    readable = [(kind, offer) for offer in offers if (kind := format_of(offer.type, offer.url))]
    order = (*FORMATS, UNKNOWN)

    def preference(entry: tuple[str, OfferedTranscript]) -> tuple[bool, int]:
        kind, offer = entry
        return (not (offer.language or "en").lower().startswith("en"), order.index(kind))

    return sorted(readable, key=preference)


def parse(content: bytes, kind: str, charset: str | None = None, notes: str = "") -> list[Segment]:
    """The segments alone of what `read` gives."""
    return list(read(content, kind, charset, notes).segments)


def read(content: bytes, kind: str = UNKNOWN, charset: str | None = None, notes: str = "") -> Document:
    """The segments of a transcript that was offered as one of FORMATS, in spoken order; times in seconds, None where it
    has none. What it is shows in its content: captions and JSON are read as such whatever they were called.

    `charset` is the one that the answer named; `notes` what the episode's title, description and persons say, in which
    the names of speakers are looked up. Raises UnreadableTranscript where the document is of none of the formats, is a
    page in the place of what was offered, or holds no words.
    """
    text = decoded(content, charset).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    unusable = 0
    found = json_rows.whole(text)
    if found is not None:
        kind = "json"
        rows, unusable = json_rows.rows(found)
    elif captions.has_cues(text):
        kind = "vtt" if text.lstrip("\ufeff\u200e\u200f \n")[:6].upper() == "WEBVTT" else "srt"
        rows = captions.cues(text)
    elif kind in ("json", "vtt", "srt"):
        raise UnreadableTranscript(f"not readable as {kind}: it begins with {folded(text[:200])[:60]!r}")
    else:
        is_page = bool(_PAGE.match(text)) or (kind == "html" and bool(_TAGS.search(text)))
        kind = "html" if is_page else "text"
        rows = _stamped(markup.lines(text) if is_page else _paragraphs(text))
    pieces = [piece for row in speakers.named(rows, notes) for piece in _cut(row) if words(piece.text)]
    if not pieces:
        raise UnreadableTranscript(f"the {kind} document holds no speech")
    segments = (Segment(i, row.text, row.speaker, row.start, end) for i, (row, end) in enumerate(_ends(pieces)))
    return Document(kind, tuple(segments), unusable)


def decoded(content: bytes, charset: str | None = None) -> str:
    """The text of a document: by the mark at its head, by what the answer or the page says, as UTF-8, else by trial."""
    for mark, codec in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(codec, errors="replace")
    head = content[:2_000]
    if head.count(0) > len(head) // 4:
        return content.decode("utf-16-le" if head[1:2] == b"\0" else "utf-16-be", errors="replace")
    page = _CHARSET.search(head)
    if (text := _utf8(content)) is not None:
        return text
    named = (charset, page[1].decode("ascii") if page else None)
    for codec in filter(None, named):
        try:
            return content.decode(codec)
        except (UnicodeError, LookupError):
            continue
    from charset_normalizer import from_bytes

    best = from_bytes(content[:200_000]).best()
    return content.decode(best.encoding if best else "cp1252", errors="replace")


def _utf8(content: bytes) -> str | None:
    """The text of a document in UTF-8, None where it is in another encoding. Speech models cut letters apart now and
    then: where there are two whole letters of several bytes to each stray byte, these go."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("utf-8", errors="ignore")
    kept = len(text.encode())
    whole = sum(letter > "\x7f" for letter in text)
    return text if whole >= 2 * (len(content) - kept) else None


def word_count(segments: Sequence[Segment]) -> int:
    """How many words were said."""
    return sum(len(segment.text.split()) for segment in segments)


def content_hash(segments: Sequence[Segment]) -> str | None:
    """What names a transcript by its words, speakers and times; None where it has no segments."""
    text = "\n".join(f"{s.speaker}|{s.start_seconds}|{s.text}" for s in segments)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest() if segments else None


def _ends(rows: Sequence[Row]) -> Iterator[tuple[Row, float | None]]:
    """Each row with when it ends: where that would be before it starts, when the next one starts, as far as that can
    be."""
    for row, following in zip_longest(rows, (following.start for following in rows[1:])):
        end = row.end
        if row.start is not None and end is not None and end < row.start:
            end = following if following is not None and following >= row.start else None
        yield row, end


def _paragraphs(text: str) -> list[Row]:
    """Plain text: what stands between blank lines, and a line of its own for each that begins with a time or a name."""
    rows: list[Row] = []
    for paragraph in re.split(r"\n\s*\n", text):
        begun: list[str] = []
        for line in filter(None, map(folded, paragraph.split("\n"))):
            if begun and speakers.begins_turn(line):
                rows.append(Row(" ".join(begun)))
                begun = []
            begun.append(re.sub(r"^(?:#{1,6}|[*-]) ", "", line))
            if _TRAILING.search(line) and len(line.split()) <= 6:
                rows.append(Row(" ".join(begun)))
                begun = []
        if begun:
            rows.append(Row(" ".join(begun)))
    return rows


def _stamped(rows: Sequence[Row]) -> list[Row]:
    """The rows without the times in their text. What is a time, or a name and a time, is the head of what follows."""
    out: list[Row] = []
    speaker: str | None = None
    start: float | None = None
    for row in rows:
        text, times = row.text, [row.start]
        if (leading := _LEADING.match(text)) and (found := clock(leading[1])) is not None:
            text, times = text[leading.end() :], [*times, found]
        if (trailing := _TRAILING.search(text)) and len(text.split()) <= 6:
            times.append(clock(trailing[1]))
            speaker, text = text[: trailing.start()].strip(" :"), ""
        times += map(clock, _STAMP.findall(text))
        text = folded(_STAMP.sub(" ", text))
        text = re.sub(r"^([^:]{1,60}) :", r"\1:", text)
        start = next((time for time in times if time is not None), start)
        if text:
            out.append(replace(row, text=text, speaker=row.speaker or speaker, start=start))
            speaker, start = None, None
        else:
            speaker = row.speaker or speaker
    return out


def _cut(row: Row) -> list[Row]:
    """A row, or, where it has more than LONGEST words, its pieces; the first bears the time."""
    spoken = row.text.split()
    if len(spoken) <= LONGEST:
        return [row]
    pieces: list[Row] = []
    begin = 0
    for place in range(len(spoken)):
        size = place + 1 - begin
        if size >= PIECE or (size >= PIECE // 2 and _SENTENCE_END.search(spoken[place])) or place + 1 == len(spoken):
            piece = replace(row, text=" ".join(spoken[begin : place + 1]))
            pieces.append(piece if not pieces else replace(piece, start=None, end=None))
            begin = place + 1
    return pieces
