"""A spoken passage made readable: fillers, false starts and doubled words go, nothing is added."""

import re

from include.claims.grammar import states
from include.claims.offline.passages import is_reply, leans
from include.words import words

_BRACKETS = re.compile(r"\s*[\[(](?:[^\])]*(?:laugh|music|applause|break|\d\d:\d\d)[^\])]*)[\])]", re.I)
_UNHEARD = re.compile(r"\s*[\[(](?:unintelligible|inaudible|crosstalk)[^\])]*[\])]", re.I)
_SOUNDS = re.compile(r"(?:,\s*)?\b(?:[Uu]m+|[Uu]h+|[Uu]hm|[Ee]rm|[Hh]mm+|[Mm]hm)\b(?:\s*,|\.\.\.)?")
_ASIDES = re.compile(
    r",\s+(?:you know|I mean|like|kind of|sort of|right|okay|basically|actually|literally|honestly|you see|"
    r"if you will|so to speak|obviously|frankly)(?:,|(?=[.?!]$))",
    re.I,
)
_YOU_KNOW = re.compile(r"\b(?:you know|I mean),\s+", re.I)
_ADDRESS = re.compile(r"\b(?:you know|I mean) (?=(?:I|we|they|he|she|there|in|and|but|so|it's|that's)\b)", re.I)
_TAG = re.compile(r",\s+(?:right|okay|ok|you know|huh|yeah|you see)\?(?=\s|$)", re.I)
"""A question that asks for no answer."""
_ABANDONED = re.compile(r"(?:(?<=[.!?] )|^)(?:[\w'’]+,? ){0,7}[\w'’]+(?:-|--|–|—) (?=(?:And |But |So )?[A-Z])")
"""A sentence that was given up for another one: "Anyway, I- And he was"."""
_DOUBLED = re.compile(r"\b(\w+(?:['’]\w+)?(?:\s+\w+(?:['’]\w+)?){0,3})(?:\s*(?:,|-|\.\.\.|…)?\s+\1\b(?![-–]\w))+", re.I)
_KEPT_DOUBLE = frozenset(
    {
        *("that", "had", "very", "really", "so", "many", "much", "no", "bye", "far", "long", "way", "is"),
        *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty", "hundred"),
    }
)
_FALSE_START = re.compile(
    r"\b(\w+)(?: --|,? [–—]) (?:(?:obviously|actually|well|I mean|you know|again|sorry), )?(?=\1\b)", re.I
)
_STAMMER = re.compile(r"\b(\w{1,3})[-–—]+\s+(?=\1)", re.I)
_OPENERS = re.compile(
    r"^(?:(?:(?:and|but|so(?! (?:far|many|much|few)\b)|or)\b(?!-\w)[\s,.!–—-]+)|"
    r"(?:(?:well|yeah|yes|yep|no|okay|ok|right|now|oh|I mean|you know|like|then|"
    r"also|plus|again|anyway|look|see|actually|basically|obviously|exactly|sure|absolutely|alright|all right|wow|cool|"
    r"great|hey)\b(?!-\w)\s*[,.!–—-][\s,.!–—-]*))+(?=\w)",
    re.I,
)
"""Words that lead in and say nothing; most only where a comma or a stop parts them from what follows: "No, it is" and
"No step is"."""
_LEAD_IN = re.compile(r"^(?:I(?:'ll|’ll| will| can)|let me|let's|we(?:'ll|’ll)|check|look at|listen)\b", re.I)
SHORT_LEAD_IN = 7
LEFT = 15
LEFT_OF_A_THOUGHT = 30
"""How many words of a passage stay at least, where what goes says nothing, and where it says something."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_HIDDEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\x00-\x08\x0b-\x1f\x7f]")
_NOD = re.compile(
    r"^(?:oh,? |wow,? )?that(?:'s|’s| is| was) (?:a )?(?:pretty|really|very|so|super|quite)? ?"
    r"(?:interesting|cool|great|awesome|amazing|fascinating|true|right|fair|good)(?: (?:question|point))?[.!]$",
    re.I,
)


def readable(passage: str) -> str:
    """The passage without what speech leaves behind, its first letter a capital, a full stop at its end."""
    text = _OPENERS.sub("", _tidied(_OPENERS.sub("", passage)))
    said = [sentence for sentence in _SENTENCE_END.split(text) if not is_reply(sentence) and not _NOD.match(sentence)]
    return _finished(_OPENERS.sub("", " ".join(_without_ends(said)) or text))


def opened(sentence: str) -> str:
    """The sentence without the words that lead into it and say nothing: "And", "Well,"."""
    return capital(_OPENERS.sub("", sentence))


def _without_ends(said: list[str]) -> list[str]:
    """The sentences without those at either end that say nothing by themselves: what is left of the thought before,
    "Check this out.", "Maybe."; and without a first one that leans on what is not told, where the next stands alone."""
    while _left(said[1:], LEFT) and _leads_in(said[0]):
        said = said[1:]
    while _left(said[:-1], LEFT) and not states(said[-1]):
        said = said[:-1]
    hangs = bool(said) and (leans(said[0]) or said[0].endswith(("...", "…")))
    if hangs and _left(said[1:], LEFT_OF_A_THOUGHT) and not leans(_OPENERS.sub("", said[1])):
        return said[1:]
    return said


def _left(said: list[str], least: int) -> bool:
    return len(words(" ".join(said))) >= least


def _leads_in(sentence: str) -> bool:
    return (_LEAD_IN.match(sentence) is not None and len(words(sentence)) <= SHORT_LEAD_IN) or not states(sentence)


def _tidied(passage: str) -> str:
    text = " ".join(_HIDDEN.sub("", passage).split())
    text = _UNHEARD.sub(" …", text)
    text = _BRACKETS.sub("", text)
    text = re.sub(r"(?:^|(?<=\s))(?:>+|(?:&gt;)+)\s+", "", text)
    text = _SOUNDS.sub(lambda m: "," if m[0].startswith(",") and m[0].rstrip().endswith(",") else "", text)
    text = _ASIDES.sub("", text)
    text = _YOU_KNOW.sub("", text)
    text = _ADDRESS.sub("", text)
    text = _TAG.sub(".", text)
    text = _ABANDONED.sub("", text)
    text = _FALSE_START.sub("", text)
    text = _STAMMER.sub("", text)
    for _ in range(2):
        text = _DOUBLED.sub(lambda m: m[0] if m[1].lower() in _KEPT_DOUBLE or m[1].isdigit() else m[1], text)
    text = re.sub(r"\s+([,.;:!?])", r"\1", text)
    text = re.sub(r",(?:\s*,)+", ",", text)
    text = re.sub(r"([.!?]),", r"\1", text)
    text = re.sub(r"(?<=[.!?] )[a-z]", lambda m: m[0].upper(), text) if "..." not in text else text
    return " ".join(text.split()).strip(" ,")


def _paired(text: str) -> str:
    """The text without a quotation mark that has lost its other half."""
    if text.count("“") != text.count("”"):
        text = text.replace("“", "").replace("”", "")
    marks = [mark.start() for mark in re.finditer('"', text)]
    if len(marks) % 2:
        closes = marks[0] > 0 and not text[marks[0] - 1].isspace()
        lost = marks[0] if closes else marks[-1]
        text = text[:lost] + text[lost + 1 :]
    return text


def _finished(text: str) -> str:
    text = _paired(text)
    text = text.strip(" ,;:–—-").removeprefix("…").lstrip()
    text = re.sub(r"(?:\.\.\.|…)$", "", text).rstrip(" ,;:–—-")
    if text and not text.rstrip("\"'”’)").endswith((".", "!", "?")):
        text += "."
    return capital(text)


def capital(text: str) -> str:
    for i, letter in enumerate(text):
        if letter.isalnum():
            return text[:i] + letter.upper() + text[i + 1 :]
    return text
