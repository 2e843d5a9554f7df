"""Where two claims of one theme contradict each other: by a number about the same thing, or by the opposite statement.

A reader who is told of a dissent that is none trusts the page less than one who is told of none. So two sentences are
compared only where they say nearly the same in nearly the same words, of the same time, and differ in one thing: the
number, a negation, or a word and its opposite.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from include.claims.grammar import grammar
from include.claims.numbers import number

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, Token

DAYS_COMPARED = 30
"""What was said longer ago may well have been right then."""
# The share of two sentences' words that both must have, and the least number of them.
ALIKE, AT_LEAST = 0.6, 2
# Two figures further apart than this are no rounding of one another.
ROUNDING = 1.1

COLUMNS = ("theme_id", "claim_id", "other_claim_id", "partition_date", "kind", "detail")

_OPPOSITES = [
    pair.split("/")
    for pair in (
        "rise/fall rise/drop increase/decrease increase/fall grow/shrink gain/lose win/lose open/close accept/reject "
        "approve/reject allow/ban allow/forbid permit/forbid improve/worsen strengthen/weaken succeed/fail raise/lower "
        "raise/cut start/stop begin/end buy/sell more/less more/few high/low fast/slow safe/dangerous legal/illegal "
        "possible/impossible cheap/expensive cheap/dear strong/weak true/false right/wrong easy/hard good/bad"
    ).split()
]
_OPPOSITE = {(one, other) for pair in _OPPOSITES for one, other in (pair, pair[::-1])}

_MONEY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
_PERCENT = {"%", "percent"}
_UNITS = {*_PERCENT, *_MONEY, *_MONEY.values()}
# "More than forty" and "fifty" agree.
_BOUNDS = re.compile(
    r"\b(?:more|less|fewer|over|under|above|below|least|most|up to|almost|nearly|half|between|from|another|first)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_CONTENT = {"NOUN", "PROPN", "VERB", "ADJ"}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What two texts disagree on: `kind` is `number` or `polarity`, `detail` says it in plain words."""

    kind: str
    detail: str


def between(one: str, other: str) -> Contradiction | None:
    """The first point on which two texts contradict each other, None where none is plain. Some 10 ms a pair."""
    return _between(*grammar().pipe((one, other), disable=["ner"]))


def derive(claims: pd.DataFrame, first_day: date | None = None) -> pd.DataFrame:
    """The dissents within themes, a row a pair of claims from two episodes, at the date of the later claim.

    `claims` has claim_id, theme_id, episode_id, partition_date and insight. With `first_day`, only pairs whose later
    claim is of that date or a later one are compared, so that a day costs by its own claims and the 30 days before.
    """
    rows = []
    ordered = claims.assign(day=[pd.Timestamp(str(value)).date() for value in claims["partition_date"]])
    for theme_id, members in ordered.sort_values(["day", "claim_id"]).groupby("theme_id", sort=True):
        told = list(members.itertuples(index=False))
        pairs = [
            (later, earlier)
            for place, later in enumerate(told)
            if first_day is None or later.day >= first_day
            for earlier in told[:place]
            if earlier.episode_id != later.episode_id and (later.day - earlier.day).days <= DAYS_COMPARED
        ]
        if not pairs:
            continue
        # Together, since one by one they take twice as long.
        insights = sorted({claim.insight for pair in pairs for claim in pair})
        parsed: dict[str, Doc] = dict(zip(insights, grammar().pipe(insights, disable=["ner"]), strict=True))
        for later, earlier in pairs:
            if found := _between(parsed[later.insight], parsed[earlier.insight]):
                rows.append((theme_id, later.claim_id, earlier.claim_id, later.day, found.kind, found.detail))
    found_rows = pd.DataFrame(rows, columns=list(COLUMNS))
    # Types are given so that a result without rows still makes the right table.
    texts = dict.fromkeys(("theme_id", "claim_id", "other_claim_id", "kind", "detail"), "str")
    return found_rows.astype({**texts, "partition_date": pd.ArrowDtype(pa.date32())})


@dataclass(frozen=True, slots=True)
class _Quantity:
    """A number in a sentence: what it counts (a lemma, `percent` or a currency), and how it is written."""

    value: float
    unit: str
    written: str


def _between(one: "Doc", other: "Doc") -> Contradiction | None:
    for mine in one.sents:
        for theirs in other.sents:
            if _subject(mine) != _subject(theirs) or _years(mine) != _years(theirs):
                continue
            if found := _number(mine, theirs) or _polarity(mine, theirs):
                return found
    return None


