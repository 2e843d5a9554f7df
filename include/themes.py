"""Grouping claims into themes: a theme is one story or point told in different words, not a topic.

Themes grow in date order. The claims of a date are grouped among themselves and with the themes of earlier dates in one
step, by average linkage: of all groups that might be joined, the two that are most alike on average are joined, until
none are alike enough. The average over all members keeps a theme from growing link by link into a topic. Earlier
claims never change their theme, and two earlier themes are never joined, so what a date looks like depends on that date
and the dates before it, not on the order in which claims are given or dates are run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from include.meaning import specificity
from include.rare_words import Vocabulary, WordLists


@dataclass(frozen=True, slots=True)
class Bar:
    """What makes claims alike, and how much alike they must be, on average, to tell one story.

    Likeness is the cosine of their vectors, and `rare_words` times what they share of these, less `looseness` for each
    step that the words of one are commoner than `specific` on average: loose talk is alike whatever it is about.
    `document_length` is how many words are known of a document, the unit in which it is counted how rare a word is.
    """

    like_enough: float
    rare_words: float
    specific: float
    looseness: float
    document_length: int


# Of a text that stands alone. Fitted on insights grouped by hand; `python -m tests.evals.themes` prints how well it
# carries over.
ALONE = Bar(like_enough=0.39, rare_words=0.7, specific=0.0, looseness=0.0, document_length=40)
# Of a claim together with what was said around it, which holds the names that the claim itself calls "it" and "they".
# Fitted on pairs of claims of ten shows in two months, which were read: most that now share a theme tell the same.
IN_CONTEXT = Bar(like_enough=0.66, rare_words=1.5, specific=5.4, looseness=0.1, document_length=2_600)
# Among more claims more are alike by chance: what is asked for rises by so much with each tenfold of this many.
CROWD = 150
STRICTER_BY_TENFOLD = 0.06
# Points of one episode have their surroundings in common, whatever they are about: for claims of one show on one day,
# this stands in place of their rare words.
SAME_SHOW = 0.14

_BLOCK = 16_384


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


def assign(new: Claims, known: Claims, known_themes: Sequence[str], bar: Bar = ALONE) -> list[str]:
    """The theme of each new claim, in the order given. `new` are the claims of one date, `known` all claims of earlier
    dates, and `known_themes` the theme of each.

    A theme bears the id of its founding claim with "t" for its first letter: the smallest claim id of the first date
    that speaks of it.
    """
    history = _History(bar)
    history.read(
        pa.table(
            {
                "episode_id": list(known.documents or known.claim_ids),
                "text": list(known.texts),
                "words": pa.array(map(list, known.words), pa.list_(pa.string())),
                "embedding": pa.array(list(known.embeddings), pa.list_(pa.float32())),
                "theme_id": list(known_themes),
            }
        )
    )
    return history.assign(new)


def derive(claims: pd.DataFrame, settled: pd.DataFrame | pa.Table | None = None) -> pd.DataFrame:
    """The theme of each claim, going date by date: claim_id, partition_date, theme_id, a row a claim of `claims`.

    `claims` has claim_id, partition_date, show_id, episode_id, text (headline and insight), words (the rare words of
    what was said there) and embedding. `settled` has episode_id, text, words, embedding and theme_id of all claims of
    earlier dates, which keep their themes. An Arrow table is read where it lies: `make bench` prints time and memory of
    1,000 claims against 1,000,000 settled ones. Raises ValueError where embeddings are of several sizes.
    """
    history = _History(IN_CONTEXT)
    earlier = pa.Table.from_pandas(settled) if isinstance(settled, pd.DataFrame) else settled
    if earlier is not None:
        history.read(earlier)
    rows = []
    for value, today in claims.groupby("partition_date", sort=True):
        ids, texts, words, shows, episodes = (
            today[column].tolist() for column in ("claim_id", "text", "words", "show_id", "episode_id")
        )
        themes = history.assign(Claims(ids, texts, words, _matrix(today["embedding"]), shows, episodes))
        day = pd.Timestamp(str(value)).date()
        rows += [(claim_id, day, theme) for claim_id, theme in zip(ids, themes, strict=True)]
    found = pd.DataFrame(rows, columns=["claim_id", "partition_date", "theme_id"])
    # Types are given so that a result without rows still makes the right table.
    return found.astype({"claim_id": "str", "partition_date": pd.ArrowDtype(pa.date32()), "theme_id": "str"})


def likeness(claims: Claims, bar: Bar) -> np.ndarray:
    """How alike each claim is to each other, float64, shape (n, n), if all were of one date and of different shows."""
    history = _History(bar)
    words = history.number(claims)
    alone = history.alone(claims, history.vocabulary.vectors(words), range(len(claims)))
    return alone.likeness(alone, bar.rare_words)


def like_enough(claims: int, bar: Bar = ALONE) -> float:
    """How alike two groups must be, on average, to tell one story, where so many claims are compared."""
    return bar.like_enough + STRICTER_BY_TENFOLD * math.log10(max(claims, CROWD) / CROWD)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some claims of the history, side by side, and the numbers of their themes."""

    texts: Any
    embeddings: np.ndarray
    words: WordLists
    themes: np.ndarray


