"""What an insight says and nobody said: the numbers, dates and proper names that its source does not bear out."""

import re
from dataclasses import dataclass

from include.claims.numbers import numbers, values
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
    borne_out = {0, 1, *values(nearby)}
    stray = [written for written, value in numbers(text) if value not in borne_out]
    strangers = [name for name in _names(text) if not _known_name(name, names)]
    return Unsupported(tuple(dict.fromkeys(stray)), tuple(dict.fromkeys(strangers)))


def unsupported_figures(text: str, nearby: str, digits: int = 1) -> Unsupported:
    """The numbers in figures that a text in one language has and its source in another does not bear out, whatever
    stands between their digits ("45,000", "45.000", "45 000") and whatever their scale ("1,5 Millionen"). Of at least
    so many digits, zeros at the ends aside."""
    borne_out = {"", "1", *(_digits_of(f"{value:f}") for value in values(nearby))}
    borne_out.update(_digits_of(found) for found in _FIGURE.findall(nearby))
    figures = _FIGURE.findall(_MYRIADS.sub(" ", text))
    stray = (found for found in figures if len(_digits_of(found)) >= digits and _digits_of(found) not in borne_out)
    return Unsupported(tuple(dict.fromkeys(stray)))


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


# Figures

_FIGURE = re.compile(r"\d+(?:[.,]\d+|[\s'’]\d{3}(?!\d))*")
_MYRIADS = re.compile(r"\d[\d.,]*\s?[千万萬億亿천만억][\d千万萬億亿천만억.,]*")
"""Numbers that are counted by ten thousands: their digits are other ones."""


def _digits_of(figure: str) -> str:
    return "".join(str(int(sign)) for sign in figure if sign.isdecimal()).strip("0")


# Names

_OF_A_COUNTRY = re.compile(r"(?:ese|ians?|ans?|is?|ia|a|y)$")
_COUNTRY_ENDINGS = ("", "a", "ia", "y", "i", "is", "an", "ans", "ian", "ians", "ese")
_LEAST_OF_A_COUNTRY = 4
"""What a country and its people are called by: "China" bears out "Chinese", "Israelis" bear out "Israel"."""
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
    parts = [part.replace("'", "") for part in words(_POSSESSIVE.sub("", name)) if part]
    joined = "".join(parts)
    return _spelt(joined, there) or (len(parts) > 1 and all(_spelt(part, there) for part in parts))


def _spelt(word: str, there: frozenset[str]) -> bool:
    variants = {word, word + "s", word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("n")}
    country = _OF_A_COUNTRY.sub("", word)
    if len(country) >= _LEAST_OF_A_COUNTRY:
        variants.update(country + ending for ending in _COUNTRY_ENDINGS)
    return any(variant in there for variant in variants if variant)


def _plain(word: str) -> str:
    return word.lower().replace("’", "'")
