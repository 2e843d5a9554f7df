"""What an insight says and nobody said: the numbers, dates and proper names that its source does not bear out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from include.words import words


@dataclass(frozen=True, slots=True)
class Unsupported:
    """What an insight says and its source does not: numbers as written, and names (of people, things, months, days)."""

    numbers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.numbers or self.names)


def unsupported(text: str, nearby: str, names: frozenset[str]) -> Unsupported:
    """The numbers, dates and proper names of `text` that its source does not bear out.

    A number must occur in `nearby`, in digits or in words, at any scale: "forty-five thousand", "45k" and "45,000" are
    one number. The counts zero and one are let pass. A name is a capitalised word that is more than a sentence's
    beginning, or a link; it must be among `names`, the `spellings` of all that may be known.
    """
    values = set(_values(nearby))
    numbers = [written for written, value in _numbers(text) if value not in values and value not in (0, 1)]
    strangers = [name for name in _names(text) if not _known_name(name, names)]
    return Unsupported(tuple(dict.fromkeys(numbers)), tuple(dict.fromkeys(strangers)))


def spellings(*texts: str) -> frozenset[str]:
    """Every word of some texts, and every two to four neighbours written as one, since "OpenAI" is also "open AI".

    Some 50 ms and 20 MB for 60,000 words: make it once an episode.
    """
    found: set[str] = set()
    for text in texts:
        single = [word.replace("'", "") for word in words(_POSSESSIVE.sub("", text))]
        found.update(single)
        for size in (2, 3, 4):
            found.update("".join(single[i : i + size]) for i in range(len(single) - size + 1))
    return frozenset(found)


def as_said(text: str, facts: Unsupported) -> list[str]:
    """Names and numbers of a text in the words around them, in order, each once: "Skagen Yard", "12 more boats".

    A name comes with the capitalised words beside it; a number with its currency or per cent sign and up to two words
    after it, of which the last is no common one.
    """
    spans = []
    for name in facts.names:
        for match in re.finditer(rf"(?:(?<!\w)[A-Z][\w'’-]* )*(?<!\w){re.escape(name)}(?!\w)(?: [A-Z][\w'’-]*)*", text):
            words_before = match.group().split(" ")
            common = next(i for i, word in enumerate(words_before) if word == name or _plain(word) not in _NO_NAMES)
            spans.append((match.start() + sum(len(word) + 1 for word in words_before[:common]), match.end()))
    for number in facts.numbers:
        for match in re.finditer(rf"[$€£]?(?<![\w.,]){re.escape(number)}(?!\w)%?((?: [^\W\d_][\w'’-]*){{0,2}})", text):
            after = match.group(1).split()
            while after and _plain(after[-1]) in _NO_NAMES:
                after.pop()
            spans.append((match.start(), match.start(1) + sum(len(word) + 1 for word in after)))
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return list(dict.fromkeys(text[start:end].rstrip("'’") for start, end in joined))


# Numbers, spoken and written

_SMALL = {
    word: value
    for value, word in enumerate(
        words(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen"
        )
    )
}
_TENS = {
    word: 10 * value for value, word in enumerate(words("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "k": 1e3, "grand": 1e3, "million": 1e6, "m": 1e6, "mm": 1e6, "mn": 1e6,
    "billion": 1e9, "b": 1e9, "bn": 1e9, "trillion": 1e12, "tn": 1e12, "t": 1e12, "dozen": 12.0,
}  # fmt: skip
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12,
}  # fmt: skip
_TOKEN = re.compile(r"\d+(?:,\d+)*(?:\.\d+)?|[^\W\d_]+")


def _numbers(text: str) -> list[tuple[str, float]]:
    """The numbers of a text as (as written, value), in order; ordinals in words are none."""
    found = []
    tokens = list(_TOKEN.finditer(text))
    i = 0
    while i < len(tokens):
        end, value = _number_at(tokens, i, text)
        if value is None:
            i += 1
            continue
        found.append((text[tokens[i].start() : tokens[end - 1].end()], value))
        i = end
    return found


def _number_at(tokens: list[re.Match[str]], i: int, text: str) -> tuple[int, float | None]:
    """Reads one number beginning at token i: where it ends (exclusive), and its value; None where none begins."""
    word = tokens[i].group().lower()
    if word[0].isdigit():
        value = _digits(word)
        if value is None:
            return i + 1, None
        return _scaled(tokens, i + 1, value, text)
    if (
        word not in _SMALL
        and word not in _TENS
        and not (word in ("hundred", "thousand", "dozen") and _article(tokens, i))
    ):
        return i, None
    total, current, end = 0.0, 0.0, i
    previous = ""
    while end < len(tokens):
        word = tokens[end].group().lower()
        if end > i and not _adjacent(text, tokens[end - 1], tokens[end]):
            break
        if word in _SMALL:
            if previous == "small" or (previous == "tens" and _SMALL[word] >= 10):
                if not 10 <= current <= 20 or _SMALL[word] < 10:
                    break
                current = current * 100 + _SMALL[word]
            else:
                current += _SMALL[word]
            previous = "small"
        elif word in _TENS:
            if previous in ("small", "tens"):
                if not 10 <= current <= 20:
                    break
                current *= 100
            current += _TENS[word]
            previous = "tens"
        elif word in _SCALES and len(word) > 2:
            if _SCALES[word] <= 100:
                current = (current or 1) * _SCALES[word]
            else:
                total += (current or 1) * _SCALES[word]
                current = 0.0
            previous = "scale"
        elif word == "and" and previous == "scale" and end + 1 < len(tokens) and _counts(tokens[end + 1]):
            previous = "and"
        else:
            break
        end += 1
    value = total + current
    if end + 1 < len(tokens) and tokens[end].group().lower() == "point" and tokens[end + 1].group().lower() in _SMALL:
        decimals = ""
        end += 1
        while end < len(tokens) and _SMALL.get(tokens[end].group().lower(), 10) < 10:
            decimals += str(_SMALL[tokens[end].group().lower()])
            end += 1
        return _scaled(tokens, end, float(f"{value:.0f}.{decimals}"), text)
    return end, value


def _scaled(tokens: list[re.Match[str]], end: int, value: float, text: str) -> tuple[int, float]:
    """A number in digits with the scale that follows it: "1.5 trillion", "45k"."""
    if end < len(tokens):
        word, gap = tokens[end].group().lower(), text[tokens[end - 1].end() : tokens[end].start()]
        if word in _SCALES and ((len(word) > 2 and gap in (" ", "-")) or (len(word) <= 2 and gap == "")):
            return end + 1, round(value * _SCALES[word], 6)
    return end, value


def _values(text: str) -> Iterable[float]:
    """All values that a text's numbers may stand for: as read, without their scale, and each part alone."""
    for written, value in _numbers(text):
        yield value
        for token in _TOKEN.findall(written):
            word = token.lower()
            part = _digits(word) if word[0].isdigit() else _SMALL.get(word, _TENS.get(word))
            if part is not None:
                yield float(part)
    for word in words(text):
        if word in _ORDINALS:
            yield float(_ORDINALS[word])


