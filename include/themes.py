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

from include.meaning import specificity

# Fitted on insights grouped by hand; `python -m tests.evals.themes` prints how well it carries over.
LIKE_ENOUGH = 0.375
# Among more claims more are alike by chance: what is asked for rises by so much with each tenfold of this many.
CROWD = 150
STRICTER_BY_TENFOLD = 0.06
# Claims of one show on one day were chosen for being different points; they share their episode's words all the same.
SAME_SHOW = 0.15
# Loose talk is alike whatever it is about: how rare a claim's words are when nothing is taken off, and what is taken
# off for each step that they are commoner. Speech as it was spoken needs more of both than finished sentences: with the
# bar of these, claims of different shows that were put together in two weeks of real talk shared no more than a topic.
WRITTEN = (5.1, 0.15)
SPOKEN = (5.4, 0.3)

_BLOCK = 16_384


@dataclass(frozen=True, slots=True)
class Claims:
    """Some claims, side by side: row i of `embeddings` (unit vectors, float32, shape (n, dimensions)) is claim i.

    `texts` are headline and insight. `show_ids` may be left empty where nothing is known of the shows, `spoken` where
    all are finished sentences and none the speaker's own words.
    """

    claim_ids: Sequence[str]
    texts: Sequence[str]
    embeddings: np.ndarray
    show_ids: Sequence[str] = ()
    spoken: Sequence[bool] = ()

    def __len__(self) -> int:
        return len(self.claim_ids)


def assign(new: Claims, known: Claims, known_themes: Sequence[str]) -> list[str]:
    """The theme of each new claim, in the order given. `new` are the claims of one date, `known` all claims of earlier
    dates, and `known_themes` the theme of each.

    A theme bears the id of its founding claim with "t" for its first letter: the smallest claim id of the first date
    that speaks of it.
    """
    history = _History()
    history.add(known.texts, known.embeddings, known_themes, known.spoken)
    return history.assign(new)


def derive(claims: pd.DataFrame, settled: pd.DataFrame | pa.Table | None = None) -> pd.DataFrame:
    """The theme of each claim, going date by date: claim_id, partition_date, theme_id, a row a claim of `claims`.

    `claims` has claim_id, partition_date, show_id, text (headline and insight), embedding, and may have spoken (whether
    the text is the speaker's own words). `settled` has text, embedding, theme_id, and spoken where `claims` has it, of
    all claims of earlier dates, which keep their themes. An Arrow table is read where it lies: 1,000 claims against
    1,000,000 settled ones take some 15 seconds on two free cores, and little memory beyond the table's own 1.6 GB.
    Raises ValueError where embeddings are of several sizes.
    """
    history = _History()
    earlier = pa.Table.from_pandas(settled) if isinstance(settled, pd.DataFrame) else settled
    for batch in earlier.to_batches() if earlier is not None else ():
        spoken = batch["spoken"].to_pylist() if "spoken" in batch.schema.names else ()
        history.add(batch["text"], _matrix(batch["embedding"]), batch["theme_id"].to_pylist(), spoken)
    rows = []
    for value, today in claims.groupby("partition_date", sort=True):
        ids, texts, shows = (today[column].tolist() for column in ("claim_id", "text", "show_id"))
        spoken = today["spoken"].tolist() if "spoken" in today else ()
        new = Claims(ids, texts, _matrix(today["embedding"]), shows, spoken)
        themes = history.assign(new)
        history.add(new.texts, new.embeddings, themes, new.spoken)
        day = pd.Timestamp(str(value)).date()
        rows += [(claim_id, day, theme) for claim_id, theme in zip(new.claim_ids, themes, strict=True)]
    found = pd.DataFrame(rows, columns=["claim_id", "partition_date", "theme_id"])
    # Types are given so that a result without rows still makes the right table.
    return found.astype({"claim_id": "str", "partition_date": pd.ArrowDtype(pa.date32()), "theme_id": "str"})


def like_enough(claims: int) -> float:
    """How alike two groups must be, on average, to tell one story, where so many claims are compared."""
    return LIKE_ENOUGH + STRICTER_BY_TENFOLD * math.log10(max(claims, CROWD) / CROWD)


def looseness(text: str, spoken: bool) -> float:
    """What is taken off the likeness of a claim to any other."""
    specific, weight = SPOKEN if spoken else WRITTEN
    return weight * max(specific - specificity(text), 0.0)


