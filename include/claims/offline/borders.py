"""Where sentences end in speech that was written down without full stops: a small model of the words around a gap.

A gap between two words is weighed by the words before and after it (one to three to either side, alone and together),
each by a weight fitted on transcripts that have their stops. On a show that it was not fitted on it finds 60 of 100
ends, and of 100 gaps that it marks 60 are ends (the parser of the grammar alone: 15 and 61). `tests.evals.fit_borders`
fits it.
"""

import functools
import re
import zlib
from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights" / "borders.npz"
SIZE = 1 << 16
LIKELY = -1.0
"""From which score on a gap is an end."""
CLEAR = 0.0
"""From which score on a stop is written: on shows that it was not fitted on 77 of 100 are right, where of those from
LIKELY on 63 are, and 50 of 100 ends have one."""
LONGEST = 40
SHORTEST = 4
"""How many words a sentence has at most and at least; where no gap is likely, the likeliest ones are taken."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def ends(text: str) -> list[int]:
    """Where sentences begin after others within a text that has no stops, as offsets into it."""
    found = list(_WORD.finditer(text))
    if len(found) <= 2 * SHORTEST:
        return []
    weights, usual = _fitted()
    score = weights[features([match[0].lower().replace("’", "'") for match in found])].sum(axis=1) + usual
    return [found[gap + 1].start() for gap in _cuts(score)]


def is_clear(before: str, after: str) -> bool:
    """Whether a sentence so clearly ends between two stretches of talk that a stop is written there."""
    ended, begun = ([match[0].lower().replace("’", "'") for match in _WORD.finditer(text)] for text in (before, after))
    if not ended or not begun:
        return True
    weights, usual = _fitted()
    around = features([*ended[-2:], *begun[:3]])
    return float(weights[around[len(ended[-2:]) - 1]].sum()) + usual >= CLEAR


def features(words: list[str]) -> np.ndarray:
    """The features of each gap between words as places in the table of weights, shape (words - 1, 9)."""
    padded = ["", "", *words, "", ""]
    rows = []
    for i in range(2, len(words) + 1):
        before2, before, after, after2 = padded[i - 1 : i + 3]
        after3 = padded[i + 3] if i + 3 < len(padded) else ""
        row = (
            f"a{before}", f"b{after}", f"c{before2}", f"d{after2}", f"e{before} {after}", f"f{after} {after2}",
            f"g{before2} {before}", f"h{after3}", f"i{after} {after2} {after3}",
        )  # fmt: skip
        rows.append([_place(feature) for feature in row])
    return np.array(rows, dtype=np.int64).reshape(-1, 9)


def _cuts(score: np.ndarray) -> list[int]:
    """The gaps at which to cut, in order: in each stretch the likeliest, as long as it is likely or the rest too long.

    Stretches wait in a list and not in calls within calls, since talk that repeats itself is cut from one end on.
    """
    found = []
    waiting = [(-1, len(score))]
    while waiting:
        first, last = waiting.pop()
        inside = score[first + SHORTEST : last - SHORTEST + 1]
        if not inside.size:
            continue
        best = first + SHORTEST + int(inside.argmax())
        if score[best] < LIKELY and last - first <= LONGEST:
            continue
        found.append(best)
        waiting += [(first, best), (best, last)]
    return sorted(found)


@functools.lru_cache(maxsize=1 << 17)
def _place(feature: str) -> int:
    return zlib.crc32(feature.encode()) % SIZE


@functools.cache
def _fitted() -> tuple[np.ndarray, float]:
    """The shipped weights, in 32nds, and what a usual gap has; read once a process."""
    with np.load(WEIGHTS) as stored:
        return stored["weights"].astype(np.float32) / 32, float(stored["usual"])
