"""Claims without a key: passages weighed by an additive model of plain signals and a small sentence embedding.

A passage's worth is a sum: a weight for each signal of `signals`, and a weighted sum over the embedding of its
sentences, each of which counts by its words. So each score can be taken apart into what was seen and how much it
counted. The weights are fitted by `tests.evals.fit_offline`; `weights/offline.json` says on what.
"""

import functools
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from include.claims.claim import Claim, DroppedClaim, Episode, Extraction, ReadEpisode, Score
from include.claims.facts import unsupported
from include.claims.offline import signals
from include.claims.offline.adverts import runs_the_show, sells
from include.claims.offline.headlines import headline
from include.claims.offline.names import Names
from include.claims.offline.passages import Passage, Sentence, passages, sentences
from include.claims.offline.telling import Told, told
from include.claims.offline.wording import readable
from include.claims.untrusted import gives_orders
from include.models.embedding import bundled_encoder
from include.transcripts.segment import Segment
from include.words import words

WEIGHTS = Path(__file__).parent / "weights" / "offline.npz"
CODE = "17"
MOST_CLAIMS = 20
MOST_DROPPED = 20
WORDS_A_CLAIM = 100
ALIKE = 0.75
LEAST_SHARE = 0.03
MOST_OPENING = 10
BEFORE = 100
NEAR = 300

# What a group of signals is called where a score is explained, in the order in which ties are told.
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "numbers": ("gives numbers", ("digits", "percent", "numberword", "time")),
    "causes": ("says why", ("cause", "gerund_generic")),
    "stakes": ("says what is at stake", ("worth", "scope")),
    "contrast": ("sets one thing against another", ("contrast", "comparison", "negation")),
    "names": ("names things", ("names", "acronyms", "quoting")),
    "findings": ("tells what was found or changed", ("finding", "change", "past")),
    "conditions": ("says when it holds", ("condition", "example", "modal")),
    "wording": ("dense wording", ("long_words", "common_words", "letters", "repeats")),
    "person": ("speaks of more than the speaker", ("i", "we", "you", "they", "opinion", "ithink", "story")),
    "plainness": (
        "little hedging or filler",
        ("hedge", "filler", "kindof", "laugh", "exclamation", "question", "trailing", "brackets", "pointing"),
    ),
    "selling": (
        "away from selling and house-keeping",
        ("greeting", "show", "selling", "address", "talk_about", "near_selling", "near_show"),
    ),
    "length": ("a full thought", ("size", "sentences", "first_size")),
    "opening": ("opens and ends cleanly", ("opens_leaning", "ends_open", "starts_capital")),
    "place": (
        "well placed in the talk",
        (
            "after_question", "answers_other", "turn_size", "place_in_turn", "rest_of_turn", "place", "from_start",
            "from_end", "speaker_share", "speaker_asks", "near_asks", "near_laughs", "near_names", "near_numbers",
            "near_long", "next_nods", "has_speaker", "near_size", "captions",
        ),
    ),
    "centre": (
        "close to the episode's centre",
        (
            "to_centre", "to_title", "to_description", "to_near", "density", "to_start", "to_show", "rare",
            "repeated_terms",
        ),
    ),
    "meaning": ("its meaning is like that of passages readers kept", ()),
}  # fmt: skip
_COUNTED_GROUPS = ("numbers", "causes", "stakes", "contrast", "names", "findings", "conditions")


