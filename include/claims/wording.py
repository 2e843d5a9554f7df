"""A spoken passage made readable: fillers, false starts and doubled words go, nothing is added."""

import re

_BRACKETS = re.compile(r"\s*[\[(](?:[^\])]*(?:laugh|music|applause|break|\d\d:\d\d)[^\])]*)[\])]", re.I)
_UNHEARD = re.compile(r"\s*[\[(](?:unintelligible|inaudible|crosstalk)[^\])]*[\])]", re.I)
_SOUNDS = re.compile(r"(?:,\s*)?\b(?:[Uu]m+|[Uu]h+|[Uu]hm|[Ee]rm|[Hh]mm+|[Mm]hm)\b(?:\s*,|\.\.\.)?")
_ASIDES = re.compile(
    r",\s+(?:you know|I mean|like|kind of|sort of|right|okay|basically|actually|literally|honestly|you see|"
    r"if you will|so to speak|obviously|frankly)(?:,|(?=[.?!]$))",
    re.I,
)
_YOU_KNOW = re.compile(r"\b(?:you know|I mean),\s+", re.I)
_DOUBLED = re.compile(r"\b(\w+(?:['’]\w+)?(?:\s+\w+(?:['’]\w+)?){0,3})(?:\s*(?:,|-|\.\.\.|…)?\s+\1\b(?![-–]\w))+", re.I)
_KEPT_DOUBLE = frozenset(
    {
        *("that", "had", "very", "really", "so", "many", "much", "no", "bye", "far", "long", "way", "is"),
        *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty", "hundred"),
    }
)
_STAMMER = re.compile(r"\b(\w{1,3})[-–—]+\s+(?=\1)", re.I)
_OPENERS = re.compile(
    r"^(?:(?:(?:and|but|so|or)\b[\s,.!–—-]+)|(?:(?:well|yeah|yes|yep|no|okay|ok|right|now|oh|I mean|you know|like|then|"
    r"also|plus|again|anyway|look|see|actually|basically|obviously|exactly|sure|absolutely|alright|all right|wow|cool|"
    r"great|hey)\b\s*[,.!–—-][\s,.!–—-]*))+(?=\w)",
    re.I,
)
"""Words that lead in and say nothing; most only where a comma or a stop parts them from what follows: "No, it is" and
"No step is"."""
_FRAMES = re.compile(
    r"^(?:I (?:also |really |just |do |would |always )*(?:think|believe|feel like|feel|mean|would say|'d say|say)"
    r"(?: that)?|I'd say(?: that)?|in my opinion|from my perspective|to me|the thing is|the fact is|"
    r"it turns out(?: that)?|turns out(?: that)?|as I said|like I said|the other thing is(?: that)?|"
    r"one thing is(?: that)?|for me|you know)"
    r",?\s+(?=\w)",
    re.I,
)
_POINTING = re.compile(
    r"^(?:it|that|this|these|those|they|he|she|we|i|you|there|here|his|her|its|their|my|which|who|what)\b|"
    r"^(?:it|that|this|they|he|she|we|i|you|there|here|what)['’]", re.I
)  # fmt: skip
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|do|does|did|can|could|will|would|should|must|may|might|need|needs|make|"
    r"makes|made|get|gets|got|take|takes|took|give|gives|use|uses|used|want|wants|cost|costs|run|runs|work|works|mean|"
    r"means|let|lets|help|helps|become|becomes|became|start|started|keep|keeps|know|see|go|goes|went|build|built|"
    r"write|wrote|say|says|said|find|found|think|put|turn|turns|lose|lost|win|won|pay|paid|bring|brings|come|comes|"
    r"came|show|shows|change|changes|changed|grow|grew|\w{3,}(?:ed|ize|ise|ify))\b|['’](?:s|re|ve|ll|d|m)\b|n['’]t\b",
    re.I,
)
_BREAKS = re.compile(
    r"(?:[;:,]|\s[-–—]{1,2}|\.\.\.|…)\s+|\s+(?=(?:because|which|but|so|and|where|while|whereas|unless|until)\b)"
)
_HIDDEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\x00-\x08\x0b-\x1f\x7f]")
_SUBORDINATE = re.compile(
    r"(?:if|when|because|while|since|unless|although|though|before|after|until|even|with|without|just|as|whether|"
    r"whenever|once|to|for|in|at|on|from|by|of|not|like|than|or|and|let me|let's|one of (?:those|these|them)|"
    r"one thing|the other|another|maybe|how|why|where|whereas|going|say|especially|including)\b",
    re.I,
)
HEADLINE_WORDS = 12


