"""What a claim says, as a vector: likeness of claims is the cosine of theirs."""

import functools
import math
from collections.abc import Sequence

import numpy as np

from include.embedding import DIMENSIONS, Encoder

WINDOW = 8
STEP = 4
# The vocabulary lists its words by falling frequency from this id on.
_FIRST_WORD = 1996
_OUTSIDE = 10.5
_POWER = 1.5


class ClaimEncoder(Encoder):
    """Embeds claims with the bundled model, more carefully than its plain mean does.

    A text is read whole and in overlapping windows of eight words, so that each detail is heard beside the whole; and
    within each reading a word weighs by its rarity, (log of its rank in the model's own vocabulary) to the power of
    1.5, so that names and terms outweigh the common words of the field.
    """

    name = "all-MiniLM-L6-v2-int8/windows"

    def encode(self, texts: Sequence[str], batch_size: int = 32) -> np.ndarray:
        """Unit vectors, float32, shape (len(texts), 384), in the order given. A vector depends on its text alone."""
        pieces = [[text, *windows(text)] for text in texts]
        flat = [piece for group in pieces for piece in group]
        vectors = np.empty((len(flat), DIMENSIONS), dtype=np.float32)
        weights = np.empty(len(flat), dtype=np.float32)
        order = sorted(range(len(flat)), key=lambda i: len(flat[i]))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            vectors[rows], weights[rows] = self._pooled([flat[i] for i in rows])
        found = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        place = 0
        for row, group in enumerate(pieces):
            whole, parts = vectors[place], vectors[place + 1 : place + len(group)]
            share = weights[place + 1 : place + len(group)]
            found[row] = whole + share @ parts / share.sum()
            place += len(group)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def _pooled(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        encodings = self._tokenizer.encode_batch(texts)
        ids = np.array([e.ids for e in encodings], dtype=np.int64)
        mask = np.array([e.attention_mask for e in encodings], dtype=np.int64)
        (hidden,) = self._session.run(
            ["last_hidden_state"],
            {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)},
        )
        weight = np.array([rarity(e.ids, e.word_ids) for e in encodings], dtype=np.float32) * mask + 1e-6 * mask
        mean = (hidden * weight[..., None]).sum(axis=1)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True), weight.sum(axis=1)


def windows(text: str) -> list[str]:
    words = text.split()
    starts = range(0, max(len(words) - WINDOW, 0) + STEP, STEP)
    return [" ".join(words[i : i + WINDOW]) for i in starts if words[i : i + WINDOW]] or [text]


def rarity(ids: Sequence[int], word_ids: Sequence[int | None]) -> list[float]:
    """The weight of each token; a word of several pieces, being outside the vocabulary, is rare, and shares it."""
    pieces: dict[int, int] = {}
    for word in word_ids:
        if word is not None:
            pieces[word] = pieces.get(word, 0) + 1
    found = []
    for token, word in zip(ids, word_ids, strict=True):
        if word is None:
            found.append(0.0)
        elif pieces[word] > 1:
            found.append(_OUTSIDE**_POWER / math.sqrt(pieces[word]))
        else:
            found.append(math.log(max(token - _FIRST_WORD + 2, 2)) ** _POWER)
    return found


@functools.cache
def claim_encoder() -> ClaimEncoder:
    """The encoder, loaded once a process."""
    return ClaimEncoder()
