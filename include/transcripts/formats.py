"""Published transcripts: from the bytes of WebVTT, SRT, Podcasting 2.0 JSON, HTML or plain text to segments. Pure."""

import hashlib
import html
import io
import json
import re
from collections.abc import Sequence

import webvtt
from selectolax.lexbor import LexborHTMLParser

from include.sources.feeds import OfferedTranscript
from include.transcripts.segment import Segment
from include.words import words

FORMATS = ("json", "vtt", "srt", "html", "text")
"""Best first: formats that carry times and speakers, then those that may, then those that cannot."""

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
}
_SUFFIXES = {"json": "json", "vtt": "vtt", "srt": "srt", "html": "html", "htm": "html", "txt": "text"}
_NAMED = re.compile(r"^([A-Z][\w.'’-]*(?: (?:[A-Z][\w.'’-]*|de|van|von|der|la|bin|al)){0,3}):\s+(?=\S)")
_CLOCK = re.compile(r"^[\[(]?((?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?)[\])]?\s*")


class UnreadableTranscript(Exception):
    """The document is not what it was said to be, or holds no speech."""


def format_of(media_type: str, url: str) -> str | None:
    """The format a transcript is offered in, None where it is none that can be read."""
    known = _MEDIA_TYPES.get(media_type.split(";")[0].strip().lower())
    return known or _SUFFIXES.get(url.split("?")[0].rsplit(".", 1)[-1].lower())


def best_first(offers: Sequence[OfferedTranscript]) -> list[tuple[str, OfferedTranscript]]:
    """The readable offers with their formats, those with times and speakers first; English before other languages."""
    readable = [(kind, offer) for offer in offers if (kind := format_of(offer.type, offer.url))]

    def preference(entry: tuple[str, OfferedTranscript]) -> tuple[bool, int]:
        kind, offer = entry
        return (not (offer.language or "en").lower().startswith("en"), FORMATS.index(kind))

    return sorted(readable, key=preference)


def parse(content: bytes, kind: str) -> list[Segment]:
    """The segments of a transcript in one of FORMATS, in spoken order; times in seconds, None where it has none.

    Raises UnreadableTranscript where the document is not of that format or holds no words.
    """
    text = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    read = {"json": _json, "vtt": _vtt, "srt": _srt, "html": _html, "text": _text}[kind]
    try:
        found = read(text)
    except UnreadableTranscript:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, webvtt.errors.MalformedFileError) as error:
        raise UnreadableTranscript(f"not readable as {kind}: {type(error).__name__}: {error}") from error
    segments = [
        Segment(index, segment_text, speaker, start, end)
        for index, (speaker, start, end, segment_text) in enumerate(row for row in found if words(row[3]))
    ]
    if not segments:
        raise UnreadableTranscript(f"the {kind} document holds no speech")
    return segments


def word_count(segments: Sequence[Segment]) -> int:
    """How many words were said."""
    return sum(len(segment.text.split()) for segment in segments)


def content_hash(segments: Sequence[Segment]) -> str | None:
    """What names a transcript by its words, speakers and times; None where it has no segments."""
    text = "\n".join(f"{s.speaker}|{s.start_seconds}|{s.text}" for s in segments)
    return hashlib.sha256(text.encode()).hexdigest() if segments else None


_Row = tuple[str | None, float | None, float | None, str]


def _json(text: str) -> list[_Row]:
    rows = json.loads(text)["segments"]
    return [
        (_name(row.get("speaker")), _seconds(row.get("startTime")), _seconds(row.get("endTime")), _fold(row["body"]))
        for row in rows
    ]


def _vtt(text: str) -> list[_Row]:
    captions = webvtt.from_buffer(io.StringIO(text), format="vtt").captions
    return [_caption(caption, caption.voice) for caption in captions]


def _srt(text: str) -> list[_Row]:
    """SRT has no field for the speaker: by custom a cue begins with the name where the speaker changes."""
    rows: list[_Row] = []
    speaker: str | None = None
    for caption in webvtt.from_buffer(io.StringIO(text), format="srt").captions:
        named, start, end, spoken = _caption(caption, None)
        speaker = named or speaker
        rows.append((speaker, start, end, spoken))
    return rows


def _caption(caption: webvtt.Caption, voice: str | None) -> _Row:
    spoken = html.unescape(_fold(caption.text))
    named, spoken = (voice, spoken) if voice else _speaker(spoken)
    return _name(named), _clock(caption.start), _clock(caption.end), spoken


def _html(text: str) -> list[_Row]:
    tree = LexborHTMLParser(text)
    tree.strip_tags(["script", "style", "head", "nav", "header", "footer"])
    rows: list[_Row] = []
    speaker: str | None = None
    start: float | None = None
    for node in tree.css("cite, time, p, li, blockquote > :not(p)"):
        spoken = _fold(node.text(separator=" "))
        if node.tag == "cite":
            speaker = _name(spoken)
        elif node.tag == "time":
            start = _clock(spoken)
        else:
            named, spoken = (speaker, spoken) if speaker else _speaker(spoken)
            rows.append((named, start, None, spoken))
            speaker, start = None, None
    return rows or _text(tree.body.text(separator="\n") if tree.body else "")


def _text(text: str) -> list[_Row]:
    rows: list[_Row] = []
    for paragraph in re.split(r"\n\s*\n", text):
        spoken = _fold(paragraph)
        stamp = _CLOCK.match(spoken)
        spoken = spoken[stamp.end() :] if stamp else spoken
        named, spoken = _speaker(spoken)
        if stamp is None and (stamp := _CLOCK.match(spoken)):
            spoken = spoken[stamp.end() :]
        rows.append((named, _clock(stamp.group(1)) if stamp else None, None, spoken))
    return rows


def _speaker(spoken: str) -> tuple[str | None, str]:
    """Splits `Name: words` into its parts."""
    named = _NAMED.match(spoken)
    return (named.group(1), spoken[named.end() :]) if named else (None, spoken)


def _name(name: str | None) -> str | None:
    return _fold(name).rstrip(": ") or None if isinstance(name, str) else None


def _seconds(value: object) -> float | None:
    if isinstance(value, str):
        return _clock(value) if ":" in value else float(value)
    return float(value) if isinstance(value, int | float) else None


def _clock(text: str) -> float | None:
    """Seconds of `1:02:03.5`, `62:03` or `[00:12]`; None where it is no clock time."""
    if not (stamp := _CLOCK.match(text.strip())):
        return None
    seconds = 0.0
    for figure in stamp.group(1).replace(",", ".").split(":"):
        seconds = seconds * 60 + float(figure)
    return seconds


def _fold(text: str) -> str:
    return " ".join(text.split())
