"""How well and how fast the speech model hears, as a Markdown table: part of `make evals`.

Measured on the sample's recording and, where they are, on the real recordings in `../shared`. Numbers are left out of
the comparison: "eleven percent" and "11%" are the same words, written in two ways.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from include.local.sample.server import FOLDER
from include.settings import PROJECT, settings
from include.transcripts import speech
from include.words import words

SHARED = PROJECT.parent / "shared" / "audio"
SAMPLE = FOLDER / "audio" / "second-opinion" / "house-call-3.mp3"

_NUMBERS = re.compile(
    r"\d|^(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|thousand|million|percent|dot|"
    r"(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|fifteenth)$"
)
_SPELT_OTHERWISE = {"colour": "color"}


@dataclass(frozen=True, slots=True)
class Said:
    """A recording and what is said in it."""

    recording: Path
    text: str


def main() -> int:
    if not SHARED.is_dir():
        print("No real recordings here.", file=sys.stderr)
    print("| speech heard by | recording | seconds | words | word error rate | times as fast as spoken |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name, said in (("sample, synthetic voice", [sample()]), ("real, clear speech", list(real()))):
        if not said:
            continue
        speech.transcribe(said[0].recording, "en")  # so that the model is loaded and the file read
        errors = spoken = 0
        seconds = 0.0
        started = time.perf_counter()
        for one in said:
            heard = speech.transcribe(one.recording, "en")
            errors += word_errors(one.text, " ".join(segment.text for segment in heard.segments))
            spoken += len(compared(one.text))
            seconds += heard.duration_seconds
        pace = seconds / (time.perf_counter() - started)
        print(f"| {settings().speech_model} | {name} | {seconds:.0f} | {spoken} | {errors / spoken:.3f} | {pace:.1f} |")
    return 0


def sample() -> Said:
    return Said(SAMPLE, SAMPLE.with_suffix(".txt").read_text(encoding="utf-8"))


def real() -> Iterator[Said]:
    """The real recordings whose text is certain."""
    if SHARED.is_dir():
        for row in json.loads((SHARED / "REFERENCE.json").read_text(encoding="utf-8")):
            if row["text"] and "unverified" not in row["text_source"]:
                yield Said(SHARED / row["file"], row["text"])


def word_errors(said: str, heard: str) -> int:
    """How many words were left out, put in or misheard: the edit distance in words."""
    wanted, given = compared(said), compared(heard)
    distances = list(range(len(given) + 1))
    for row, word in enumerate(wanted, 1):
        diagonal, distances[0] = distances[0], row
        for column, other in enumerate(given, 1):
            cheapest = min(distances[column] + 1, distances[column - 1] + 1, diagonal + (word != other))
            diagonal, distances[column] = distances[column], cheapest
    return distances[-1]


def compared(text: str) -> list[str]:
    """The words of a text without its numbers."""
    return [_SPELT_OTHERWISE.get(word, word) for word in words(text) if not _NUMBERS.search(word)]


if __name__ == "__main__":
    raise SystemExit(main())
