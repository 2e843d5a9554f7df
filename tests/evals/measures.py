"""How good picked claims are, measured against passages that a careful reader marked.

Words are counted as runs of letters a–z, digits and inner apostrophes, lower case, over the whole transcript; a span is
a half-open range of such words. The measures are those of the README's table; each is 0 to 1, for one episode.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MEASURES = ("gold@5", "r@10", "ndcg@10", "ads@10", "dull@10", "grounded")
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_LONGEST = 120
_HIT = 0.3

Span = tuple[int, int]


def plain_words(text: str) -> list[str]:
    """The words that spans are counted in."""
    return _WORD.findall(text.lower().replace("’", "'"))


@dataclass(frozen=True)
class Spoken:
    """A transcript as one run of words; `starts` holds where each segment begins, and the end."""

    words: list[str]
    starts: list[int]
    places: dict[str, list[int]] = field(repr=False)

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Spoken":
        run: list[str] = []
        starts = [0]
        for text in texts:
            run += plain_words(text)
            starts.append(len(run))
        places: dict[str, list[int]] = {}
        for i, word in enumerate(run):
            places.setdefault(word, []).append(i)
        return cls(run, starts, places)

    def segments(self, first: int, last: int) -> Span:
        """The span of segments `first` to `last`, both included."""
        return self.starts[first], self.starts[min(last + 1, len(self.starts) - 1)]

    def find(self, quote: str, around: Span | None = None) -> Span | None:
        """Where a quote stands: within `around` if it stands there, else at its first place, else None."""
        wanted = plain_words(quote)
        if not wanted:
            return None
        n = len(wanted)
        found = [(i, i + n) for i in self.places.get(wanted[0], ()) if self.words[i : i + n] == wanted]
        if around:
            found = [s for s in found if s[0] >= around[0] and s[1] <= around[1]] or found
        return found[0] if found else None


@dataclass(frozen=True)
class Marked:
    """What a reader marked in one transcript, as spans: insights and fair picks with their worth of 0 to 5.

    The core of an insight is told by its words, or by the numbers of its first and last word."""

    insights: list[tuple[Span, float]]
    acceptable: list[tuple[Span, float]]
    ads: list[Span]
    dull: list[Span]

    @classmethod
    def of(cls, gold: Mapping[str, Any], spoken: Spoken) -> "Marked":
        def place(mark: Mapping[str, Any]) -> Span:
            return spoken.segments(mark["first_segment"], mark["last_segment"])

        def core(mark: Mapping[str, Any]) -> Span:
            if "first_word" in mark:
                return mark["first_word"], mark["last_word"] + 1
            return spoken.find(mark["quote"], place(mark)) or place(mark)

        return cls(
            [(core(g), g["overall"]) for g in gold["insights"]],
            [(place(a), a["overall"]) for a in gold.get("acceptable", [])],
            [place(a) for a in gold.get("ads", [])],
            [place(a) for a in gold.get("not_insights", [])],
        )


def shared(a: Span, b: Span) -> float:
    """The overlap of two spans as a share of the shorter."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0])) / max(1, min(a[1] - a[0], b[1] - b[0]))


def inside(a: Span, b: Span) -> float:
    """The share of `a` that lies in `b`."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0])) / max(1, a[1] - a[0])


def measure(spoken: Spoken, marked: Marked, quotes: Sequence[str]) -> dict[str, float]:
    """MEASURES for one episode's quotes, best first; only the first ten count, and of each its first 120 words.

    gold@5 is the share of five that hit an insight (30 % of the shorter of the two); r@10 the share of the insights
    that ten hit; ndcg@10 gains an insight's worth once and 60 % of a fair pick's; ads@10 and dull@10 are the shares
    that lie by half in such passages; grounded the share that occurs verbatim.
    """
    spans = [(s[0], min(s[1], s[0] + _LONGEST)) if (s := spoken.find(q)) else None for q in quotes[:10]]
    hits = [_hit(span, marked) for span in spans]
    gains: list[float] = []
    taken: set[int] = set()
    for span, hit in zip(spans, hits, strict=True):
        if hit is not None:
            gains.append(0.0 if hit in taken else marked.insights[hit][1])
            taken.add(hit)
        else:
            gains.append(0.6 * max((w for s, w in marked.acceptable if span and inside(span, s) >= 0.5), default=0.0))
    ideal = sorted([w for _, w in marked.insights] + [0.6 * w for _, w in marked.acceptable], reverse=True)[:10]
    n = max(1, len(spans))
    return {
        "gold@5": sum(h is not None for h in hits[:5]) / 5,
        "r@10": len(taken) / max(1, len(marked.insights)),
        "ndcg@10": _discounted(gains) / max(1e-9, _discounted(ideal)),
        "ads@10": sum(span is not None and any(inside(span, a) >= 0.5 for a in marked.ads) for span in spans) / n,
        "dull@10": sum(span is not None and any(inside(span, d) >= 0.5 for d in marked.dull) for span in spans) / n,
        "grounded": sum(span is not None for span in spans) / n,
    }


def gain(span: Span, marked: Marked) -> float:
    """What one pick is worth alone: the insight's worth, else 60 % of a fair pick's, less what advertising and
    dullness take."""
    hit = _hit(span, marked)
    if hit is not None:
        value = marked.insights[hit][1]
    else:
        value = 0.6 * max((w for s, w in marked.acceptable if inside(span, s) >= 0.5), default=0.0)
    value -= 0.5 * any(inside(span, a) >= 0.5 for a in marked.ads)
    return value - 0.3 * any(inside(span, d) >= 0.5 for d in marked.dull)


def _hit(span: Span | None, marked: Marked) -> int | None:
    """The insight that a span hits most, the earlier one where two are hit alike."""
    if span is None:
        return None
    shares = [shared(span, s) for s, _ in marked.insights]
    best = max(range(len(shares)), key=lambda i: (shares[i], -i), default=None)
    return best if best is not None and shares[best] >= _HIT else None


def _discounted(gains: Sequence[float]) -> float:
    return sum(g / math.log2(i + 2) for i, g in enumerate(gains))
