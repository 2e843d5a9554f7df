"""Groups of claims and how alike they are, joined by average linkage: of all groups that might be joined, the two that
are most alike on average are, until none are alike enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

EVEN = 0.07
"""How far above the bar it is even whether two claims tell one story. Where there is a verdict on them, likeness counts
for no more than that: it may cast doubt on a verdict, and never outweighs it."""

VERDICTS = {"same": 1.0, "related": -0.1, "different": -1.0}
"""What a chat model says of two claims, and how much of a verdict that is for or against one story: "related" is said
now and then of two sides of one."""

PASSED_OVER = -0.02
"""How far below the bar two claims are that no verdict is on, where claims of their date were compared: they are not
among the likest, but what they are compared with may bring them together."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of claims: the sum of their vectors (float64), the sum of their rare words' vectors, the sum of their
    looseness, and how many they are."""

    vectors: np.ndarray
    words: sparse.csr_array
    looseness: np.ndarray
    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.sizes)

    def likeness(self, other: "Groups", rare_words: float) -> np.ndarray:
        """The average likeness of each group's claims to those of each other group."""
        shared = rare_words * (self.words @ other.words.T).toarray()
        loose = np.add.outer(self.looseness / self.sizes, other.looseness / other.sizes)
        return np.round((self.vectors @ other.vectors.T + shared) / np.outer(self.sizes, other.sizes) - loose, 6)


@dataclass(frozen=True, slots=True)
class Compared:
    """What a chat model said of the claims of a date: of each of them and each theme, how many pairs there is a
    verdict on and the sum of what these pairs are alike by it, shape (claims, themes); `among` is how alike two claims
    of the date are by a verdict, by their places."""

    counts: np.ndarray
    sums: np.ndarray
    among: Mapping[tuple[int, int], float]


def linked(
    themes: Groups, among: np.ndarray, to_themes: np.ndarray, bar: float, compared: Compared | None
) -> list[int]:
    """The group of each claim of a date: a number below len(themes) is that earlier theme, any other a group of the
    date. `among` is how alike the claims are, shape (claims, claims), and `to_themes` how alike on average they are to
    each theme; two groups are joined where they are alike by `bar` or more.

    Where there are verdicts they decide: what was not compared is not joined by its likeness. An average is at most its
    largest term, so what is linked by no pair that is alike enough is never joined, and each cluster of what is linked
    is looked at by itself: that costs by the square of the largest one, and not of all claims.
    """
    if compared is not None:
        among, to_themes = _decided(themes, among, bar, compared)
    claims, earlier = len(among), len(themes)
    one, other = np.nonzero(among >= bar)
    claim, theme = np.nonzero(to_themes >= bar)
    ends = np.concatenate([one, claim]) + earlier, np.concatenate([other + earlier, theme])
    links = sparse.coo_array((np.ones(len(ends[0])), ends), (earlier + claims, earlier + claims))
    _, cluster = csgraph.connected_components(links, directed=False)
    group = np.arange(earlier, earlier + claims)
    order = np.argsort(cluster, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1):
        some, near = members[members >= earlier] - earlier, members[members < earlier]
        if len(members) > 1 and len(some):
            joined = _joined(themes.sizes[near], among[np.ix_(some, some)], to_themes[np.ix_(some, near)], bar)
            group[some] = np.concatenate([near, some + earlier])[joined]
    return group.tolist()


def _joined(sizes: np.ndarray, among: np.ndarray, to_themes: np.ndarray, bar: float) -> np.ndarray:
    """The group of each of some claims, by the places of themes of these sizes and, after them, of the claims."""
    claims, themes = to_themes.shape
    # A row is a group of this date, a column one that it might join: earlier themes first, then those of this date.
    likeness = np.hstack([to_themes, among])
    likeness[np.arange(claims), themes + np.arange(claims)] = -np.inf
    sizes = np.concatenate([sizes, np.ones(claims)])
    group = np.arange(themes, len(sizes))
    while True:
        row, column = divmod(int(likeness.argmax()), len(sizes))
        if likeness[row, column] < bar:
            return group
        # A theme takes in a group of this date; of two groups of this date, the one that is listed first does.
        into, out = sorted((themes + row, column))
        share = sizes[into] / (sizes[into] + sizes[out])
        likeness[:, into] = share * likeness[:, into] + (1 - share) * likeness[:, out]
        if into >= themes:
            one, other = into - themes, out - themes
            likeness[one] = share * likeness[one] + (1 - share) * likeness[other]
            likeness[one, into] = -np.inf
        likeness[:, out], likeness[out - themes] = -np.inf, -np.inf
        sizes[into] += sizes[out]
        group[group == out] = into


def by_verdict(likeness: float, bar: float, verdict: str, counts: float) -> float:
    """How alike two claims are that a chat model compared, where a verdict counts so much."""
    return bar + min(likeness - bar - EVEN, 0.0) + counts * VERDICTS[verdict]


def same(shows: Sequence[str], claims: int) -> np.ndarray:
    """Which claims of a date are of one show, shape (claims, claims); none where nothing is known of the shows."""
    own = np.array(shows if len(shows) else range(claims), dtype=object)
    return own[:, None] == own[None, :]


def _decided(themes: Groups, among: np.ndarray, bar: float, compared: Compared) -> tuple[np.ndarray, np.ndarray]:
    """How alike claims are among themselves, and to each theme, where verdicts decide."""
    passed_over = bar + PASSED_OVER
    decided = np.full_like(among, passed_over)
    for (one, other), alike in compared.among.items():
        decided[one, other] = decided[other, one] = alike
    passed = themes.sizes - compared.counts
    return np.round(decided, 6), np.round((compared.sums + passed * passed_over) / themes.sizes, 6)
