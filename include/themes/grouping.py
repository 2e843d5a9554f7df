"""Grouping claims into themes: a theme is one story or point told in different words, not a topic.

Themes grow in date order. The claims of a date are grouped among themselves and with the themes of earlier dates in one
step, by average linkage (`include.themes.linkage`): the average over its members keeps a theme from growing link by
link into a topic. Earlier claims never change their theme, and two earlier themes are never joined, so what a date
looks like depends on that date and the 30 days before it, not on the order in which claims are given or dates are run.
Of a theme counts what was said in these 30 days, and one that was not told in them is over: so a date costs by the
claims of a month, whatever the history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from include.models.meaning import specificity
from include.themes.linkage import Compared, Groups, by_verdict, linked, same
from include.themes.rare_words import Counted, Vocabulary, WordLists


@dataclass(frozen=True, slots=True)
class Criterion:
    """What makes claims alike, and how much alike they must be, on average, to tell one story.

    Likeness is the cosine of their vectors, and `rare_words` times what they share of these, less the looseness of
    each: half of its crowding, and `loose_talk` for each step that its words are commoner than `specific` on average.
    Crowding is how like a claim is to those next to its own story, the 10th to the 40th likest of what was said in the
    30 days before (after Lample et al. 2018): what a whole field has in common is no story. `crowding` is the usual
    one, for as long as there are few to compare with. `verdict` is what a chat model's verdict counts that is right 19
    times in 20: its log odds, by those of a point of likeness. `document_length` is how many words are known of a
    document, the unit in which it is counted how rare a word is.
    """

    like_enough: float
    rare_words: float
    crowding: float
    loose_talk: float
    specific: float
    verdict: float
    document_length: int


# Of a text that stands alone. Fitted on insights grouped by hand; `python -m tests.evals.themes` prints how well it
# carries over.
ALONE = Criterion(0.14, rare_words=0.7, crowding=0.26, loose_talk=0.0, specific=0.0, verdict=0.17, document_length=40)
# Of a claim together with what was said around it, which holds the names that the claim itself calls "it" and "they".
# Fitted on pairs of claims of ten shows in two months, which were read: most that now share a theme tell the same.
IN_CONTEXT = Criterion(
    0.35, rare_words=1.5, crowding=0.32, loose_talk=0.1, specific=5.4, verdict=0.30, document_length=2_600
)
# Points of one episode have their surroundings in common, whatever they are about: for claims of one show on one day,
# this stands in place of their rare words.
SAME_SHOW = 0.2

DAYS_REMEMBERED = 30
_NEXT_TO_ITS_STORY = (10, 40)
_ENOUGH_TO_COMPARE = 100

_SOME_DAY = np.datetime64("1970-01-01")


@dataclass(frozen=True, slots=True)
class Claims:
    """Some claims, side by side: row i of `embeddings` (unit vectors, float32, shape (n, dimensions)) is claim i.

    `texts` are headline and insight, `words` the rare words of these or of what was said around them, and `documents`
    name the episode that each is of; where they are left empty, each claim is a document of its own. `show_ids` may be
    left empty where nothing is known of the shows.
    """

    claim_ids: Sequence[str]
    texts: Sequence[str]
    words: Sequence[Sequence[str]]
    embeddings: np.ndarray
    show_ids: Sequence[str] = ()
    documents: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.claim_ids)

    def taken(self, rows: Sequence[int]) -> "Claims":
        """Some of the claims, in the order given."""
        columns: Sequence[Sequence[Any]] = (self.claim_ids, self.texts, self.words, self.show_ids, self.documents)
        ids, texts, words, shows, documents = ([column[i] for i in rows] if len(column) else () for column in columns)
        return Claims(ids, texts, words, self.embeddings[list(rows)], shows, documents)


Verdicts = Mapping[tuple[str, str], str]
"""What a chat model says of two claims, by their ids: `same`, `related` or `different`."""


def assign(
    new: Claims, known: Claims, themes: Sequence[str], criterion: Criterion = ALONE, verdicts: Verdicts | None = None
) -> list[str]:
    """The theme of each new claim, in the order given. `new` are the claims of one date, `known` all claims of earlier
    dates, and `themes` the theme of each of these.

    A theme bears the id of its founding claim with "t" for its first letter: the smallest claim id of the first date
    that speaks of it.
    """
    history = _History(criterion, verdicts)
    history.know(known, themes)
    return history.assign(new)[0]


def derive(
    claims: pd.DataFrame, settled: pd.DataFrame | pa.Table | None = None, verdicts: Verdicts | None = None
) -> pd.DataFrame:
    """The theme of each claim, going date by date: claim_id, partition_date, theme_id, a row a claim of `claims`.

    `claims` has claim_id, partition_date, show_id, episode_id, text (headline and insight), words (the rare words of
    what was said there) and embedding. The result has looseness as well, as `settled` must have it, with claim_id,
    episode_id, partition_date, words, embedding and theme_id, of the claims of the 30 days before, which keep their
    themes. Raises ValueError where embeddings are of several sizes.
    """
    history = _History(IN_CONTEXT, verdicts)
    if settled is not None and len(settled):
        history.read(pa.Table.from_pandas(settled) if isinstance(settled, pd.DataFrame) else settled)
    rows = []
    for value, today in claims.groupby("partition_date", sort=True):
        ids, texts, words, shows, episodes = (
            today[column].tolist() for column in ("claim_id", "text", "words", "show_id", "episode_id")
        )
        day = pd.Timestamp(str(value)).date()
        new = Claims(ids, texts, words, _matrix(today["embedding"]), shows, episodes)
        rows += [
            (claim_id, day, *found)
            for claim_id, *found in zip(ids, *history.assign(new, np.datetime64(day)), strict=True)
        ]
    found = pd.DataFrame(rows, columns=["claim_id", "partition_date", "theme_id", "looseness"])
    # Types are given so that a result without rows still makes the right table.
    texts = dict.fromkeys(("claim_id", "theme_id"), "str")
    return found.astype({**texts, "partition_date": pd.ArrowDtype(pa.date32()), "looseness": "float64"})


def likeness(claims: Claims, criterion: Criterion) -> np.ndarray:
    """How alike each claim is to each other, float64, shape (n, n), if all were of one date and of different shows."""
    alone, *_ = _History(criterion).alone(claims)
    return alone.likeness(alone, criterion.rare_words)


@dataclass(frozen=True, slots=True)
class _Part:
    """The claims of an earlier date, side by side: vectors, rare words, looseness, the numbers of their themes."""

    day: np.datetime64
    claim_ids: Sequence[str]
    embeddings: np.ndarray
    words: WordLists
    counted: Counted
    looseness: np.ndarray
    themes: np.ndarray


class _History:
    """The claims of the last 30 days and their themes."""

    def __init__(self, criterion: Criterion, verdicts: Verdicts | None = None) -> None:
        self._criterion = criterion
        self._verdicts: dict[str, dict[str, str]] = {}
        for pair, verdict in (verdicts or {}).items():
            for one, other in (pair, pair[::-1]):
                self._verdicts.setdefault(one, {})[other] = verdict
        # Of each earlier claim on which there is a verdict, the number of its part and its row there.
        self._compared: dict[str, tuple[int, int]] = {}
        self._vocabulary = Vocabulary(criterion.document_length)
        self._themes: dict[str, int] = {}
        self._parts: list[_Part] = []
        # The vectors of each part's rare words, by what is known of the words now.
        self._words: list[sparse.csr_array] = []

    def read(self, settled: pa.Table) -> None:
        """Takes in claims that have their themes and their looseness."""
        keys = [("partition_date", "ascending"), ("claim_id", "ascending")]
        order = pc.sort_indices(settled.select(["partition_date", "claim_id"]), keys).to_numpy()
        days = settled["partition_date"].to_numpy().astype("datetime64[D]")
        looseness = settled["looseness"].fill_null(self._criterion.crowding / 2).to_numpy()
        ids, episodes, themes = (
            np.array(settled[name].to_pylist(), dtype=object) for name in ("claim_id", "episode_id", "theme_id")
        )
        vectors = _matrix(settled["embedding"].combine_chunks())
        words = self._vocabulary.number(settled["words"].combine_chunks())
        for rows in np.split(order, np.flatnonzero(np.diff(days[order])) + 1):
            of_day, told = words.taken(rows), self._numbers(themes[rows])
            counted = self._vocabulary.count(of_day, episodes[rows])
            self._parts.append(
                _Part(days[rows[0]], ids[rows].tolist(), vectors[rows], of_day, counted, looseness[rows], told)
            )

    def know(self, claims: Claims, themes: Sequence[str]) -> None:
        """Takes in claims that have their themes, as if they had been told on one date."""
        if len(claims):
            groups, words, counted = self.alone(claims)
            ids, vectors, told = claims.claim_ids, claims.embeddings, self._numbers(themes)
            self._parts.append(_Part(_SOME_DAY, ids, vectors, words, counted, groups.looseness, told))

    def assign(self, new: Claims, day: np.datetime64 = _SOME_DAY) -> tuple[list[str], list[float]]:
        """Takes in the claims of the next date, and gives the theme and the looseness of each, in the order given."""
        self._forget(day - np.timedelta64(DAYS_REMEMBERED, "D"))
        _of_one_model({part.embeddings.shape[1] for part in self._parts} | {new.embeddings.shape[1]})
        self._compared = {
            claim_id: (number, row)
            for number, part in enumerate(self._parts)
            for row, claim_id in enumerate(part.claim_ids if self._verdicts else ())
            if claim_id in self._verdicts
        }
        order = sorted(range(len(new)), key=lambda i: new.claim_ids[i])
        new = new.taken(order)
        today, words, counted = self.alone(new)
        names = list(self._themes)
        near = sorted(self._near(today) | self._told_near(new.claim_ids), key=lambda number: names[number])
        grown = self._grown(near)
        rare = self._criterion.rare_words
        to_themes = today.likeness(grown, rare) if near else np.zeros((len(new), 0))
        among = np.where(
            same(new.show_ids, len(new)), today.likeness(today, 0.0) + SAME_SHOW, today.likeness(today, rare)
        )
        is_judged = any(claim_id in self._verdicts for claim_id in new.claim_ids)
        compared = self._told(new.claim_ids, near, today, among) if is_judged else None
        groups = linked(grown, among, to_themes, self._criterion.like_enough, compared)
        founders: dict[int, str] = {}
        themes = [
            names[near[group]] if group < len(near) else "t" + founders.setdefault(group, claim_id)[1:]
            for claim_id, group in zip(new.claim_ids, groups, strict=True)
        ]
        told = self._numbers(themes)
        if len(new):
            self._parts.append(_Part(day, new.claim_ids, new.embeddings, words, counted, today.looseness, told))
        back = np.argsort(order).tolist()
        return [themes[i] for i in back], today.looseness[back].tolist()

    def alone(self, claims: Claims) -> tuple[Groups, WordLists, Counted]:
        """Each claim of the next date as a group of its own, and their rare words, which count from now on."""
        lists = self._vocabulary.number(claims.words)
        counted = self._vocabulary.count(lists, claims.documents or claims.claim_ids)
        self._words = [self._vocabulary.vectors(part.words) for part in self._parts]
        words = self._vocabulary.vectors(lists).astype(np.float64)
        groups = Groups(claims.embeddings.astype(np.float64), words, np.zeros(len(claims)), np.ones(len(claims)))
        loose = 0.5 * self._crowding(groups, claims.show_ids)
        if self._criterion.loose_talk:
            common = np.array([self._criterion.specific - specificity(text) for text in claims.texts])
            loose += self._criterion.loose_talk * common.clip(0)
        return replace(groups, looseness=loose), lists, counted

    def _crowding(self, today: Groups, shows: Sequence[str]) -> np.ndarray:
        """How like each claim is to those next to its own story, among others of its date and the days before."""
        own = same(shows, len(today))
        among = today.likeness(today, self._criterion.rare_words)
        among[own] = -np.inf
        known, likest = (~own).sum(axis=1), [_largest(among)]
        for part, part_words in zip(self._parts, self._words, strict=True):
            shared = self._criterion.rare_words * (today.words @ part_words.T).toarray()
            likest.append(_largest(np.round(today.vectors @ part.embeddings.T + shared, 6)))
            known += len(part.themes)
        crowding = np.full(len(today), self._criterion.crowding)
        for row, (count, alike) in enumerate(zip(known.tolist(), _largest(np.hstack(likest)), strict=True)):
            first, last = min(_NEXT_TO_ITS_STORY[0], count // 10), min(_NEXT_TO_ITS_STORY[1], 2 * count // 5)
            if first < last:
                share = min(count / _ENOUGH_TO_COMPARE, 1.0)
                crowding[row] += share * (alike[first:last].mean() - self._criterion.crowding)
        return crowding

    def _forget(self, first: np.datetime64) -> None:
        """Lets go of what was said before that date."""
        for part in self._parts:
            if part.day < first:
                self._vocabulary.forget(part.counted)
        self._parts = [part for part in self._parts if part.day >= first]

    def _numbers(self, themes: Sequence[str]) -> np.ndarray:
        numbers = (self._themes.setdefault(theme, len(self._themes)) for theme in themes)
        return np.fromiter(numbers, np.int64, count=len(themes))

    def _told_near(self, claim_ids: Sequence[str]) -> set[int]:
        """The themes that a chat model sees a new claim's story in."""
        return {
            self._theme(self._compared[other])
            for claim_id in claim_ids
            for other, verdict in self._verdicts.get(claim_id, {}).items()
            if verdict == "same" and other in self._compared
        }

    def _theme(self, place: tuple[int, int]) -> int:
        """The number of an earlier claim's theme."""
        part, row = place
        return int(self._parts[part].themes[row])

    def _told(self, claim_ids: Sequence[str], near: Sequence[int], today: Groups, alike: np.ndarray) -> Compared:
        """What verdicts say of the new claims, which are so alike, and those themes."""
        bar, counted = self._criterion.like_enough, self._criterion.verdict
        column = {theme: place for place, theme in enumerate(near)}
        row = {claim_id: place for place, claim_id in enumerate(claim_ids)}
        counts, sums = np.zeros((len(row), len(near))), np.zeros((len(row), len(near)))
        among = {}
        for claim_id, place in row.items():
            for other, verdict in self._verdicts.get(claim_id, {}).items():
                if other in row:
                    among[place, row[other]] = by_verdict(alike[place, row[other]], bar, verdict, counted)
                elif other in self._compared and (theme := self._theme(self._compared[other])) in column:
                    counts[place, column[theme]] += 1
                    to_other = self._likeness(today, place, self._compared[other])
                    sums[place, column[theme]] += by_verdict(to_other, bar, verdict, counted)
        return Compared(counts, sums, among)

    def _likeness(self, today: Groups, row: int, place: tuple[int, int]) -> float:
        """How alike a new claim is to an earlier one."""
        part, words = self._parts[place[0]], self._words[place[0]]
        shared = self._criterion.rare_words * (today.words[[row]] @ words[[place[1]]].T).sum()
        loose = today.looseness[row] + part.looseness[place[1]]
        return float(today.vectors[row] @ part.embeddings[place[1]] + shared - loose)

    def _near(self, today: Groups) -> set[int]:
        """The themes that could be joined. An average is at most its largest term, so a theme without a single claim
        that is alike enough to a new one is out of reach."""
        near: set[int] = set()
        vectors, words = today.vectors.astype(np.float32), (self._criterion.rare_words * today.words).astype(np.float32)
        loose = today.looseness.astype(np.float32)[:, None]
        for part, part_words in zip(self._parts, self._words, strict=True):
            alike = vectors @ part.embeddings.T + (words @ part_words.T).toarray() - loose
            enough = alike.max(axis=0) - part.looseness >= self._criterion.like_enough - 1e-4
            near.update(part.themes[enough].tolist())
        return near

    def _grown(self, themes: Sequence[int]) -> Groups:
        """Some themes as groups, in the order given."""
        places = np.full(len(self._themes), -1)
        places[list(themes)] = np.arange(len(themes))
        dimensions = self._parts[0].embeddings.shape[1] if self._parts else 0
        vectors, loose, sizes = np.zeros((len(themes), dimensions)), np.zeros(len(themes)), np.zeros(len(themes))
        words = sparse.csr_array((len(themes), len(self._vocabulary)))
        for part, part_words in zip(self._parts, self._words, strict=True):
            rows = np.flatnonzero(places[part.themes] >= 0)
            groups = places[part.themes[rows]]
            np.add.at(vectors, groups, part.embeddings[rows])
            np.add.at(loose, groups, part.looseness[rows])
            np.add.at(sizes, groups, 1.0)
            members = sparse.csr_array((np.ones(len(rows)), (groups, np.arange(len(rows)))), (len(themes), len(rows)))
            words = words + members @ part_words[rows]
        return Groups(vectors, words, loose, sizes)


