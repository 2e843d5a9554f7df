"""Sponsor reads and house-keeping: which sentences of a transcript sell something or run the show."""

import re
from collections import Counter
from collections.abc import Sequence

from include.claims.offline.passages import Sentence
from include.words import words

REACH = 300
GAP = 110
AFTER = 35
SHORT_PART = 400

_SPONSOR = re.compile(
    r"\b(?:(?:is|was|are|were|been)? ?(?:brought to you|sponsored|supported|made possible) by|"
    r"sponsor(?:s|ed|ing)?\b(?! the| a)|(?:our|my|the) (?:good )?friends (?:at|over at|from)|"
    r"thanks? (?:you )?to .{2,60} for (?:sponsoring|supporting)|"
    r"(?:this|today's|our) (?:episode|show|week)'?s? (?:is )?(?:sponsor|partner)s?|"
    r"a (?:quick )?word from|(?:big |proud )?supporters? of (?:the|this|our|python) ?\w*|"
    r"support(?:s|ing|ed)? (?:for )?(?:the|this|our) (?:show|podcast|episode))",
    re.I,
)
_OFFER = re.compile(
    r"\b(?:free trial|promo ?code|coupon code|discount code|use (?:the )?(?:promo )?code|(?:percent|%) off|"
    r"money[- ]back|no credit card|book a demo|request a demo|sign up (?:today|now|for free|at|for)|"
    r"(?:get started|learn more|find out more|check (?:it|them) out)(?: today| now| for free)? (?:at|by visiting)|"
    r"try (?:it|them) (?:out )?(?:for free|today)|our listeners|listeners (?:of|get)|"
    r"just for .{0,30}(?:readers|listeners)|"
    r"(?:visit|go to|head (?:over )?to|check out) \S{2,}(?:\.| dot )(?:com|io|dev|fm|ai|org|net|co|app|sh)\b)",
    re.I,
)
_BY = re.compile(
    r"\b(?:brought to you by|sponsored by|(?:good )?friends (?:over )?at|our sponsors?,?|a word from)", re.I
)
_HEAD = re.compile(r"\bsponsor", re.I)
_RUNNING = re.compile(
    r"\b(?:subscribe|follow us|follow the (?:show|podcast)|rate (?:us|and review)|leave (?:us )?a review|"
    r"links? (?:is |are |will be )?in the show ?notes|in the show ?notes|"
    r"thanks (?:so much )?for (?:listening|tuning in|joining|having me|coming on|being here)|"
    r"welcome (?:back )?to (?:the |another |this )?(?:show|podcast|episode)|see you (?:next|in)|next week's|"
    r"(?:that's|that is) (?:it|all) for (?:this|today)|join (?:us|our) (?:on|in|next|slack|discord)|our newsletter|"
    r"worth your attention|that's the news|shout ?outs?\b|plus ?plus|changelog\+\+|patreon|live ?stream)\b",
    re.I,
)
_NAME = re.compile(r"\b[A-Z][A-Za-z0-9]{2,}\b")
_OPENING_WORDS = (
    "This That These They There Then Thanks Thank The And But For From With Our Your You What When Where Why How Who "
    "Just Check Visit Learn Get Use Head Sign Also Again Now Today Week Episode Show Podcast News Talk Python "
    "Sponsored Sponsor Sponsors Sponsoring Support Yeah Okay Well"
)
_NOT_NAMES = frozenset(_OPENING_WORDS.split())


def sells(spoken: Sequence[Sentence]) -> list[bool]:
    """Whether each sentence lies in a sponsor read.

    A read begins or ends with a sentence that names its sponsor or makes an offer, and goes on as long as the
    sponsor's name keeps coming back, at most 300 words to either side. A short part of the show between two breaks in
    which anything is sold is a read from end to end.
    """
    selling = [False] * len(spoken)
    known = [n for s in spoken for m in _BY.finditer(s.text) for n in _names(s.text[m.end() : m.end() + 60])]
    for i, sentence in enumerate(spoken):
        named = _SPONSOR.search(sentence.text)
        offered = _OFFER.search(sentence.text)
        if not named and not offered:
            continue
        selling[i] = True
        for name in _sponsors(spoken, i, sentence.text[named.start() :] if named else sentence.text, known):
            _spread(spoken, i, name, selling)
    parts: dict[int, list[int]] = {}
    for i, sentence in enumerate(spoken):
        parts.setdefault(sentence.part, []).append(i)
    for inside in parts.values():
        if len(parts) > 2 and any(selling[i] for i in inside) and sum(spoken[i].size for i in inside) <= SHORT_PART:
            sold = sum(bool(_SPONSOR.search(spoken[i].text) or _OFFER.search(spoken[i].text)) for i in inside)
            for i in inside:
                selling[i] = selling[i] or sold >= 2 or bool(_HEAD.search(spoken[inside[0]].text))
    return selling


def runs_the_show(text: str) -> bool:
    """Whether a text greets, thanks, points to the show notes or asks to subscribe."""
    return bool(_RUNNING.search(text))


def _names(text: str) -> list[str]:
    return [n for n in _NAME.findall(text) if n not in _NOT_NAMES]


def _sponsors(spoken: Sequence[Sentence], i: int, text: str, known: Sequence[str]) -> list[str]:
    """The sponsors known from elsewhere in the episode and the names in a sponsor sentence (or, where it has none, in
    the next two) that come twice or more close by."""
    names = _names(text) or [n for s in spoken[i + 1 : i + 3] for n in _names(s.text)]
    names = [*known, *names]
    near: Counter[str] = Counter()
    for j in _near(spoken, i):
        near.update(set(words(spoken[j].text)))
    return [n for n in dict.fromkeys(names) if near[n.lower()] >= 2][:6]


def _near(spoken: Sequence[Sentence], i: int) -> list[int]:
    at = spoken[i].at
    left = right = i
    while left > 0 and at - spoken[left - 1].at <= REACH:
        left -= 1
    while right + 1 < len(spoken) and spoken[right + 1].at - at <= REACH:
        right += 1
    return list(range(left, right + 1))


def _spread(spoken: Sequence[Sentence], i: int, name: str, selling: list[bool]) -> None:
    """Marks the sentences from `i` outwards as long as the name comes back within 70 words."""
    wanted = name.lower()
    near = _near(spoken, i)
    for path in ([j for j in near if j > i], [j for j in reversed(near) if j < i]):
        pending: list[int] = []
        gap = 0
        for j in path:
            pending.append(j)
            if wanted in words(spoken[j].text):
                for k in pending:
                    selling[k] = True
                pending, gap = [], 0
                continue
            gap += spoken[j].size
            if gap > GAP:
                break
        if path and path[0] > i:
            after = 0
            for k in pending:
                after += spoken[k].size
                if after > AFTER or spoken[k].turn != spoken[i].turn:
                    break
                selling[k] = True