def _number(mine: "Span", theirs: "Span") -> Contradiction | None:
    """Each sentence has one number of a unit, and they are not the same. A bound or a comparison is left alone."""
    if _BOUNDS.search(mine.text) or _BOUNDS.search(theirs.text) or _negated(mine) != _negated(theirs):
        return None
    if not _alike(_content(mine), _content(theirs)):
        return None
    here, there = list(_quantities(mine)), list(_quantities(theirs))
    for unit in {quantity.unit for quantity in here} & {quantity.unit for quantity in there}:
        a = [quantity for quantity in here if quantity.unit == unit]
        b = [quantity for quantity in there if quantity.unit == unit]
        if len(a) == len(b) == 1:
            low, high = sorted((a[0].value, b[0].value))
            if high > low * ROUNDING and high - low >= 1 - 1e-9 * high:
                return Contradiction("number", f"One says {a[0].written}, the other {b[0].written}.")
    return None


def _polarity(mine: "Span", theirs: "Span") -> Contradiction | None:
    """The same statement with and without "not", or with a word and its opposite. Numbers must not differ."""
    if {quantity.value for quantity in _quantities(mine)} != {quantity.value for quantity in _quantities(theirs)}:
        return None
    here, there = _heads(mine), _heads(theirs)
    turned = sorted((one, other) for one in here for other in there if (one, other) in _OPPOSITE)
    if not _alike(_content(mine) - {one for one, _ in turned}, _content(theirs) - {other for _, other in turned}):
        return None
    negated = _negated(mine), _negated(theirs)
    if len(turned) == 1 and negated[0] == negated[1]:
        one, other = turned[0]
        return Contradiction("polarity", f"One says “{here[one]}”, the other “{there[other]}”.")
    if not turned and negated[0] != negated[1] and mine.root.lemma_.lower() == theirs.root.lemma_.lower():
        return Contradiction("polarity", f"One says “{_clause(mine if negated[1] else theirs)}”, the other denies it.")
    return None


def _quantities(sentence: "Span") -> Iterator[_Quantity]:
    for token in sentence:
        if token.pos_ != "NUM" or (token.dep_ in ("compound", "quantmod") and token.head.pos_ == "NUM"):
            continue
        parts = sorted([token, *(t for t in token.lefts if t.dep_ in ("compound", "quantmod", "nummod"))], key=_place)
        if (value := number(" ".join(part.lower_ for part in parts))) is None or _YEAR.fullmatch(token.text):
            continue
        written = sentence.doc[parts[0].i : token.i + 1].text
        sign = next((t.text for t in token.lefts if t.text in _MONEY), "")
        if sign:
            yield _Quantity(value, _MONEY[sign], f"{sign}{written.removeprefix(sign)}")
        elif token.head.lower_ in _PERCENT:
            yield _Quantity(value, "percent", f"{written}%" if token.head.text == "%" else f"{written} percent")
        elif token.dep_ == "nummod" and token.head.pos_ == "NOUN":
            yield _Quantity(value, token.head.lemma_.lower(), f"{written} {token.head.text}")


def _place(token: "Token") -> int:
    return token.i


def _content(sentence: "Span") -> set[str]:
    """The words that say something, without units, which may be written as a sign."""
    return {t.lemma_.lower() for t in sentence if t.pos_ in _CONTENT and not t.is_stop} - _UNITS


def _alike(one: set[str], other: set[str]) -> bool:
    """Whether nearly all words are shared and only one of the two says something beside them."""
    shared = one & other
    return len(shared) >= max(AT_LEAST, ALIKE * len(one | other)) and (one <= other or other <= one)


def _years(sentence: "Span") -> set[str]:
    return set(_YEAR.findall(sentence.text))


def _subject(sentence: "Span") -> str | None:
    return next((t.lemma_.lower() for t in sentence.root.children if t.dep_ in ("nsubj", "nsubjpass")), None)


def _negated(sentence: "Span") -> bool:
    return any(t.dep_ == "neg" and t.head == sentence.root for t in sentence)


def _heads(sentence: "Span") -> dict[str, str]:
    """The root and what is said of its subject, by lemma: where an opposite turns the whole statement."""
    root = sentence.root
    said = [root, *(t for t in root.children if t.dep_ in ("acomp", "attr", "dobj", "oprd", "advmod"))]
    return {
        t.lemma_.lower(): t.text for token in said for t in (token, *(c for c in token.children if c.dep_ == "amod"))
    }


def _clause(sentence: "Span") -> str:
    words = sentence.text.strip().rstrip(".!")
    return words if len(words) <= 120 else words[:119].rsplit(" ", 1)[0] + "…"