def _largest(likeness: np.ndarray) -> np.ndarray:
    """The 40 largest of each row, or all where there are fewer, the largest first."""
    kept = min(_NEXT_TO_ITS_STORY[1], likeness.shape[1])
    return -np.sort(-np.partition(likeness, -kept, axis=1)[:, -kept:], axis=1) if kept else likeness


def _matrix(embeddings: pd.Series | pa.Array) -> np.ndarray:
    """A column of embeddings as float32, shape (n, dimensions); one that comes in Arrow is not copied."""
    if not len(embeddings):
        return np.zeros((0, 0), dtype=np.float32)
    in_pandas = isinstance(embeddings, pd.Series)
    sizes = set(embeddings.map(len)) if in_pandas else set(pc.list_value_length(embeddings).unique().to_pylist())
    _of_one_model(sizes)
    values = np.concatenate(embeddings.tolist()) if in_pandas else embeddings.flatten().to_numpy(zero_copy_only=False)
    return values.astype(np.float32, copy=False).reshape(len(embeddings), -1)


def _of_one_model(sizes: set[int]) -> None:
    if len(sizes) > 1:
        raise ValueError(
            f"The claims' embeddings have {' and '.join(map(str, sorted(sizes)))} dimensions: they come from different "
            "models and cannot be compared. Set the model that the earlier claims have, or embed them all again."
        )