def readable(passage: str) -> str:
    """The passage without what speech leaves behind, its first letter a capital, a full stop at its end."""
    text = _tidied(_OPENERS.sub("", passage))
    return _finished(_OPENERS.sub("", text))


def headline(passage: str) -> str:
    """A cut of at most twelve words of the passage that can stand as a statement, without a full stop."""
    parts = [cut for sentence in _split(_tidied(passage)) for cut in _cuts(sentence)] or [(_tidied(passage), 0.0)]
    best = max(parts, key=lambda part: _stands(part[0]) + part[1])[0]
    kept = best.split()
    text = " ".join(kept[:HEADLINE_WORDS])
    if len(kept) > HEADLINE_WORDS:
        text = _without_tail(text) + "…"
    return _capital(text.strip(" ,;:–—-").rstrip("."))


def _tidied(passage: str) -> str:
    text = " ".join(_HIDDEN.sub("", passage).split())
    text = _UNHEARD.sub(" …", text)
    text = _BRACKETS.sub("", text)
    text = re.sub(r"^(?:>>|&gt;&gt;)\s*", "", text)
    text = _SOUNDS.sub(lambda m: "," if m[0].startswith(",") and m[0].rstrip().endswith(",") else "", text)
    text = _ASIDES.sub("", text)
    text = _YOU_KNOW.sub("", text)
    text = _STAMMER.sub("", text)
    for _ in range(2):
        text = _DOUBLED.sub(lambda m: m[0] if m[1].lower() in _KEPT_DOUBLE or m[1].isdigit() else m[1], text)
    text = re.sub(r"\s+([,.;:!?…])", r"\1", text)
    text = re.sub(r",(?:\s*,)+", ",", text)
    text = re.sub(r"([.!?]),", r"\1", text)
    text = re.sub(r"(?<=[.!?] )[a-z]", lambda m: m[0].upper(), text) if "..." not in text else text
    return " ".join(text.split()).strip(" ,")


def _finished(text: str) -> str:
    text = text.strip(" ,;:–—-")
    text = re.sub(r"(?:\.\.\.|…)$", "", text).rstrip(" ,;:–—-")
    if text and not text.rstrip("\"'”’)").endswith((".", "!", "?")):
        text += "."
    return _capital(text)


def _capital(text: str) -> str:
    for i, letter in enumerate(text):
        if letter.isalnum():
            return text[:i] + letter.upper() + text[i + 1 :]
    return text


def _split(text: str) -> list[str]:
    return [s for s in re.split(r"(?<=[.!?])[\"'”’)]*\s+", text) if s]


def _cuts(sentence: str) -> list[tuple[str, float]]:
    """The sentence without its opening words, its openings up to a clause border and its ends from one on that have 5
    to 12 words; each with what it is worth to be such a cut."""
    bare = _FRAMES.sub("", _OPENERS.sub("", sentence))
    bare = _FRAMES.sub("", _OPENERS.sub("", bare))
    found = [(bare, 0.5)]
    borders = [m.span() for m in _BREAKS.finditer(bare)]
    for start, _ in borders:
        if 5 <= len(bare[:start].split()) <= HEADLINE_WORDS:
            found.append((bare[:start], 0.0))
    return found


def _stands(text: str) -> float:
    """How well a cut would stand alone: has a verb, opens with a thing, ends where a clause ends, is no question."""
    size = len(text.split())
    value = 0.0
    value += 2.0 if _VERB.search(text) else 0.0
    value -= 1.5 if _POINTING.match(text) else 0.0
    value -= 3.0 if text.endswith("?") else 0.0
    value -= 1.5 if size > HEADLINE_WORDS else 0.0
    value -= 2.0 if size < 5 else 0.0
    value += min(size, HEADLINE_WORDS) * 0.08
    value += 0.4 * min(2, len(re.findall(r"(?<=\s)[A-Z]\w+|\d[\d.,%]*", text)))
    value -= 0.5 if re.search(r"\b(?:I|my|me)\b", text) else 0.0
    value -= 1.6 if _SUBORDINATE.match(text) else 0.0
    value -= (
        1.0
        if re.search(r"\b(?:a|an|the|of|to|and|or|but|with|for|in|on|that|is|are|if|which|my|your|as)$", text)
        else 0.0
    )
    return value


def _without_tail(text: str) -> str:
    return re.sub(
        r"(?:\s+(?:a|an|the|of|to|and|or|but|with|for|in|on|that|is|are|if|which|my|your|as|so|at|by))+$", "", text
    )
