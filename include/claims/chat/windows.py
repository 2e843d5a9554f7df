"""A transcript as a chat model sees it: numbered lines, in parts of like length."""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from include.claims.untrusted import as_data, orders_cut
from include.transcripts.segment import Segment

OVERLAP_WORDS = 100
LINE_WORDS = 100
SHORT_LINE = 40
"""Segments of one speaker are put together until a line has so many words: captions have some ten a segment."""


@dataclass(frozen=True, slots=True)
class Line:
    """One numbered line of a transcript as the model sees it: some segments of one speaker, or a piece of a long
    one. `segments` are the first and the last of them."""

    number: int
    segments: tuple[int, int]
    shown: str
    word_count: int


def number_lines(segments: Sequence[Segment]) -> list[Line]:
    """The lines of a transcript, numbered from 1, each of some 40 words at least where its speaker says so many, and
    at most about `LINE_WORDS`. Segments without words, and sentences that speak to a model, are not shown."""
    lines: list[Line] = []
    for speaker, turn in itertools.groupby(segments, key=lambda segment: segment.speaker):
        name = as_data(speaker or "").replace(":", " ")[:60]
        for first, last, text in _gathered(list(turn)):
            for piece in _pieces(text):
                number = len(lines) + 1
                shown = f"[{number}] {name}: {piece}" if name else f"[{number}] {piece}"
                lines.append(Line(number, (first, last), shown, len(piece.split())))
    return lines


def _gathered(turn: Sequence[Segment]) -> Iterator[tuple[int, int, str]]:
    """What somebody says without a break, cut between segments: the first and the last of each piece, and its text."""
    texts: list[str] = []
    first = turn[0].index
    for segment, text in zip(turn, orders_cut([segment.text for segment in turn]), strict=True):
        if not texts:
            first = segment.index
        texts.append(as_data(text))
        if sum(len(text.split()) for text in texts) >= SHORT_LINE or segment is turn[-1]:
            yield first, segment.index, " ".join(filter(None, texts))
            texts = []


def split_windows(lines: Sequence[Line], window_words: int, overlap_words: int) -> list[list[Line]]:
    """The parts of a transcript that are read one by one: runs of lines that together hold every line, as few as can
    be with at most about `window_words` words each (one line at least), and of like length; each begins with the last
    `overlap_words` words of the one before."""
    total = sum(line.word_count for line in lines)
    if not total:
        return []
    parts = math.ceil(total / window_words)
    share = total / parts
    windows: list[list[Line]] = [[]]
    said = 0
    for line in lines:
        if windows[-1] and len(windows) < parts and said + line.word_count / 2 > share * len(windows):
            windows.append(_last(windows[-1], overlap_words))
        windows[-1].append(line)
        said += line.word_count
    return windows


def _last(lines: Sequence[Line], at_most: int) -> list[Line]:
    """The last lines that have no more words together, and never all."""
    kept, count = len(lines), 0
    while kept > 1 and count + lines[kept - 1].word_count <= at_most:
        kept -= 1
        count += lines[kept].word_count
    return list(lines[kept:])


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
