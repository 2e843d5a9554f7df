"""AssemblyAI's answer about a transcript, in the project's own terms. Pure."""

from collections.abc import Mapping
from typing import Any

from include.transcripts.segment import Segment

STATUSES = ("queued", "processing", "completed", "error")
_SENTENCE_ENDS = (".", "!", "?", "…")


def is_deleted(transcript: Mapping[str, Any]) -> bool:
    """Whether somebody had the service delete it: that is what it then gives for the address of the audio."""
    return "deleted_by_user" in str(transcript.get("audio_url")).replace(" ", "_")


def segments(transcript: Mapping[str, Any]) -> list[Segment]:
    """The utterances, sentence by sentence, each with its own times in seconds and a speaker such as `Speaker A`.

    An utterance runs on for as long as one person speaks, often minutes: a quote in it would have no usable time.
    Raises KeyError, TypeError or ValueError where the answer is not of the form that the service specifies.
    """
    found: list[Segment] = []
    for utterance in transcript.get("utterances") or ():
        sentence: list[Mapping[str, Any]] = []
        words = utterance.get("words") or [utterance]
        for word in words:
            sentence.append(word)
            if word["text"].endswith(_SENTENCE_ENDS) or word is words[-1]:
                text = " ".join(part["text"].strip() for part in sentence)
                start, end = sentence[0]["start"] / 1000, sentence[-1]["end"] / 1000
                found.append(Segment(len(found), text, _speaker(utterance), start, end))
                sentence = []
    return [segment for segment in found if segment.text]


def _speaker(utterance: Mapping[str, Any]) -> str | None:
    label = str(utterance.get("speaker") or "").strip()
    return f"Speaker {label}" if label else None