def _digits(word: str) -> float | None:
    try:
        return float(word.replace(",", ""))
    except ValueError:
        return None


def _counts(token: re.Match[str]) -> bool:
    return token.group().lower() in _SMALL or token.group().lower() in _TENS


def _article(tokens: list[re.Match[str]], i: int) -> bool:
    return i > 0 and tokens[i - 1].group().lower() == "a"


def _adjacent(text: str, left: re.Match[str], right: re.Match[str]) -> bool:
    return text[left.end() : right.start()] in (" ", "-", "‑")


# Names

_POSSESSIVE = re.compile(r"['’]s\b")
_OPENING = re.compile(r"(?:^|[.!?:;…“\"(\n])\s*$")
_NAME = re.compile(r"[^\W_]+(?:['’&.-][^\W_]+)*")
_LINK = re.compile(
    r"\b(?:https?://\S+|[\w.+-]+@[\w-]+\.[\w.]+|(?:[\w-]+\.)+(?:com|org|net|io|dev|ai|co|app|xyz|ru|info)\b\S*)", re.I
)
_NO_NAMES = frozenset(
    words(
        "a about above according across after again against all almost alone along already also although always among "
        "an and another any anyone anything are around as asked at away back be because before behind being below "
        "best better between beyond both but by can cannot compared could despite did do does don't down during each "
        "early either else enough even ever every everyone everything except far few fewer finally first for from "
        "full further given good half has have he her here his how however i i'm i've i'd i'll if in instead into is "
        "it it's its itself just keep last later least less let like likely little long look made make many may maybe "
        "might more most much must near nearly neither never new next no nobody none nor not nothing now of off often "
        "old on once one only onto or other others otherwise our out outside over own part past people perhaps put "
        "rather real right same say second see several she should simply since small so some someone something "
        "sometimes soon still such take than that that's the their them then there there's these they they're thing "
        "things third this those though three through thus till to today together too top toward towards true turn "
        "two under unless unlike until up upon us use used using very via want was way we well were what what's "
        "whatever when where whether which while who whole whose why will with within without work would yes yet you "
        "your gb mb kb tb ghz mhz"
    )
)


def _names(text: str) -> list[str]:
    """Capitalised words that are more than the beginning of a sentence, and links, in order. Of a compound
    ("Kafka-style") only the parts with capitals count."""
    found = [match.group() for match in _LINK.finditer(text)]
    text = _LINK.sub(" , ", text)
    for match in _NAME.finditer(text):
        opening = bool(_OPENING.search(text[: match.start()]))
        for word in match.group().split("-"):
            if any(c.isupper() for c in word) and _plain(word) not in _NO_NAMES and not (opening and _ordinary(word)):
                found.append(word)
            opening = False
    return found


def _ordinary(word: str) -> bool:
    """Whether a word may owe its capital to standing first in a sentence: no odd capitals, no digit, no "Acme's"."""
    odd = any(c.isupper() for c in word[1:]) or any(c.isdigit() for c in word)
    return not odd and not re.search(r"['’]s$", word)


def _known_name(name: str, there: frozenset[str]) -> bool:
    parts = [part for part in words(_POSSESSIVE.sub("", name)) if part]
    joined = "".join(parts)
    return _spelt(joined, there) or (len(parts) > 1 and all(_spelt(part, there) for part in parts))


def _spelt(word: str, there: frozenset[str]) -> bool:
    variants = {word, word + "s", word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("n")}
    return any(variant in there for variant in variants if variant)


def _plain(word: str) -> str:
    return word.lower().replace("’", "'")