@dataclass(frozen=True)
class Weights:
    """A fitted model: standardisation and weight of each signal, weights over the embedding, what a usual passage is
    worth, the calibration that turns a worth into a score of 0 to 5, and for each of GROUPS what it usually adds to a
    passage that is chosen, and by how much that varies."""

    mean: np.ndarray
    spread: np.ndarray
    plain: np.ndarray
    meaning: np.ndarray
    intercept: float
    usual: float
    slope: float
    offset: float
    chosen_mean: np.ndarray
    chosen_spread: np.ndarray

    def save(self, file: Path) -> None:
        arrays: dict[str, Any] = {name: np.float32(value) for name, value in vars(self).items()}
        np.savez(file, **arrays)

    def contributions(self, table: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """What each group of signals adds to a usual passage's worth, shape (passages, len(GROUPS))."""
        parts = np.clip((table - self.mean) / self.spread, -4, 4) * self.plain
        shares = np.stack([parts[:, columns].sum(axis=1) for columns in _columns().values()], axis=1)
        sizes = table[:, signals.NAMES.index("size")]
        shares[:, -1] += sizes * (vectors @ self.meaning) + self.intercept - self.usual
        return shares

    def score(self, worth: float) -> float:
        return round(min(5.0, max(0.0, self.offset + self.slope * worth)), 3)


@functools.cache
def fitted() -> Weights:
    """The shipped weights; read once a process."""
    with np.load(WEIGHTS) as stored:
        arrays: dict[str, Any] = {n: stored[n] if stored[n].ndim else float(stored[n]) for n in stored.files}
    return Weights(**arrays)


@functools.cache
def _version() -> str:
    return hashlib.sha256(WEIGHTS.read_bytes() + CODE.encode()).hexdigest()[:12]


@functools.cache
def _columns() -> dict[str, list[int]]:
    """The columns of the signal table that belong to each group."""
    owner = {signal: group for group, (_, members) in GROUPS.items() for signal in members}
    columns: dict[str, list[int]] = {group: [] for group in GROUPS}
    for i, name in enumerate(signals.NAMES):
        bare = name.removeprefix("much_").removeprefix("any_").removeprefix("log_")
        columns[owner[bare]].append(i)
    return columns


class Reading:
    """One transcript cut into sentences and passages, with every signal of each passage.

    The passages of `quotes`, claims that somebody else picked, come after those found, in their order.
    """

    def __init__(self, episode: Episode, segments: Sequence[Segment], quotes: Sequence[Claim] = ()):
        self.episode = episode
        self.spoken: list[Sentence] = sentences(segments)
        self.orders = [i for i, s in enumerate(self.spoken) if gives_orders(s.text)]
        self.found: list[Passage] = passages(self.spoken, frozenset(self.orders))
        self.found += [_located(self.spoken, claim) for claim in quotes] if self.spoken else []
        encoder = bundled_encoder()
        self.sentence_vectors = encoder.encode([s.text for s in self.spoken])
        self.table, self.vectors = signals.table(
            self.spoken, self.found, self.sentence_vectors, encoder.encode(signals.about(episode))
        )
        sold = sells(self.spoken)
        self.sold = [any(sold[p.first : p.last + 1]) for p in self.found]

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
        refused = tuple(DroppedClaim(text, "instruction", _DETAIL["instruction"]) for text in orders)
        if not reading.found:
            return Extraction((), refused)
        most = max(3, min(MOST_CLAIMS, sum(s.size for s in reading.spoken) // WORDS_A_CLAIM))
        shares = self._weights.contributions(reading.table, reading.vectors)
        worth = shares.sum(axis=1) + self._weights.usual
        units = reading.vectors / np.maximum(1e-9, np.linalg.norm(reading.vectors, axis=1, keepdims=True))
        chosen: list[int] = []
        dropped: list[tuple[int, str]] = []
        for i in np.argsort(-worth, kind="stable").tolist():
            passage = reading.found[i]
            if any(_overlap(passage, reading.found[j]) for j in chosen):
                continue
            reason = _unfit(reading, i)
            if reason:
                if len(dropped) < MOST_DROPPED and not any(_overlap(passage, reading.found[j]) for j, _ in dropped):
                    dropped.append((i, reason))
                continue
            if chosen and float((units[chosen] @ units[i]).max()) > ALIKE:
                continue
            chosen.append(i)
            if len(chosen) == most:
                break
        return Extraction(
            tuple(_claim(reading, i, worth[i], shares[i], self._weights) for i in chosen),
            tuple(DroppedClaim(reading.found[i].text, reason, _DETAIL[reason]) for i, reason in dropped) + refused,
        )


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
            Score(self._weights.score(f["worth"]), reason(f, claim.quote, self._weights))
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
        shares = self._weights.contributions(reading.table, reading.vectors)
        worth = shares.sum(axis=1) + self._weights.usual
        start = len(reading.found) - len(claims)
        unfit = [_unfit(reading, start + k) is not None for k in range(len(claims))]
        return [
            {"worth": -9.0} if bad else _features(reading, start + k, worth[start + k], shares[start + k])
            for k, bad in enumerate(unfit)
        ]


def reason(features: Mapping[str, float], quote: str, weights: Weights) -> str:
    """What sets a claim apart from others that are chosen, in words, from its figures: up to three things, what stands
    out most first, and last that its meaning is like. Numbers and names are told from the quote."""
    if not any(group in features for group in GROUPS):
        return "sells, keeps house or speaks to a model" if features.get("worth", 0.0) < -5 else "no passage to weigh"
    usual = zip(GROUPS, weights.chosen_mean.tolist(), weights.chosen_spread.tolist(), strict=True)
    standing = sorted(
        (g == "meaning", -(features[g] - mean) / max(spread, 1e-6), g)
        for g, mean, spread in usual
        if features.get(g, 0.0) > LEAST_SHARE and (g not in _COUNTED_GROUPS or features.get(f"{g}_count", 1.0) > 0)
    )
    facts = unsupported(quote, "", frozenset())
    told = {"numbers": [n for n in facts.numbers if n[:1].isdigit()], "names": facts.names}
    spoken_for = [GROUPS[g][0] + (f" ({', '.join(told[g][:2])})" if told.get(g) else "") for *_, g in standing[:3]]
    return "; ".join(spoken_for) or "little speaks for it"


_DETAIL = {
    "advertisement": "lies in a sponsor read",
    "housekeeping": "greets, thanks, or asks to subscribe",
    "instruction": "speaks to a model instead of a listener",
}


def _unfit(reading: Reading, i: int) -> str | None:
    """Why a passage cannot be a claim, None where it can."""
    text = reading.found[i].text
    if reading.sold[i]:
        return "advertisement"
    if gives_orders(text):
        return "instruction"
    if runs_the_show(text):
        return "housekeeping"
    return None


def _overlap(a: Passage, b: Passage) -> bool:
    return a.first <= b.last and a.last >= b.first


def _claim(reading: Reading, i: int, worth: float, shares: np.ndarray, weights: Weights) -> Claim:
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
        features=_features(reading, i, worth, shares),
    )


def _headline(reading: Reading, run: Told, insight: str) -> str:
    before = reading.names.mended(_before(reading, run.first))
    found = headline(insight, before, _near(reading, run.first), reading.names, _whole(reading, run))
    return found or " ".join(insight.split()[:MOST_OPENING]) + "…"


def _whole(reading: Reading, run: Told) -> list[str]:
    """The words of the sentences that are told whose borders were written down, not guessed."""
    spoken = reading.spoken
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


def _features(reading: Reading, i: int, worth: float, shares: np.ndarray) -> dict[str, float]:
    """A passage's worth, what each group of signals adds to it, and how often the counted groups were met."""
    row = reading.table[i]
    figures = {"worth": round(float(worth), 4)}
    figures |= {g: round(float(v), 4) for g, v in zip(GROUPS, shares, strict=True)}
    for group in _COUNTED_GROUPS:
        counted = [signals.NAMES.index(f"much_{s}") for s in GROUPS[group][1]]
        figures[f"{group}_count"] = round(float(np.expm1(row[counted]).sum()))
    return figures


def _kind(reading: Reading, i: int) -> str:
    """The kind that the passage's own marks bear out: a number, a cause, else an opinion."""
    row = dict(zip(signals.NAMES, reading.table[i], strict=True))
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
