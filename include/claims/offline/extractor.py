"""Claims without a key: the passages of an episode that are worth most, by `worth`, and what is told of each."""

import functools
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from include.claims.claim import Claim, DroppedClaim, Episode, Extraction, ReadEpisode, Score
from include.claims.offline import signals
from include.claims.offline.adverts import runs_the_show, sells
from include.claims.offline.headlines import headline
from include.claims.offline.names import Names
from include.claims.offline.passages import Passage, Sentence, passages, sentences
from include.claims.offline.reasons import reason
from include.claims.offline.telling import Told, told
from include.claims.offline.wording import readable
from include.claims.offline.worth import GROUPS, UNFIT, WEIGHTS, Weights, fitted
from include.claims.untrusted import gives_orders
from include.models.embedding import bundled_encoder
from include.transcripts.segment import Segment
from include.words import words

CODE = "21"
MOST_CLAIMS = 20
MOST_DROPPED = 20
WORDS_A_CLAIM = 100
ALIKE = 0.75
MOST_OPENING = 10
BEFORE = 100
NEAR = 300
SELLS = 0.25
"""From what share on, as the fitted weights see it, a passage sells."""
CROWDING, CROWDED = 0.25, 300
"""What a passage loses to a better one at the same place, in standard deviations of the worth of passages, and at how
many words from it that has fallen to a third: one place of a talk is told once."""


@functools.cache
def _version() -> str:
    return hashlib.sha256(WEIGHTS.read_bytes() + CODE.encode()).hexdigest()[:12]


class Reading:
    """One transcript cut into sentences and passages, with every signal of each passage.

    The passages of `quotes`, claims that somebody else picked, come after those found, in their order.
    """

    def __init__(self, episode: Episode, segments: Sequence[Segment], quotes: Sequence[Claim] = ()):
        self.episode = episode
        self.spoken: list[Sentence] = sentences(segments)
        self.orders = [i for i, s in enumerate(self.spoken) if gives_orders(s.text)]
        self.found: list[Passage] = passages(self.spoken, frozenset(self.orders))
        picked = [_located(self.spoken, claim) for claim in quotes] if self.spoken else []
        encoder = bundled_encoder()
        self.sentence_vectors = encoder.encode([s.text for s in self.spoken])
        about = encoder.encode(signals.about(episode))
        self.seen = signals.seen(self.spoken, self.found, picked, self.sentence_vectors, about)
        self.found += picked
        sold = sells(self.spoken)
        self.rules = np.array([[any(sold[p.first : p.last + 1]), runs_the_show(p.text)] for p in self.found])

    @functools.cached_property
    def names(self) -> Names:
        return Names(self.episode, [sentence.text for sentence in self.spoken])


class OfflineExtractor:
    """Finds the passages of an episode that are worth a reader's while, by figures alone: no network, no key."""

    name = "offline"

    def __init__(self, weights: Weights | None = None):
        self._weights = weights or fitted()

    @property
    def version(self) -> str:
        return _version()

    def extract(self, episode: Episode, segments: Sequence[Segment]) -> Extraction:
        """Up to twenty claims an episode, best first, none overlapping another, each a point of its own; fewer where
        less is said. What would have been among them but sells, keeps house or speaks to a model is dropped."""
        return self.choose(Reading(episode, segments))

    def choose(self, reading: Reading) -> Extraction:
        """The claims of a transcript that has been read."""
        orders = [reading.spoken[i].text for i in reading.orders[:MOST_DROPPED]]
        picks = pick(reading, self._weights)
        return Extraction(
            tuple(_claim(reading, i, shares, self._weights) for i, shares in picks.chosen),
            (
                *(DroppedClaim(reading.found[i].text, reason, _DETAIL[reason]) for i, reason in picks.dropped),
                *(DroppedClaim(text, "instruction", _DETAIL["instruction"]) for text in orders),
            ),
        )


@dataclass(frozen=True, slots=True)
class Picks:
    """Passages by their number, best first: those chosen, each with what every one of GROUPS adds to its worth, and
    those that would have been but for a reason."""

    chosen: list[tuple[int, np.ndarray]]
    dropped: list[tuple[int, str]]


