"""A transcript as a chat model sees it: numbered lines, in windows that overlap."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from include.claims.untrusted import as_data, orders_cut
from include.transcripts.segment import Segment

WINDOW_WORDS = 2500
OVERLAP_WORDS = 250
LINE_WORDS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One numbered line of a transcript as the model sees it: a segment, or a piece of a long one."""

    number: int
    segment: int
    shown: str
    word_count: int


def number_lines(segments: Sequence[Segment]) -> list[Line]:
    """The lines of a transcript, numbered from 1, each at most about `LINE_WORDS` words. Segments without words, and
    sentences that speak to a model, are not shown."""
    lines: list[Line] = []
    turns = itertools.groupby(segments, key=lambda segment: segment.speaker)
    texts = [text for _, turn in turns for text in orders_cut([segment.text for segment in turn])]
    for segment, text in zip(segments, texts, strict=True):
        speaker = as_data(segment.speaker or "").replace(":", " ")[:60]
        for piece in _pieces(as_data(text)):
            number = len(lines) + 1
            shown = f"[{number}] {speaker}: {piece}" if speaker else f"[{number}] {piece}"
            lines.append(Line(number, segment.index, shown, len(piece.split())))
    return lines


def split_windows(lines: Sequence[Line], window_words: int, overlap_words: int) -> list[list[Line]]:
    """Runs of lines of at most `window_words` words (one line at least) that together hold every line; each begins
    with the last `overlap_words` words of the one before."""
    windows: list[list[Line]] = []
    start = 0
    while start < len(lines):
        end, count = start, 0
        while end < len(lines) and (end == start or count + lines[end].word_count <= window_words):
            count += lines[end].word_count
            end += 1
        windows.append(list(lines[start:end]))
        if end == len(lines):
            break
        back, shared = end, 0
        while back - 1 > start and shared + lines[back - 1].word_count <= overlap_words:
            back -= 1
            shared += lines[back].word_count
        start = back
    return windows


def _pieces(text: str) -> Iterator[str]:
    """A long text cut at sentences' ends, or, where these are far apart, between words."""
    piece: list[str] = []
    for word in text.split():
        piece.append(word)
        full = len(piece) >= LINE_WORDS
        if len(piece) >= LINE_WORDS * 2 or (full and re.search(r"[.!?…][\"'”’)]*$", word)):
            yield " ".join(piece)
            piece = []
    if piece:
        yield " ".join(piece)
