"""Fits the sentence borders of `include.claims.offline.borders`: `python -m tests.evals.fit_borders FOLDER [TEST]`.

FOLDER holds episode files whose transcripts have their full stops, TEST such of another field: what is found of its
borders is printed. Logistic regression on hashed features by AdaGrad; some 20 seconds for 900,000 words.
"""

import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from include.claims.offline.borders import LIKELY, SIZE, WEIGHTS, features
from include.local.claim_files import read_episode

STOPS = 0.045
"""How many stops a word a transcript has at least to be learned from."""
ROUNDS = 3
BATCH = 256

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_STOP = re.compile(r"[.?!]")


def gaps(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The features of every gap between two words under a folder, and whether a sentence ends there."""
    rows, ended = zip(*_episodes(folder), strict=True)
    return np.concatenate(rows), np.concatenate(ended)


def _episodes(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for file in sorted(folder.rglob("*.json")):
        text = " ".join(" ".join(segment.text.split()) for segment in read_episode(file).segments)
        found = list(_WORD.finditer(text))
        ended = [bool(_STOP.search(text[a.end() : b.start()])) and b[0][0].isupper() for a, b in pairwise(found)]
        if found and sum(ended) > STOPS * len(found):
            yield features([match[0].lower().replace("’", "'") for match in found]), np.array(ended)


def fit(rows: np.ndarray, ended: np.ndarray) -> tuple[np.ndarray, float]:
    weights, squares, usual = np.zeros(SIZE), np.full(SIZE, 0.01), -2.5
    shuffle = np.random.default_rng(0)
    for _ in range(ROUNDS):
        order = shuffle.permutation(len(ended))
        for start in range(0, len(ended), BATCH):
            batch = order[start : start + BATCH]
            error = 1 / (1 + np.exp(-(weights[rows[batch]].sum(axis=1) + usual))) - ended[batch]
            places, which = np.unique(rows[batch].ravel(), return_inverse=True)
            slope = np.bincount(which, weights=np.repeat(error, rows.shape[1]))
            squares[places] += slope**2
            weights[places] -= 0.3 * slope / np.sqrt(squares[places])
            usual -= 0.05 * float(error.mean())
    return weights, usual


def main(arguments: list[str]) -> int:
    weights, usual = fit(*gaps(Path(arguments[0])))
    whole = np.clip(np.round(weights * 32), -127, 127).astype(np.int8)
    for folder in arguments[1:]:
        rows, ended = gaps(Path(folder))
        marked = whole[rows].sum(axis=1) / 32 + usual > LIKELY
        right = (marked & ended).sum()
        print(f"{folder}: of the ends {right / ended.sum():.3f} found, of the marks {right / marked.sum():.3f} right")
    np.savez_compressed(WEIGHTS, weights=whole, usual=np.float32(usual))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