def pick(reading: Reading, weights: Weights) -> Picks:
    """Which passages of a transcript are its claims."""
    picks = Picks([], [])
    if not reading.found:
        return picks
    most = max(3, min(MOST_CLAIMS, sum(s.size for s in reading.spoken) // WORDS_A_CLAIM))
    shares = weights.contributions(reading.seen)
    worth = shares.sum(axis=1)
    selling = weights.selling(reading.seen, reading.rules)
    meaning = reading.seen.meaning
    units = meaning / np.maximum(1e-9, np.linalg.norm(meaning, axis=1, keepdims=True))
    starts = np.array([reading.spoken[passage.first].at for passage in reading.found])
    waiting, crowding = np.ones(len(worth), dtype=bool), np.zeros(len(worth))
    while len(picks.chosen) < most and waiting.any():
        i = int(np.argmax(np.where(waiting, worth - crowding, -np.inf)))
        waiting[i] = False
        passage = reading.found[i]
        if any(_overlap(passage, reading.found[j]) for j, _ in picks.chosen):
            continue
        if reason := _unfit(reading, i, selling):
            overlapping = any(_overlap(passage, reading.found[j]) for j, _ in picks.dropped)
            if len(picks.dropped) < MOST_DROPPED and not overlapping:
                picks.dropped.append((i, reason))
            continue
        if any(units[j] @ units[i] > ALIKE for j, _ in picks.chosen):
            continue
        shares[i, GROUPS.index("crowding")] = -crowding[i]
        picks.chosen.append((i, shares[i]))
        crowding += CROWDING * worth.std() * np.exp(-np.abs(starts - starts[i]) / CROWDED)
    return picks


class OfflineScorer:
    """Scores claims by the same figures that find them, on the scale of a reader's overall mark, 0 to 5."""

    name = "offline"

    def __init__(self, weights: Weights | None = None):
        self._weights = weights or fitted()

    @property
    def version(self) -> str:
        return _version()

    def score(self, day: Sequence[ReadEpisode]) -> list[list[Score]]:
        """Claims that bear this model's figures are scored by them; the others' passages are looked up and weighed."""
        return [self._score_episode(read) for read in day]

    def _score_episode(self, read: ReadEpisode) -> list[Score]:
        strangers = [claim for claim in read.claims if "worth" not in claim.features]
        found = iter(self._figures(read.episode, read.segments, strangers))
        figures = [claim.features if "worth" in claim.features else next(found) for claim in read.claims]
        return [
            Score(self._weights.score(f["worth"]), reason(f, _shown(claim), self._weights))
            for f, claim in zip(figures, read.claims, strict=True)
        ]

    def _figures(
        self, episode: Episode, segments: Sequence[Segment], claims: Sequence[Claim]
    ) -> list[Mapping[str, float]]:
        if not claims:
            return []
        reading = Reading(episode, segments, claims)
        if not reading.found:
            return [{"worth": 0.0} for _ in claims]
        shares = self._weights.contributions(reading.seen)
        selling = self._weights.selling(reading.seen, reading.rules)
        return [
            {"worth": UNFIT} if _unfit(reading, i, selling) else _features(shares[i])
            for i in range(len(reading.found) - len(claims), len(reading.found))
        ]


_DETAIL = {
    "advertisement": "lies in a sponsor read",
    "housekeeping": "greets, thanks, or asks to subscribe",
    "instruction": "speaks to a model instead of a listener",
}


def _unfit(reading: Reading, i: int, selling: np.ndarray) -> str | None:
    """Why a passage cannot be a claim, None where it can. `selling` is how much of each passage sells."""
    sold, runs = reading.rules[i]
    if sold:
        return "advertisement"
    if gives_orders(reading.found[i].text):
        return "instruction"
    if selling[i] > SELLS:
        return "housekeeping" if runs else "advertisement"
    return None


def _shown(claim: Claim) -> str:
    """The speaker's words as a reader sees them."""
    return claim.insight if "worth" in claim.features else claim.quote


def _overlap(a: Passage, b: Passage) -> bool:
    return a.first <= b.last and a.last >= b.first


def _claim(reading: Reading, i: int, shares: np.ndarray, weights: Weights) -> Claim:
    passage = reading.found[i]
    run = told(reading.spoken, reading.sentence_vectors, passage, weights.meaning)
    insight = readable(reading.names.mended(run.text(reading.spoken)))
    first, last = reading.spoken[passage.first], reading.spoken[passage.last]
    return Claim(
        quote=passage.text,
        headline=_headline(reading, run, insight),
        insight=insight,
        speaker=first.speaker,
        first_segment=first.first_segment,
        last_segment=last.last_segment,
        start_seconds=first.start_seconds,
        kind=_kind(reading, i),
        features=_features(shares),
    )


def _headline(reading: Reading, run: Told, insight: str) -> str:
    before = reading.names.mended(_before(reading, run.first))
    sizes = np.array([sentence.size for sentence in reading.spoken[run.first : run.last + 1]], dtype=np.float32)
    meaning = sizes @ reading.sentence_vectors[run.first : run.last + 1]
    meaning /= np.linalg.norm(meaning) + 1e-9
    near = _near(reading, run.first)
    found = headline(insight, before, near, reading.names, meaning, _whole(reading, run))
    return found or " ".join(insight.split()[:MOST_OPENING]) + "…"


def _whole(reading: Reading, run: Told) -> list[str] | None:
    """The words of the sentences that are told whose borders were written down, not guessed; None where all are."""
    spoken = reading.spoken
    ended = [not sentence.text[-1].isalnum() for sentence in spoken[max(0, run.first - 1) : run.last + 1]]
    if all(ended):
        return None
    return [
        " ".join(words(reading.names.mended(readable(spoken[i].text))))
        for i in range(run.first, run.last + 1)
        if not spoken[i].text[-1].isalnum() and not (i > 0 and spoken[i - 1].text[-1].isalnum())
    ]


def _before(reading: Reading, first: int) -> str:
    """What was said in the hundred words before a sentence."""
    at = reading.spoken[first].at
    return " ".join(s.text for s in reading.spoken[max(0, first - 40) : first] if s.at >= at - BEFORE)


def _near(reading: Reading, first: int) -> Counter[str]:
    """How often each word is said within 300 words of the beginning of a passage."""
    at = reading.spoken[first].at
    return Counter(w for s in reading.spoken if abs(s.at - at) <= NEAR for w in words(s.text))


def _features(shares: np.ndarray) -> dict[str, float]:
    """A passage's worth, and what each group of signals adds to it."""
    figures = {"worth": round(float(shares.sum()), 4)}
    return figures | {g: round(float(v), 4) for g, v in zip(GROUPS, shares, strict=True)}


def _kind(reading: Reading, i: int) -> str:
    """The kind that the passage's own marks bear out: a number, a cause, else an opinion."""
    row = dict(zip(signals.NAMES, reading.seen.table[i], strict=True))
    if row["much_percent"] > 0 or row["much_digits"] > 0:
        return "number"
    return "cause" if row["much_cause"] > 0 else "opinion"


def _located(spoken: Sequence[Sentence], claim: Claim) -> Passage:
    """The sentences that a quote lies in, within its segments; all the sentences of those where it is not found."""
    inside = [
        i
        for i, s in enumerate(spoken)
        if s.last_segment >= claim.first_segment and s.first_segment <= claim.last_segment
    ]
    if not inside:
        inside = [min(range(len(spoken)), key=lambda i: abs(spoken[i].first_segment - claim.first_segment))]
    first, last = inside[0], inside[-1]
    wanted = words(claim.quote)
    heard = [(w, i) for i in inside for w in words(spoken[i].text)]
    for start in range(len(heard) - len(wanted) + 1):
        if wanted and heard[start][0] == wanted[0] and [w for w, _ in heard[start : start + len(wanted)]] == wanted:
            first, last = heard[start][1], heard[start + len(wanted) - 1][1]
            break
    text = " ".join(s.text for s in spoken[first : last + 1])
    return Passage(first, last, text, sum(s.size for s in spoken[first : last + 1]))
