"""A quote in its place: what was said right before and after it, and by whom."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

import duckdb

from include.digest.queries import ask
from include.digest.shown import one_line
from include.words import WORD, words

SQL = Path(__file__).parent / "sql"

SENTENCES = 2
"""How many are shown before and after, besides the rest of those that the quote stands in."""

LONGEST_SIDE = 70
"""Words that are shown on one side at most: captions may have no sentences."""

_SENTENCE = re.compile(r"\S.*?(?:[.!?…]+[\"'”’)\]]*(?=\s|$)|$)")
_COMPLETE = re.compile(r"[.!?…][\"'”’)\]]*\s*$")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says in one go, on one line; `quoted` is what of it the claim quotes."""

    speaker: str | None
    before: str
    quoted: str
    after: str


def read_passages(connection: duckdb.DuckDBPyConnection, since: date) -> dict[str, list[Turn]]:
    """The quote of each claim in its place, by claim, for the pages that changed on that day or later."""
    return {
        row["claim_id"]: passage(((said["speaker"], said["text"]) for said in row["said"]), row["quote"])
        for row in ask(connection, SQL / "passages.sql", since=since)
    }


def passage(said: Iterable[tuple[str | None, str]], quote: str) -> list[Turn]:
    """The quote with two sentences before and after it, out of segments in their order; empty where it is not there."""
    turns = [
        (one_line(speaker, 100) or None, one_line(" ".join(text or "" for _, text in segments), 100_000))
        for speaker, segments in groupby(said, key=lambda segment: segment[0])
    ]
    place = _find([text for _, text in turns], words(one_line(quote, 100_000)))
    if place is None:
        return []
    (first, start), (last, end) = place
    before = [text[:start] if i == first else text for i, (_, text) in enumerate(turns[: first + 1])]
    after = [text[end:] if i == last else text for i, (_, text) in enumerate(turns[last:], last)]
    is_whole = not before[-1].strip() or bool(_COMPLETE.search(before[-1]))
    nearest = [(i, sentence) for i, text in reversed(list(enumerate(before))) for sentence in reversed(_cut(text))]
    lead = _nearest(nearest, is_whole, backwards=True)
    is_whole = bool(_COMPLETE.search(turns[last][1][start if first == last else 0 : end]))
    trail = _nearest([(i, sentence) for i, text in enumerate(after, last) for sentence in _cut(text)], is_whole)
    return [
        Turn(
            turns[i][0],
            " ".join(reversed([sentence for at, sentence in lead if at == i])),
            turns[i][1][start if i == first else 0 : end if i == last else None] if first <= i <= last else "",
            " ".join(sentence for at, sentence in trail if at == i),
        )
        for i in range(min([first, *(at for at, _ in lead)]), max([last, *(at for at, _ in trail)]) + 1)
    ]


def _find(texts: Sequence[str], wanted: Sequence[str]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Where the words begin and end: which text, and which character of it."""
    spans = [(i, match.start(), match.end()) for i, text in enumerate(texts) for match in WORD.finditer(text)]
    there = [word for i, start, end in spans for word in words(texts[i][start:end])]
    if not wanted or len(there) != len(spans):
        return None
    places = (at for at in range(len(there) - len(wanted) + 1) if there[at : at + len(wanted)] == list(wanted))
    at = next(places, None)
    if at is None:
        return None
    (first, start, _), (last, _, end) = spans[at], spans[at + len(wanted) - 1]
    closing = re.compile(r"[%.!?…,;:]*[\"'”’)\]]*").match(texts[last], end)
    return (first, start), (last, closing.end() if closing else end)


def _cut(text: str) -> list[str]:
    return [match.group().rstrip() for match in _SENTENCE.finditer(text)]


def _nearest(sentences: Sequence[tuple[int, str]], is_whole: bool, backwards: bool = False) -> list[tuple[int, str]]:
    """The nearest sentences, those given first being the nearest. A word or two are no sentence, and where the quote is
    not whole, the first completes it. One that is too long is cut at its far end."""
    kept: list[tuple[int, str]] = []
    left, room = SENTENCES + (not is_whole), LONGEST_SIDE
    for turn, sentence in sentences:
        spoken = sentence.split()
        if len(spoken) > room:
            sentence = " ".join(["…", *spoken[-room:]] if backwards else [*spoken[:room], "…"])
        kept.append((turn, sentence))
        left, room = left - (len(spoken) > 2), room - len(spoken)
        if left == 0 or room <= 0:
            break
    return kept