class _History:
    """All claims so far and their themes."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self.vocabulary = Vocabulary(bar.document_length)
        self._themes: dict[str, int] = {}
        self._parts: list[_Part] = []

    def __len__(self) -> int:
        return sum(len(part.themes) for part in self._parts)

    def read(self, settled: pa.Table) -> None:
        """Takes in claims that have their themes."""
        documents = []
        for batch in settled.to_batches():
            words = self.vocabulary.number(batch["words"])
            self._add(batch["text"], _matrix(batch["embedding"]), words, batch["theme_id"].to_pylist())
            documents.append((words, batch["episode_id"].to_pylist()))
        self.vocabulary.count(documents)

    def assign(self, new: Claims) -> list[str]:
        """Takes in the claims of the next date, and gives the theme of each, in the order given."""
        _of_one_model({part.embeddings.shape[1] for part in self._parts} | {new.embeddings.shape[1]})
        words = self.number(new)
        earlier = [self.vocabulary.vectors(part.words) for part in self._parts]
        enough = like_enough(len(self) + len(new), self._bar)
        order = sorted(range(len(new)), key=lambda i: new.claim_ids[i])
        today = self.alone(new, self.vocabulary.vectors(words), order)
        names = list(self._themes)
        near = sorted(self._near(today, earlier, enough), key=lambda number: names[number])
        found = [""] * len(new)
        founders: dict[int, str] = {}
        shows = [new.show_ids[i] for i in order] if len(new.show_ids) else None
        linked = _linked(self._grown(near, earlier), today, shows, self._bar.rare_words, enough)
        for row, group in zip(order, linked, strict=True):
            if group < len(near):
                found[row] = names[near[group]]
            else:
                founders.setdefault(group, new.claim_ids[row])
                found[row] = "t" + founders[group][1:]
        self._add(new.texts, new.embeddings, words, found)
        return found

    def number(self, new: Claims) -> WordLists:
        """The rare words of new claims, which count from now on."""
        words = self.vocabulary.number(new.words)
        self.vocabulary.count([(words, new.documents or new.claim_ids)])
        return words

    def _add(self, texts: Any, embeddings: np.ndarray, words: WordLists, themes: Sequence[str]) -> None:
        numbers = (self._themes.setdefault(theme, len(self._themes)) for theme in themes)
        if len(themes):
            self._parts.append(_Part(texts, embeddings, words, np.fromiter(numbers, np.int64, count=len(themes))))

    def alone(self, claims: Claims, words: sparse.csr_array, order: Sequence[int]) -> "_Groups":
        """Each claim as a group of its own."""
        loose = np.array([self._looseness(claims.texts[i]) for i in order])
        vectors = claims.embeddings[list(order)].astype(np.float64)
        return _Groups(vectors, words[list(order)].astype(np.float64), loose, np.ones(len(order)))

    def _near(self, today: "_Groups", earlier: Sequence[sparse.csr_array], enough: float) -> set[int]:
        """The themes that could be joined. An average is at most its largest term, so a theme without a single claim
        that is alike enough to a new one is out of reach."""
        near: set[int] = set()
        vectors, words = today.vectors.astype(np.float32), (self._bar.rare_words * today.words).astype(np.float32)
        for part, earlier_words in zip(self._parts, earlier, strict=True):
            for start in range(0, len(part.themes), _BLOCK):
                block = slice(start, start + _BLOCK)
                likeness = vectors @ part.embeddings[block].T
                shared = (words @ earlier_words[block].T).tocoo()
                likeness[shared.row, shared.col] += shared.data
                near.update(part.themes[block][likeness.max(axis=0) >= enough - 1e-4].tolist())
        return near

    def _grown(self, themes: Sequence[int], earlier: Sequence[sparse.csr_array]) -> "_Groups":
        """Some themes as groups, in the order given."""
        places = np.full(len(self._themes), -1)
        places[list(themes)] = np.arange(len(themes))
        dimensions = self._parts[0].embeddings.shape[1] if self._parts else 0
        vectors, loose, sizes = np.zeros((len(themes), dimensions)), np.zeros(len(themes)), np.zeros(len(themes))
        words = sparse.csr_array((len(themes), len(self.vocabulary)))
        for part, part_words in zip(self._parts, earlier, strict=True):
            rows = np.flatnonzero(places[part.themes] >= 0)
            groups = places[part.themes[rows]]
            np.add.at(vectors, groups, part.embeddings[rows])
            np.add.at(loose, groups, [self._looseness(str(part.texts[row])) for row in rows.tolist()])
            np.add.at(sizes, groups, 1.0)
            members = sparse.csr_array((np.ones(len(rows)), (groups, np.arange(len(rows)))), (len(themes), len(rows)))
            words = words + members @ part_words[rows]
        return _Groups(vectors, words, loose, sizes)

    def _looseness(self, text: str) -> float:
        """What is taken off the likeness of a claim to any other."""
        return self._bar.looseness * max(self._bar.specific - specificity(text), 0.0) if self._bar.looseness else 0.0


@dataclass(frozen=True, slots=True)
class _Groups:
    """Groups of claims: the sum of their vectors (float64), the sum of their rare words' vectors, the sum of their
    looseness, and how many they are."""

    vectors: np.ndarray
    words: sparse.csr_array
    looseness: np.ndarray
    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.sizes)

    def likeness(self, other: "_Groups", rare_words: float) -> np.ndarray:
        """The average likeness of each group's claims to those of each other group."""
        shared = rare_words * (self.words @ other.words.T).toarray()
        loose = np.add.outer(self.looseness / self.sizes, other.looseness / other.sizes)
        return np.round((self.vectors @ other.vectors.T + shared) / np.outer(self.sizes, other.sizes) - loose, 6)


