"""Transcripts in JSON: Podcasting 2.0's own spelling, Whisper's, and those of the usual services. Pure."""

import json
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from include.transcripts.row import Row, folded, seconds

_LISTS = (
    "segments",
    "utterances",
    "monologues",
    "chunks",
    "transcription",
    "transcript",
    "cues",
    "captions",
    "results",
    "word_segments",
    "words",
    "items",
    "channels",
)
_TEXTS = ("body", "text", "transcript", "content", "value", "utterance", "punctuated_word", "word")
_SPEAKERS = ("speaker", "speaker_name", "speakerName", "speaker_label", "name")
_TIMES = ("startTime", "start", "start_time", "begin", "ts", "offset"), ("endTime", "end", "end_time", "end_ts", "stop")
_IN_MILLISECONDS = ("startMs", "start_ms"), ("endMs", "end_ms")
_LONGEST_SENTENCE = 60
_CLOSING = re.compile(r"[,.;:!?…%)\]}”’]+$|['’](?:s|t|re|ve|ll|d|m)$")
_ENDED = re.compile(r"[.!?…。！？][\"'”’)\]]*$")


def whole(text: str) -> Any:
    """The document where it is JSON with a list or an object at its head, or a row a line, else None."""
    start = text.lstrip("\ufeff\u200e\u200f \t\n")
    if not start.startswith(("{", "[")):
        return None
    try:
        return json.loads(start)
    except RecursionError:
        return None
    except ValueError:
        return _lines(start)


def _lines(text: str) -> Any:
    """A row a line, else None."""
    try:
        found = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return None
    return found if all(isinstance(row, dict) for row in found) else None


def rows(document: Any) -> tuple[list[Row], int]:
    """The rows in spoken order, and how many could not be used. A row a word becomes one a sentence."""
    listed, millis = _listed(document)
    read = [_row(entry, millis) for entry in listed]
    found = [row for row in read if row is not None and row.text]
    if found and statistics.median(len(row.text.split()) for row in found) <= 2:
        found = _sentences(found)
    return found, sum(row is None for row in read)


def _listed(document: Any) -> tuple[Sequence[Any], bool]:
    """The list that holds the rows, and whether its times are milliseconds."""
    if isinstance(document, list):
        return document, False
    for name in _LISTS:
        inner = document.get(name)
        if isinstance(inner, list) and any(isinstance(entry, dict) for entry in inner):
            return inner, name == "utterances" and _whole_numbers(inner)
        if isinstance(inner, dict):
            deeper, millis = _listed(inner)
            if deeper:
                return deeper, millis
    whole_text = next((document[name] for name in _TEXTS if isinstance(document.get(name), str)), None)
    return ([{"text": whole_text}] if whole_text else []), False


def _whole_numbers(entries: Sequence[Any]) -> bool:
    starts = [entry.get("start") for entry in entries if isinstance(entry, dict)]
    return all(isinstance(start, int) for start in starts)


def _row(entry: Any, millis: bool) -> Row | None:
    if not isinstance(entry, Mapping):
        return None
    if isinstance(guesses := entry.get("alternatives"), list) and guesses and isinstance(guesses[0], Mapping):
        entry = {**guesses[0], **entry}
    text = next((entry[name] for name in _TEXTS if isinstance(entry.get(name), str)), None)
    if text is None and isinstance(entry.get("elements"), list):
        parts = [part for part in entry["elements"] if isinstance(part, dict) and isinstance(part.get("value"), str)]
        text = "".join(part["value"] for part in parts)
        entry = {**entry, "ts": next((part["ts"] for part in parts if "ts" in part), None)}
    if text is None:
        return None
    speaker = next((entry[name] for name in _SPEAKERS if isinstance(entry.get(name), str | int)), None)
    speaker = None if isinstance(speaker, bool) else f"Speaker {speaker}" if isinstance(speaker, int) else speaker
    unit = 0.001 if millis else 1.0
    start, end = (_time(entry, place, unit) for place in (0, 1))
    return Row(folded(text), folded(speaker or "") or None, start, end)


def _time(entry: Mapping[str, Any], place: int, unit: float) -> float | None:
    """The start (0) or the end (1) of a row. whisper.cpp has them in `offsets`, in milliseconds, and as clocks in
    `timestamps`, others in a pair `timestamp`."""
    found = [seconds(entry[name], unit) for name in _TIMES[place] if name in entry]
    found += [seconds(entry[name], 0.001) for name in _IN_MILLISECONDS[place] if name in entry]
    if isinstance(offsets := entry.get("offsets"), Mapping):
        found.append(seconds(offsets.get(("from", "to")[place]), 0.001))
    if isinstance(stamps := entry.get("timestamps"), Mapping):
        found.append(seconds(stamps.get(("from", "to")[place])))
    if isinstance(pair := entry.get("timestamp"), list) and len(pair) == 2:
        found.append(seconds(pair[place]))
    return next((time for time in found if time is not None), None)


def _sentences(rows: Sequence[Row]) -> list[Row]:
    """Words put together up to the end of a sentence or a change of speaker."""
    out: list[Row] = []
    for row in rows:
        last = out[-1] if out else None
        joins = bool(_CLOSING.fullmatch(row.text))
        same = last is not None and (row.speaker in (None, last.speaker))
        if last is not None and same and (joins or not _ended(last.text)):
            text = last.text + ("" if joins else " ") + row.text
            out[-1] = replace(last, text=text, end=row.end if row.end is not None else last.end)
        else:
            out.append(row)
    return out


def _ended(text: str) -> bool:
    return bool(_ENDED.search(text)) or text.count(" ") + 1 >= _LONGEST_SENTENCE
