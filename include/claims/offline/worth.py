"""What a passage is worth and how likely it sells: sums over what is seen of it, by fitted weights.

A passage's worth is by how much it stands out among the passages of its episode: a weight for each signal of `signals`,
and weighted sums over the embedding of its sentences, each of which counts by its words, and of those around it. So
each score can be taken apart into what was seen and how much it counted. The weights are fitted by
`tests.evals.fit_offline`; `weights/offline.json` says on what.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from include.claims.offline import signals
from include.claims.offline.signals import Seen

WEIGHTS = Path(__file__).parent / "weights" / "offline.npz"
SPAN = 4.0
"""How far a signal counts, in units of its spread."""
UNFIT = -9.0
"""The worth of a passage that sells, keeps house or gives orders."""

# The signals by what they have in common, so that a worth can be told in parts.
SIGNALS: dict[str, tuple[str, ...]] = {
    "numbers": ("digits", "percent", "numberword", "time"),
    "causes": ("cause", "gerund_generic"),
    "stakes": ("worth", "scope"),
    "contrast": ("contrast", "comparison", "negation"),
    "names": ("names", "acronyms", "quoting"),
    "findings": ("finding", "change", "past"),
    "conditions": ("condition", "example", "modal"),
    "wording": ("long_words", "common_words", "letters", "repeats"),
    "person": ("i", "we", "you", "they", "opinion", "ithink", "story"),
    "plainness": (
        "hedge", "filler", "kindof", "laugh", "exclamation", "question", "trailing", "brackets", "pointing",
    ),
    "selling": ("greeting", "show", "selling", "address", "talk_about", "near_selling", "near_show"),
    "length": ("size", "sentences", "first_size"),
    "opening": ("opens_leaning", "ends_open", "starts_capital"),
    "place": (
        "after_question", "answers_other", "turn_size", "place_in_turn", "rest_of_turn", "place", "from_start",
        "from_end", "speaker_share", "speaker_asks", "near_asks", "near_laughs", "near_names", "near_numbers",
        "near_long", "next_nods", "has_speaker", "near_size", "captions",
    ),
    "centre": (
        "to_centre", "to_title", "to_description", "to_near", "density", "to_start", "to_show", "rare",
        "repeated_terms",
    ),
}  # fmt: skip
GROUPS = (*SIGNALS, "meaning", "around", "crowding")
"""What a worth is a sum of: the groups of signals, the meaning of the passage and of what is said around it, and what
better passages close by take off."""


@dataclass(frozen=True)
class Weights:
    """A fitted model: the mean and spread of each signal; what each signal (`plain`), the embedding of a passage and of
    what surrounds it are worth; the same of what sells, with a weight for each of the two rules and the level of a
    usual passage; the calibration that turns a worth into a score of 0 to 5; and for each of GROUPS what it usually
    adds to a passage that is chosen, and by how much that varies."""

    mean: np.ndarray
    spread: np.ndarray
    plain: np.ndarray
    meaning: np.ndarray
    around: np.ndarray
    selling_plain: np.ndarray
    selling_meaning: np.ndarray
    selling_around: np.ndarray
    selling_rules: np.ndarray
    selling_level: float
    slope: float
    offset: float
    chosen_mean: np.ndarray
    chosen_spread: np.ndarray

    def save(self, file: Path) -> None:
        arrays: dict[str, Any] = {name: np.float32(value) for name, value in vars(self).items()}
        np.savez(file, **arrays)

    def contributions(self, seen: Seen) -> np.ndarray:
        """What each of GROUPS adds to the worth of a usual passage of the episode, shape (passages, len(GROUPS));
        nothing is taken off for crowding."""
        plain, meaning, around = apart(seen, self.spread)
        parts = plain * self.plain
        groups = [parts[:, columns].sum(axis=1) for columns in _columns().values()]
        return np.stack([*groups, meaning @ self.meaning, around @ self.around, np.zeros(len(plain))], axis=1)

    def selling(self, seen: Seen, rules: np.ndarray) -> np.ndarray:
        """How much of each passage lies in what is sold: about 0 to 1, shape (passages,). `rules` are what the rules of
        `adverts` say of it: whether it sells, whether it runs the show."""
        plain = np.clip((seen.table - self.mean) / self.spread, -SPAN, SPAN)
        return (
            plain @ self.selling_plain
            + seen.meaning @ self.selling_meaning
            + seen.around @ self.selling_around
            + rules @ self.selling_rules
            + self.selling_level
        )

    def score(self, worth: float) -> float:
        return round(min(5.0, max(0.0, self.offset + self.slope * worth)), 3)


def apart(seen: Seen, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What sets each passage apart from the usual one of its episode: its signals in units of `spread`, and of its
    meaning, each sentence counted by its words, and of what is said around it, the difference."""
    own = slice(seen.found or None)
    spoken = seen.meaning * seen.table[:, [signals.NAMES.index("size")]]
    plain = np.clip((seen.table - seen.table[own].mean(axis=0)) / spread, -SPAN, SPAN)
    return plain, spoken - spoken[own].mean(axis=0), seen.around - seen.around[own].mean(axis=0)


@functools.cache
def fitted() -> Weights:
    """The shipped weights; read once a process."""
    with np.load(WEIGHTS) as stored:
        arrays: dict[str, Any] = {n: stored[n] if stored[n].ndim else float(stored[n]) for n in stored.files}
    return Weights(**arrays)


@functools.cache
def _columns() -> dict[str, list[int]]:
    """The columns of the signal table that belong to each group."""
    owner = {signal: group for group, members in SIGNALS.items() for signal in members}
    columns: dict[str, list[int]] = {group: [] for group in SIGNALS}
    for i, name in enumerate(signals.NAMES):
        bare = name.removeprefix("much_").removeprefix("any_").removeprefix("log_")
        columns[owner[bare]].append(i)
    return columns
