"""What a show says nearly word for word in several of its episodes: sponsor reads, intros, trailers.

Episodes are compared by their runs of seven words. A day's are compared with those of their show in the 30 days
strictly before, and never with others of the day, so that what holds for a day depends on no later one; a day that is
landed late derives those after it again, as `raw.days_to_derive` says.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from include.words import words

RUN = 7
DAYS_COMPARED = 30
LONGEST_SHARE = 0.2
"""Of how much of a quote may lie in runs that other episodes have too before it counts as repeated."""
COPY = 1 / 3
"""From which share of the shorter one's runs on an episode is a copy of another, or a rebroadcast."""

COLUMNS = {
    "claim_id": "str",
    "repeated_share": "float64",
    "is_repeated": "bool",
    "partition_date": pd.ArrowDtype(pa.date32()),
}


def runs(text: str) -> np.ndarray:
    """The runs of seven words of a text, each a number, once and in order of size; comparable within one process only,
    as the hashes of Python are."""
    return np.unique(_runs(text))


def repeated(own: np.ndarray, others: Iterable[np.ndarray]) -> np.ndarray:
    """Those of an episode's `runs` that another episode has too. A copy of it does not count, or all that is said in an
    episode that is published again would be repeated."""
    found = [own[:0]]
    for other in others:
        shared = np.intersect1d(own, other, assume_unique=True)
        if len(shared) < COPY * min(len(own), len(other)):
            found.append(shared)
    return np.unique(np.concatenate(found))


def share_repeated(quote: str, again: np.ndarray) -> float:
    """The share of a quote's words, 0 to 1, that lie in runs said again; 0 of a quote shorter than a run."""
    said = np.isin(_runs(quote), again)
    if not said.any():
        return 0.0
    covered = np.convolve(said, np.ones(RUN, dtype=int)) > 0
    return round(float(covered.mean()), 3)


def is_repeated(share: float) -> bool:
    return share > LONGEST_SHARE


def derive(episodes: Iterable[Mapping[str, Any]], quotes: Mapping[str, Sequence[tuple[str, str]]]) -> pd.DataFrame:
    """Which claims are repeated: a row a claim, with COLUMNS.

    `episodes` are those of the days asked for and the 30 days before, with their transcripts: show_id, partition_date,
    episode_id, said; by show and day. `quotes` are the claims asked for, by episode: claim_id and quote. An episode
    costs some 20 ms for 10,000 words, and 1 ms for each one that it is compared with.
    """
    rows = [
        row for _, show in itertools.groupby(episodes, lambda one: one["show_id"]) for row in _of_show(show, quotes)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _of_show(
    episodes: Iterable[Mapping[str, Any]], quotes: Mapping[str, Sequence[tuple[str, str]]]
) -> Iterator[tuple[str, float, bool, date]]:
    before: deque[tuple[date, np.ndarray]] = deque()
    for day, today in itertools.groupby(episodes, lambda one: one["partition_date"]):
        while before and (day - before[0][0]).days > DAYS_COMPARED:
            before.popleft()
        heard = [(one["episode_id"], runs(one["said"])) for one in today]
        for episode_id, own in heard:
            claims = quotes.get(episode_id, ())
            again = repeated(own, (other for _, other in before)) if claims else own[:0]
            for claim_id, quote in claims:
                share = share_repeated(quote, again)
                yield claim_id, share, is_repeated(share), day
        before.extend((day, own) for _, own in heard)


def _runs(text: str) -> np.ndarray:
    spoken = np.fromiter(map(hash, words(text)), np.int64)
    runs = np.zeros(max(len(spoken) - RUN + 1, 0), dtype=np.int64)
    # A polynomial in the words' hashes; what overflows is cut off.
    for start in range(RUN):
        runs = runs * 6_364_136_223_846_793_005 + spoken[start : start + len(runs)]
    return runs
