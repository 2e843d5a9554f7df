"""Whether a transcript can be the whole of what was said: marks for one cut short, stuck or in another language.

A mark is a warning and no verdict: the transcript is used all the same, and what is made of it carries the mark. Pure.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from include.transcripts.segment import Segment
from include.words import words

MARKS: Mapping[str, str] = {
    "empty": "it holds no words",
    "other_language": "it is not in the language of the show",
    "few_words": "it has far fewer words than are said in so long a time",
    "many_words": "it has more words than can be said in so short a time",
    "repeated": "it says the same over and over, as speech models do when they are stuck",
    "truncated": "it ends long before the recording does",
    "holes": "long stretches in it are without words",
}
"""What each mark says of a transcript, in words for people."""

FEWEST_A_MINUTE = 80
MOST_A_MINUTE = 280
"""Words a minute; real episodes had 108 to 221. Without times, only this tells that half of a transcript is missing."""
SECONDS_A_WORD = 0.6
"""How long a word is taken to last where times are checked: slow speech, so that nothing spoken counts as unspoken."""
UNSPOKEN_SHARE = 0.1
UNSPOKEN_SECONDS = 90.0, 600.0
"""A recording may go on after the last word for a tenth of its length, at least and at most for so many seconds. Real
episodes did so for 60 seconds."""
HOLES_SHARE = 0.2
"""How much of a recording may be without words before its end, for music and for what a publisher left out; in real
episodes it was a tenth."""
LOOP_WORDS = 30
LOOP_TURNS = 5
LOOP_PHRASE = 30
"""A loop is a phrase of up to LOOP_PHRASE words that is said LOOP_TURNS times on end, LOOP_WORDS words or more."""
REPEATED_SHARE = 0.2
"""How much of a transcript may be lines of four words or more that were there before, word for word."""
FEWEST_WORDS = 100
"""What needs a good many words to be judged is judged from so many on."""
FEWEST_COMMON = 0.08
ENGLISH_SHARE = 0.2
"""Shares of the common words of a language among all words: at least so many in it; so many only in English. In real
English episodes the share was 0.23 to 0.37, that of any other language at most 0.08."""

_COMMON = {
    "da": "og i at det er en til på som på for med de den af ikke der jeg vi har",
    "de": "und die der das ist nicht ich es ein zu wir in sie auch auf so mit den dass wie",
    "en": "the and to of a that is in it you i we was for this have so they on are",
    "es": "de que la y el en los un se no es por con una para lo las como más pero",
    "fr": "de la et le les est que un à en pas on des ça je qui il dans une pour c'est",
    "it": "di e che la il un è non per in una sono si con le del ma della come anche",
    "nl": "de het een en van dat is in ik niet we je die zijn maar op te voor ook met",
    "no": "og i det er som en på til at vi for med av ikke har de jeg men den så",
    "pl": "i w nie to na się że z jest do jak tak co ale o po jako już czy tym",
    "pt": "de que e a o não um uma é em se para com os mas como isso por eu do",
    "sv": "och i att det är en som på för av med inte den har till jag vi men om så",
    "tr": "bir ve bu da de için çok ne ben o ama gibi daha var ile olarak şey sonra kadar en",
}
_COMMON_WORDS = {language: frozenset(spoken.split()) for language, spoken in _COMMON.items()}
_SAME = {"nb": "no", "nn": "no"}
_LATIN = re.compile(r"[a-zà-öø-ɏ]")
_WRITTEN_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def check(segments: Sequence[Segment], duration_seconds: float | None, language: str | None) -> tuple[str, ...]:
    """The MARKS that a transcript earns, in their order; none for one that looks whole.

    `duration_seconds` is how long the recording is, as far as that is known: with several figures, the longest.
    `language` is the one the transcript should be in, such as `en-US`. What is not known is not checked: without a
    duration neither pace nor end, without times only whether there are words enough for the whole.
    """
    spoken = [words(segment.text) for segment in segments]
    sizes = [_size(line) for line in spoken]
    count = sum(sizes)
    if not count:
        return ("empty",)
    earned = {
        "other_language": language is not None and _is_other(spoken, language),
        "repeated": _is_repeated(spoken),
    }
    if duration_seconds and duration_seconds > 0:
        pace = count * 60 / duration_seconds
        until_end, before = _unspoken(segments, sizes, duration_seconds)
        shortest, longest = UNSPOKEN_SECONDS
        earned |= {
            "few_words": pace < FEWEST_A_MINUTE and duration_seconds >= shortest,
            "many_words": pace > MOST_A_MINUTE and count >= FEWEST_WORDS,
            "truncated": until_end > max(shortest, min(longest, UNSPOKEN_SHARE * duration_seconds)),
            "holes": before > max(shortest, HOLES_SHARE * duration_seconds),
        }
    return tuple(mark for mark in MARKS if earned.get(mark))


def _size(line: Sequence[str]) -> int:
    """How many words a line has; two characters count as one where a language is written without spaces."""
    unspaced = len(_WRITTEN_WITHOUT_SPACES.findall("".join(line)))
    return max(len(line), unspaced // 2)


def _unspoken(segments: Sequence[Segment], sizes: Sequence[int], duration: float) -> tuple[float, float]:
    """Seconds of the recording that the words cannot fill: after the last known time, and before it; 0 without times.

    A time is known for every line or only here and there, so between two of them stand the words of many lines.
    """
    until_end = before = 0.0
    left, since = 0, 0.0
    timed = False
    for segment, size in zip(segments, sizes, strict=True):
        if segment.start_seconds is not None:
            before += max(0.0, segment.start_seconds - since - left * SECONDS_A_WORD)
            left, since, timed = 0, max(since, segment.start_seconds), True
        left += size
        if segment.end_seconds is not None and segment.end_seconds > since:
            left, since = 0, segment.end_seconds
    if timed:
        until_end = max(0.0, duration - since - left * SECONDS_A_WORD)
    return until_end, before


def _is_repeated(spoken: Sequence[Sequence[str]]) -> bool:
    """Whether a phrase comes again at once, many times, or much of the whole consists of lines said before."""
    every = [word for line in spoken for word in line]
    if _loops(every):
        return True
    lines = Counter(tuple(line) for line in spoken if len(line) >= 4)
    again = sum((times - 1) * len(line) for line, times in lines.items())
    return len(every) >= FEWEST_WORDS and again > REPEATED_SHARE * len(every)


def _loops(every: Sequence[str]) -> bool:
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(word, len(numbers)) for word in every])
    for size in range(1, min(LOOP_PHRASE, len(codes) // 2) + 1):
        other = np.flatnonzero(codes[size:] != codes[:-size])
        edges = np.concatenate(([-1], other, [len(codes) - size]))
        if int(np.diff(edges).max()) - 1 + size >= max(LOOP_WORDS, LOOP_TURNS * size):
            return True
    return False


def _is_other(spoken: Sequence[Sequence[str]], language: str) -> bool:
    """Whether the words are plainly of another language, by its script and its most common words.

    Where the common words of the expected language are not known, only English is told from it.
    """
    every = [word for line in spoken for word in line]
    letters = "".join(every)
    if len(letters) < 4 * FEWEST_WORDS:
        return False
    expected = re.split(r"[-_]", language.strip().lower())[0]
    expected = _SAME.get(expected, expected)
    shares = {code: sum(word in common for word in every) / len(every) for code, common in _COMMON_WORDS.items()}
    if expected not in shares:
        return shares["en"] > ENGLISH_SHARE
    if len(_LATIN.findall(letters)) < len(letters) / 2:
        return True
    return shares[expected] < max(FEWEST_COMMON, max(shares.values()) / 2)
