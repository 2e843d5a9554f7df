"""Numbers as they are spoken and written: "forty-five thousand", "45k" and "45,000" are one number."""

import re
from collections.abc import Iterator

from include.words import words

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


def numbers(text: str) -> list[tuple[str, float]]:
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


def number(text: str) -> float | None:
    """The value of the one number in a text; None where there is none, or more than one."""
    found = numbers(text)
    return found[0][1] if len(found) == 1 else None


def values(text: str) -> Iterator[float]:
    """All values that a text's numbers may stand for: as read, without their scale, and each part alone."""
    for written, value in numbers(text):
        yield value
        for token in _TOKEN.findall(written):
            word = token.lower()
            part = _digits(word) if word[0].isdigit() else _SMALL.get(word, _TENS.get(word))
            if part is not None:
                yield float(part)
    for word in words(text):
        if word in _ORDINALS:
            yield float(_ORDINALS[word])


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
        return _scaled(tokens, end, float(f"{min(value, 1e300):.0f}.{decimals}"), text)
    return end, value


def _scaled(tokens: list[re.Match[str]], end: int, value: float, text: str) -> tuple[int, float]:
    """A number in digits with the scale that follows it: "1.5 trillion", "45k"."""
    if end < len(tokens):
        word, gap = tokens[end].group().lower(), text[tokens[end - 1].end() : tokens[end].start()]
        if word in _SCALES and ((len(word) > 2 and gap in (" ", "-")) or (len(word) <= 2 and gap == "")):
            return end + 1, round(value * _SCALES[word], 6)
    return end, value


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
