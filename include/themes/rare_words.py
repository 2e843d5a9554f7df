"""Rare words that claims share: the same names and terms, and so the same subject.

Two people who tell one story word it differently, but for the names and terms of what it is about. A word weighs by how
few documents hold it (inverse document frequency, Spärck Jones 1972); a document is an episode, or a text that stands
alone. Before there are many, what is known of a word is how common it is in English.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from include.models.meaning import rank

# The commonest words say nothing of the subject.
COMMON = 2_000
# As many documents as the experience of English counts for, beside those that were read.
KNOWN_BEFORE = 20

_WORD = re.compile(r"[^\W_](?:[^\W_]|[.+#'’-](?=[^\W_]))*")
_CONTRACTED = re.compile(r"['’](?:s|m|d|t|re|ve|ll)$")


def rare_words(text: str) -> list[str]:
    """The words of a text that are not among the 2,000 commonest, each once, in alphabetical order."""
    words = {_CONTRACTED.sub("", word) for word in _WORD.findall(text.lower())}
    return sorted(word for word in words if rank(word) > COMMON)


def rare_words_of(surroundings: pd.DataFrame) -> pd.DataFrame:
    """The rare words of what was said where each claim was made: claim_id, words, partition_date. `surroundings` has
    claim_id, said, partition_date. Some 10,000 claims a second."""
    found = surroundings[["claim_id", "partition_date"]].astype({"claim_id": "str"})
    days = pa.array([pd.Timestamp(str(value)).date() for value in found["partition_date"]], pa.date32())
    words = pa.array(map(rare_words, surroundings["said"]), pa.list_(pa.string()))
    return found.assign(
        words=pd.Series(pd.arrays.ArrowExtensionArray(words), index=found.index),
        partition_date=pd.Series(pd.arrays.ArrowExtensionArray(days), index=found.index),
    )[["claim_id", "words", "partition_date"]]


@dataclass(frozen=True, slots=True)
class WordLists:
    """The words of some claims, one list after the other: list i is `words[starts[i]:starts[i + 1]]`, numbers that a
    vocabulary gave them (int32)."""

    words: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def taken(self, rows: np.ndarray) -> "WordLists":
        """Some of the lists, in the order given."""
        lists = [self.words[self.starts[row] : self.starts[row + 1]] for row in rows]
        return WordLists(np.concatenate(lists), np.concatenate([[0], np.cumsum([len(one) for one in lists])]))


@dataclass(frozen=True, slots=True)
class Counted:
    """Some documents: how many, and the words of each, each once."""

    documents: int
    words: np.ndarray


class Vocabulary:
    """All words so far, and how many documents hold each. `document_length` is how many words a document has about."""

    def __init__(self, document_length: int):
        self._document_length = document_length
        self._numbers: dict[str, int] = {}
        self._expected: list[float] = []
        self._documents = 0
        self._held_by = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, lists: Sequence[Sequence[str]] | pa.ListArray) -> WordLists:
        """Words as numbers; what comes in Arrow is not read word by word."""
        column = lists if isinstance(lists, pa.Array) else pa.array(map(list, lists), pa.list_(pa.string()))
        distinct = column.flatten().dictionary_encode()
        numbers = np.array([self._number(word) for word in distinct.dictionary.to_pylist()], dtype=np.int32)
        lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        return WordLists(numbers[distinct.indices.to_numpy()], np.concatenate([[0], np.cumsum(lengths)]))

    def count(self, lists: WordLists, of: Sequence[str]) -> Counted:
        """Counts the words of documents that were not counted before; `of` names the document that each list is of."""
        documents: dict[str, int] = {}
        rows = np.array([documents.setdefault(one, len(documents)) for one in of], dtype=np.int64)
        held = np.unique(np.repeat(rows, np.diff(lists.starts)) << 32 | lists.words) & 0xFFFFFFFF
        self._documents += len(documents)
        counts = np.bincount(held, minlength=len(self._numbers))
        counts[: len(self._held_by)] += self._held_by
        self._held_by = counts
        return Counted(len(documents), held)

    def forget(self, counted: Counted) -> None:
        """Counts some documents no longer."""
        self._documents -= counted.documents
        self._held_by -= np.bincount(counted.words, minlength=len(self._held_by))

    def vectors(self, lists: WordLists) -> sparse.csr_array:
        """A unit vector a list, float32, shape (lists, words of the vocabulary), so that the product of two is how much
        of their rare words they share; a list without words is a row of noughts."""
        held_by = np.zeros(len(self._numbers))
        held_by[: len(self._held_by)] = self._held_by
        expected = KNOWN_BEFORE * np.array(self._expected)
        weights = np.log((self._documents + KNOWN_BEFORE) / (held_by + expected)).clip(0)[lists.words]
        # Each list is summed by itself, so that its vector does not depend on what stands before it.
        squares = np.add.reduceat(np.append(weights**2, 0.0), lists.starts[:-1]) if len(lists) else weights
        weights /= np.repeat(np.sqrt(squares.clip(1e-12)), np.diff(lists.starts))
        shape = (len(lists), len(self._numbers))
        return sparse.csr_array((weights.astype(np.float32), lists.words, lists.starts), shape=shape)

    def _number(self, word: str) -> int:
        if word not in self._numbers:
            self._numbers[word] = len(self._numbers)
            # Zipf's law: the word of rank r is every (10 r)th word of a text.
            self._expected.append(1 - math.exp(-self._document_length / (10 * rank(word))))
        return self._numbers[word]
