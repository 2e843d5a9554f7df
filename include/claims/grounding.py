"""Is it in the transcript? Where a quote was said, by whom and when, and which facts of an insight nobody said.

A chat model is not believed: what it quotes is looked up here, and what it writes is compared with the words around the
quote. Pure functions of values; a transcript is indexed once (`WordIndex`), after which a look-up in 60,000 words
takes about a millisecond.
"""

import bisect
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz

from include.claims.untrusted import legible
from include.transcripts.segment import Segment
from include.words import WORD, words

SHORTEST_QUOTE = 6
LONGEST_QUOTE = 120
CLOSE = 85.0
"""How alike, of 100, a quote and the words it is snapped to must be: see `WordIndex.locate`."""

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s*$")
_SEED = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a transcript: words `first_word` to `last_word`, both included, counted from 0 in the episode."""

    first_word: int
    last_word: int
    quote: str
    first_segment: int
    last_segment: int
    speakers: tuple[str, ...]
    start_seconds: float | None
    likeness: float


class WordIndex:
    """The words of an episode, indexed for look-ups. Segments are taken in the order given."""

    def __init__(self, segments: Sequence[Segment]):
        self.segments = list(segments)
        self._texts = [legible(segment.text) for segment in self.segments]
        self.words: list[str] = []
        self._where: list[tuple[int, int, int]] = []
        for position, text in enumerate(self._texts):
            for match in WORD.finditer(text):
                for word in words(match.group()):
                    self.words.append(word)
                    self._where.append((position, match.start(), match.end()))
        self._joined = f" {' '.join(self.words)} "
        self._offsets = []
        offset = 1
        for word in self.words:
            self._offsets.append(offset)
            offset += len(word) + 1
        self._positions = {segment.index: position for position, segment in enumerate(self.segments)}

    def locate(self, quote: str, around: tuple[int, int] | None = None) -> Place | None:
        """Where a quote stands: the same words in the same order, else the true words that it is a close copy of.

        `around` names the first and last segment where it is said to be; of several places the nearest wins. A copy is
        close where the span of true words is at least `CLOSE` of 100 alike, by characters (rapidfuzz's normalised
        Indel likeness) and by whole words; the place then bears the true words, not the copy's. Quotes of fewer than
        `SHORTEST_QUOTE` words must be the same. None where there is no such place.
        """
        wanted = words(quote)
        if not wanted:
            return None
        expected = self._span_of_segments(around)
        exact = self._exact(wanted, expected)
        if exact is not None:
            return self.place(exact, exact + len(wanted) - 1)
        if len(wanted) < SHORTEST_QUOTE:
            return None
        close = self._close(wanted, expected)
        return None if close is None else self.place(close[0], close[1], close[2])

    def place(self, first_word: int, last_word: int, likeness: float = 100.0) -> Place:
        """The place from one word to another, with its verbatim text on one line."""
        first, start, _ = self._where[first_word]
        last, _, end = self._where[last_word]
        texts = []
        for position in range(first, last + 1):
            text = self._texts[position]
            texts.append(
                text[start if position == first else 0 : self._with_closing(text, end) if position == last else None]
            )
        spoken = Counter(self._where[i][0] for i in range(first_word, last_word + 1))
        speakers: Counter[str] = Counter()
        for position, count in spoken.items():
            if speaker := self.segments[position].speaker:
                speakers[speaker] += count
        return Place(
            first_word=first_word,
            last_word=last_word,
            quote=" ".join(" ".join(texts).split()),
            first_segment=self.segments[first].index,
            last_segment=self.segments[last].index,
            speakers=tuple(name for name, _ in speakers.most_common()),
            start_seconds=self._seconds_before(first),
            likeness=round(likeness, 1),
        )

    def whole_sentences(self, place: Place, reach: int = 15) -> Place:
        """The place from the start of its first sentence to the end of its last, where these are at most `reach`
        words away in the same segment, and cut at a sentence's end where it is longer than `LONGEST_QUOTE` words.

        A transcript without punctuation has no sentences to complete: its place stays as it is.
        """
        first = self._within_reach(place.first_word, -1, reach, self._starts_sentence)
        last = self._within_reach(place.last_word, 1, reach, self._ends_sentence)
        if last - first + 1 > LONGEST_QUOTE:
            longest = first + LONGEST_QUOTE - 1
            ends = [i for i in range(first + SHORTEST_QUOTE - 1, longest + 1) if self._ends_sentence(i)]
            last = ends[-1] if ends else longest
        if (first, last) == (place.first_word, place.last_word):
            return place
        return self.place(first, last, place.likeness)

    def around(self, place: Place, reach: int, segments: tuple[int, int] | None = None) -> str:
        """The text of the whole segments that hold the words from `reach` before the place to `reach` after it, and of
        these segments, the first and the last of them, where the place lies among them."""
        first = self._where[max(place.first_word - reach, 0)][0]
        last = self._where[min(place.last_word + reach, len(self.words) - 1)][0]
        if segments and segments[0] <= place.first_segment <= segments[1]:
            first = min(first, self._positions.get(segments[0], first))
            last = max(last, self._positions.get(segments[1], last))
        return " ".join(self._texts[first : last + 1])

    @property
    def text(self) -> str:
        """All that was said."""
        return "\n".join(self._texts)

    @cached_property
    def speakers(self) -> frozenset[str]:
        return frozenset(segment.speaker for segment in self.segments if segment.speaker)

    @cached_property
    def _seeds(self) -> dict[tuple[str, ...], list[int]]:
        seeds: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for i in range(len(self.words) - _SEED + 1):
            seeds[tuple(self.words[i : i + _SEED])].append(i)
        return seeds

    def _exact(self, wanted: list[str], expected: tuple[int, int] | None) -> int | None:
        needle = f" {' '.join(wanted)} "
        found = []
        at = self._joined.find(needle)
        while at != -1:
            found.append(bisect.bisect_left(self._offsets, at + 1))
            if expected is None or len(found) > 1000:
                break
            at = self._joined.find(needle, at + 1)
        return min(found, key=lambda i: _distance(i, expected), default=None)

    def _close(self, wanted: list[str], expected: tuple[int, int] | None) -> tuple[int, int, float] | None:
        """Runs of three words that the quote shares with the transcript vote for where it would begin; the places with
        the most votes are aligned word by word."""
        votes: Counter[int] = Counter()
        for offset in range(len(wanted) - _SEED + 1):
            places = self._seeds.get(tuple(wanted[offset : offset + _SEED]), ())
            if len(places) <= 200:
                votes.update((place - offset) // 8 for place in places)
        neighbours = {bucket: votes[bucket] + votes[bucket + 1] + votes[bucket - 1] for bucket in votes}
        likely = sorted(neighbours, key=lambda b: (-neighbours[b], _distance(b * 8, expected), b))[:6]
        margin = max(12, len(wanted) // 2)
        best = None
        for bucket in likely:
            low = max(bucket * 8 - margin, 0)
            span = self._aligned(wanted, low, min(bucket * 8 + 8 + len(wanted) + margin, len(self.words)))
            if span is not None and (best is None or span[2] > best[2]):
                best = span
        return best

    def _aligned(self, wanted: list[str], low: int, high: int) -> tuple[int, int, float] | None:
        """The span of words in [low, high) that the quote is a close copy of, and how close."""
        there = self.words[low:high]
        rough = fuzz.partial_ratio_alignment(wanted, there, score_cutoff=CLOSE - 25)
        if rough is None:
            return None
        copy = " ".join(wanted)
        start, end = rough.dest_start, rough.dest_end
        reach = max(4, len(wanted) // 5)
        starts = range(max(start - reach, 0), min(start + reach, end - 1) + 1)
        start = max(starts, key=lambda i: (fuzz.ratio(copy, " ".join(there[i:end])), -abs(i - rough.dest_start)))
        ends = range(max(end - reach, start + 1), min(end + reach, len(there)) + 1)
        end = max(ends, key=lambda i: (fuzz.ratio(copy, " ".join(there[start:i])), -abs(i - rough.dest_end)))
        letters = fuzz.ratio(copy, " ".join(there[start:end]))
        if letters < CLOSE or fuzz.ratio(wanted, there[start:end]) < CLOSE - 8:
            return None
        return low + start, low + end - 1, letters

    def _span_of_segments(self, around: tuple[int, int] | None) -> tuple[int, int] | None:
        if around is None or not self.words:
            return None
        first, last = self._positions.get(around[0]), self._positions.get(around[1])
        if first is None or last is None:
            return None
        low = bisect.bisect_left(self._where, (min(first, last), 0, 0))
        high = bisect.bisect_left(self._where, (max(first, last) + 1, 0, 0))
        return low, max(high - 1, low)

    def _seconds_before(self, position: int) -> float | None:
        for earlier in range(position, -1, -1):
            if self.segments[earlier].start_seconds is not None:
                return self.segments[earlier].start_seconds
        return None

    def _within_reach(self, word: int, step: int, reach: int, holds: Callable[[int], bool]) -> int:
        """The nearest word from this one on, in one direction, of which that holds; the word itself where there is none
        in the same segment within reach."""
        segment = self._where[word][0]
        for other in range(word, word + step * (reach + 1), step):
            if not 0 <= other < len(self.words) or self._where[other][0] != segment:
                break
            if holds(other):
                return other
        return word

    def _starts_sentence(self, word: int) -> bool:
        position, start, _ = self._where[word]
        before = self._texts[position][:start].rstrip("\"'“‘([ \t-—–")
        return not before or bool(_SENTENCE_END.search(before))

    def _ends_sentence(self, word: int) -> bool:
        position, _, end = self._where[word]
        text = self._texts[position]
        following = (
            self._where[word + 1][1]
            if word + 1 < len(self._where) and self._where[word + 1][0] == position
            else len(text)
        )
        return bool(_SENTENCE_END.search(text[end:following]))

    @staticmethod
    def _with_closing(text: str, end: int) -> int:
        """Where the quote ends with the punctuation that belongs to its last word."""
        match = re.compile(r"[%.!?…]*[\"'”’)\]]*").match(text, end)
        return match.end() if match else end


def matching_speaker(named: str, speakers: Iterable[str]) -> str | None:
    """The one of `speakers` that a name means: the same words, or part of the full name ("Liz" for "Liz Rice")."""
    wanted = set(words(named))
    if not wanted:
        return None
    candidates = list(speakers)
    for candidate in candidates:
        if set(words(candidate)) == wanted:
            return candidate
    parts = [c for c in candidates if wanted < set(words(c)) or wanted > set(words(c)) > set()]
    return parts[0] if len(parts) == 1 else None


def _distance(word: int, expected: tuple[int, int] | None) -> int:
    if expected is None:
        return 0
    return max(expected[0] - word, word - expected[1], 0)
