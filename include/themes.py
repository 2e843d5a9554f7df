"""Grouping claims into themes: a theme is one story or point told in different words, not a topic.

Themes grow in date order. The claims of a date are grouped among themselves and with the themes of earlier dates in one
step, by average linkage: of all groups that might be joined, the two that are most alike on average are joined, until
none are alike enough. The average over all members keeps a theme from growing link by link into a topic. Earlier
claims never change their theme, so what a date looks like depends on that date and the dates before it, not on the
order in which claims are given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

LIKE_ENOUGH = 0.42


@dataclass(frozen=True, slots=True)
class Claims:
    """Some claims, side by side: row i of `embeddings` (unit vectors, float32, shape (n, 384)) is claim i.

    `texts` are headline and insight.
    """

    claim_ids: Sequence[str]
    texts: Sequence[str]
    embeddings: np.ndarray

    def __len__(self) -> int:
        return len(self.claim_ids)


def assign(new: Claims, known: Claims, known_themes: Sequence[str]) -> list[str]:
    """The theme of each new claim, in the order given. `new` are the claims of one date, `known` those of all earlier
    dates with the theme of each.

    A theme bears the id of its founding claim with "t" for its first letter: the smallest claim id of the first date
    that speaks of it.
    """
    theme_ids, membership = np.unique(np.asarray(known_themes, dtype=object), return_inverse=True)
    sums = np.zeros((len(theme_ids), new.embeddings.shape[1]), dtype=np.float32)
    np.add.at(sums, membership, known.embeddings)
    sizes = np.bincount(membership, minlength=len(theme_ids)).astype(np.float32)
    return _assign(new, list(theme_ids), sums, sizes)


def derive(claims: pd.DataFrame, settled: pd.DataFrame | None = None) -> pd.DataFrame:
    """The theme of each claim, going date by date: claim_id, partition_date, theme_id, a row a claim of `claims`.

    `claims` has claim_id, partition_date, text, embedding; `settled` the same and theme_id, for dates before those of
    `claims`: its claims keep their themes.
    """
    theme_ids: list[str] = []
    sums = np.zeros((0, 0), dtype=np.float32)
    sizes = np.zeros(0, dtype=np.float32)
    if settled is not None and len(settled):
        ids, membership = np.unique(settled["theme_id"].to_numpy(dtype=object), return_inverse=True)
        vectors = _matrix(settled["embedding"])
        sums = np.zeros((len(ids), vectors.shape[1]), dtype=np.float32)
        np.add.at(sums, membership, vectors)
        sizes = np.bincount(membership).astype(np.float32)
        theme_ids = list(ids)
    rows = []
    for day, today in claims.sort_values(["partition_date", "claim_id"]).groupby("partition_date", sort=True):
        new = Claims(today["claim_id"].tolist(), today["text"].tolist(), _matrix(today["embedding"]))
        if not len(sums):
            sums = np.zeros((0, new.embeddings.shape[1]), dtype=np.float32)
        themes = _assign(new, theme_ids, sums, sizes)
        rows += [
            (claim_id, pd.Timestamp(day).date(), theme) for claim_id, theme in zip(new.claim_ids, themes, strict=True)
        ]
        places = {theme: place for place, theme in enumerate(theme_ids)}
        for theme in themes:
            if theme not in places:
                places[theme] = len(theme_ids)
                theme_ids.append(theme)
        grown = np.zeros((len(theme_ids), new.embeddings.shape[1]), dtype=np.float32)
        grown[: len(sums)] = sums
        where = [places[theme] for theme in themes]
        np.add.at(grown, where, new.embeddings)
        sums, sizes = (
            grown,
            np.pad(sizes, (0, len(theme_ids) - len(sizes)))
            + np.bincount(where, minlength=len(theme_ids)).astype(np.float32),
        )
    found = pd.DataFrame(rows, columns=["claim_id", "partition_date", "theme_id"])
    # Types are given so that a result without rows still makes the right table.
    return found.astype({"claim_id": "str", "partition_date": pd.ArrowDtype(pa.date32()), "theme_id": "str"})


def label(headlines: Sequence[str], embeddings: np.ndarray) -> str:
    """The headline of the member that is most like all the others; of equals, the first."""
    likeness = embeddings @ embeddings.sum(axis=0)
    return headlines[int(np.argmax(np.round(likeness, 5)))]


def _assign(new: Claims, theme_ids: Sequence[str], sums: np.ndarray, sizes: np.ndarray) -> list[str]:
    order = sorted(range(len(new)), key=lambda i: new.claim_ids[i])
    vectors = new.embeddings[order]
    # No group of new claims can be more like a theme on average than its likest member is: the other themes are out.
    reached = np.zeros(0, dtype=int)
    if len(sums):
        reached = np.flatnonzero((vectors @ sums.T).max(axis=0) / sizes >= LIKE_ENOUGH - 1e-4)
    groups = _linked(vectors, sums[reached], sizes[reached])
    found = [""] * len(new)
    founders: dict[int, str] = {}
    for row, group in zip(order, groups, strict=True):
        if group < len(reached):
            found[row] = theme_ids[reached[group]]
        else:
            founders.setdefault(group, new.claim_ids[row])
            found[row] = "t" + founders[group][1:]
    return found


def _linked(vectors: np.ndarray, sums: np.ndarray, sizes: np.ndarray) -> list[int]:
    """The group of each vector: a number below len(sums) is that earlier theme, any other a group of this date."""
    themes = len(sums)
    total = np.vstack([sums, vectors]).astype(np.float64)
    size = np.concatenate([sizes, np.ones(len(vectors))]).astype(np.float64)
    likeness = np.round((total @ total.T) / np.outer(size, size), 6)
    likeness[:themes, :themes] = -np.inf
    np.fill_diagonal(likeness, -np.inf)
    group = np.arange(len(total))
    while len(vectors):
        one, other = divmod(int(np.argmax(likeness)), len(total))
        if likeness[one, other] < LIKE_ENOUGH:
            break
        one, other = min(one, other), max(one, other)
        group[group == other] = one
        likeness[one] = (size[one] * likeness[one] + size[other] * likeness[other]) / (size[one] + size[other])
        size[one] += size[other]
        likeness[one, one] = -np.inf
        likeness[:, one] = likeness[one]
        likeness[other], likeness[:, other] = -np.inf, -np.inf
        if one < themes:
            likeness[one, :themes], likeness[:themes, one] = -np.inf, -np.inf
    return group[themes:].tolist()


def _matrix(embeddings: pd.Series) -> np.ndarray:
    return np.vstack([np.asarray(vector, dtype=np.float32) for vector in embeddings])