class _History:
    """All claims so far, in parts of texts, embeddings, the numbers of their themes, and whether each is spoken."""

    def __init__(self) -> None:
        self._themes: dict[str, int] = {}
        self._parts: list[tuple[Any, np.ndarray, np.ndarray, Sequence[bool]]] = []

    def __len__(self) -> int:
        return sum(len(numbers) for _, _, numbers, _ in self._parts)

    def add(self, texts: Any, embeddings: np.ndarray, themes: Sequence[str], spoken: Sequence[bool] = ()) -> None:
        if not len(themes):
            return
        _of_one_model({part.shape[1] for _, part, *_ in self._parts} | {embeddings.shape[1]})
        numbers = (self._themes.setdefault(theme, len(self._themes)) for theme in themes)
        self._parts.append((texts, embeddings, np.fromiter(numbers, dtype=np.int64, count=len(themes)), spoken))

    def assign(self, new: Claims) -> list[str]:
        """The theme of each claim of the next date, in the order given."""
        _of_one_model({part.shape[1] for _, part, *_ in self._parts} | {new.embeddings.shape[1]})
        enough = like_enough(len(self) + len(new))
        order = sorted(range(len(new)), key=lambda i: new.claim_ids[i])
        groups = _Groups.of_one_each(new, order)
        names = list(self._themes)
        near = sorted(self._near(groups.sums, enough), key=lambda number: names[number])
        found = [""] * len(new)
        founders: dict[int, str] = {}
        for row, group in zip(order, _linked(self._grown(near), groups, enough), strict=True):
            if group < len(near):
                found[row] = names[near[group]]
            else:
                founders.setdefault(group, new.claim_ids[row])
                found[row] = "t" + founders[group][1:]
        return found

    def _near(self, vectors: np.ndarray, enough: float) -> set[int]:
        """The themes that could be joined. An average is at most its largest term, so a theme without a single claim
        that is alike enough to a new one is out of reach."""
        near: set[int] = set()
        single = vectors.astype(np.float32)
        for _, embeddings, numbers, _ in self._parts:
            for start in range(0, len(numbers), _BLOCK):
                likest = (single @ embeddings[start : start + _BLOCK].T).max(axis=0)
                near.update(numbers[start : start + _BLOCK][likest >= enough - 1e-4].tolist())
        return near

    def _grown(self, themes: Sequence[int]) -> "_Groups":
        """Some themes as groups, in the order given."""
        places = np.full(len(self._themes), -1)
        places[list(themes)] = np.arange(len(themes))
        dimensions = self._parts[0][1].shape[1] if self._parts else 0
        grown = _Groups(np.zeros((len(themes), dimensions)), np.zeros(len(themes)), np.zeros(len(themes)))
        for texts, embeddings, numbers, spoken in self._parts:
            rows = np.flatnonzero(places[numbers] >= 0)
            loose = [looseness(str(texts[row]), bool(spoken) and spoken[row]) for row in rows.tolist()]
            grown.take(places[numbers[rows]], embeddings[rows], loose)
        return grown


@dataclass(frozen=True, slots=True)
class _Groups:
    """Groups of claims: the sum of their vectors (float64), the sum of their looseness, and how many they are."""

    sums: np.ndarray
    looseness: np.ndarray
    sizes: np.ndarray
    shows: np.ndarray | None = None

    @classmethod
    def of_one_each(cls, claims: Claims, order: Sequence[int]) -> "_Groups":
        shows = np.array([claims.show_ids[i] for i in order], dtype=object) if len(claims.show_ids) else None
        one_each = cls(
            np.zeros_like(claims.embeddings, dtype=np.float64), np.zeros(len(order)), np.zeros(len(order)), shows
        )
        loose = [looseness(claims.texts[i], bool(claims.spoken) and claims.spoken[i]) for i in order]
        one_each.take(np.arange(len(order)), claims.embeddings[list(order)], loose)
        return one_each

    def __len__(self) -> int:
        return len(self.sizes)

    def take(self, places: np.ndarray, vectors: np.ndarray, loose: Sequence[float]) -> None:
        """Adds claims to groups."""
        np.add.at(self.sums, places, vectors)
        np.add.at(self.looseness, places, loose)
        np.add.at(self.sizes, places, 1.0)

    def likeness(self, other: "_Groups") -> np.ndarray:
        """The average likeness of each group's claims to those of each other group."""
        sizes = np.outer(self.sizes, other.sizes)
        loose = np.add.outer(self.looseness / self.sizes, other.looseness / other.sizes)
        return np.round(self.sums @ other.sums.T / sizes - loose, 6)


def _linked(themes: _Groups, claims: _Groups, enough: float) -> list[int]:
    """The group of each claim: a number below len(themes) is that earlier theme, any other a group of this date."""
    among = claims.likeness(claims)
    if claims.shows is not None:
        among -= SAME_SHOW * (claims.shows[:, None] == claims.shows[None, :])
    np.fill_diagonal(among, -np.inf)
    # A row is a group of this date, a column one that it might join: earlier themes first, then those of this date.
    likeness = np.hstack([claims.likeness(themes), among]) if len(themes) else among
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