def _linked(
    themes: _Groups, claims: _Groups, shows: Sequence[str] | None, rare_words: float, enough: float
) -> list[int]:
    """The group of each claim: a number below len(themes) is that earlier theme, any other a group of this date."""
    among = claims.likeness(claims, rare_words)
    if shows is not None:
        own = np.array(shows, dtype=object)
        among = np.where(own[:, None] == own[None, :], claims.likeness(claims, 0.0) + SAME_SHOW, among)
    np.fill_diagonal(among, -np.inf)
    # A row is a group of this date, a column one that it might join: earlier themes first, then those of this date.
    likeness = np.hstack([claims.likeness(themes, rare_words), among]) if len(themes) else among
    sizes = np.concatenate([themes.sizes, claims.sizes])
    group = np.arange(len(themes), len(sizes))
    while len(claims):
        row, column = divmod(int(likeness.argmax()), len(sizes))
        if likeness[row, column] < enough:
            break
        # A theme takes in a group of this date; of two groups of this date, the one that is listed first does.
        into, out = sorted((len(themes) + row, column))
        share = sizes[into] / (sizes[into] + sizes[out])
        likeness[:, into] = share * likeness[:, into] + (1 - share) * likeness[:, out]
        if into >= len(themes):
            one, other = into - len(themes), out - len(themes)
            likeness[one] = share * likeness[one] + (1 - share) * likeness[other]
            likeness[one, into] = -np.inf
        likeness[:, out], likeness[out - len(themes)] = -np.inf, -np.inf
        sizes[into] += sizes[out]
        group[group == out] = into
    return group.tolist()


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
