"""What an episode calls its people and things: full names, the spelling of title and description, how often said."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz

from include.claims.claim import Episode
from include.models.meaning import rank
from include.words import words

COMMON = 3000
"""Up to which rank by frequency a word is no name's own: "bill", "house", "will"."""
MISHEARD = 84.0
"""How alike, of 100, a word must be to a name of the title or the description to be that name, heard wrong."""
SHORTEST_MISHEARD = 6

_NAME = re.compile(
    r"[A-Z][\w’'-]*\w(?:(?: (?:of|the|for|and|de|del|van|von|bin|al))? (?:[A-Z]\. )?[A-Z][\w’'-]*\w){0,3}"
)
_POSSESSIVE = re.compile(r"['’]s?$")
_WORD = re.compile(r"[^\W\d_][\w’'-]+")


class Names:
    """The names of one episode. `said` counts each word of the transcript, in lower case."""

    def __init__(self, episode: Episode, spoken: Sequence[str]):
        self.said = Counter(word for text in spoken for word in words(text))
        self.show = frozenset(words(episode.show_title))
        self.title = frozenset(words(episode.title))
        self.about = frozenset(words(episode.description))
        written = [episode.title, episode.description, *episode.persons]
        self._spelt = _parts(name for text in written for name in _NAME.findall(text))
        self._full = _full_names(Counter(name for text in [*spoken, *written] for name in _NAME.findall(text)))

    def full(self, name: str) -> str:
        """The full name that the episode has for a short one ("Musk": "Elon Musk"); the name itself where there is
        none, or more than one."""
        return self._full.get(name, name)

    def mended(self, text: str) -> str:
        """The text with names that were misheard as title, description or persons spell them."""
        return _WORD.sub(lambda found: self._heard(found[0]), text)

    def _heard(self, word: str) -> str:
        if len(word) < SHORTEST_MISHEARD or not word[0].isupper() or word in self._spelt or rank(word.lower()) < 29_000:
            return word
        bare = _POSSESSIVE.sub("", word)
        likely = [name for name in self._spelt if name[0] == bare[0] and len(name) >= SHORTEST_MISHEARD - 1]
        best = max(likely, key=lambda name: (fuzz.ratio(name, bare), name), default=bare)
        inflected = best.lower()[:-1].startswith(bare.lower()[:-1][: len(best) - 1]) or bare.lower().startswith(
            best.lower()[:-2]
        )
        if bare in self._spelt or inflected or fuzz.ratio(best, bare) < MISHEARD:
            return word
        return best + word[len(bare) :]


def _parts(names: Iterable[str]) -> frozenset[str]:
    parts = (_POSSESSIVE.sub("", part) for name in names for part in name.split())
    return frozenset(part for part in parts if part[:1].isupper() and rank(part.lower()) > 5000)


def _full_names(counts: Counter[str]) -> dict[str, str]:
    """Each last word of a name of two, and each rare first one, with the one name that it nearly always stands for."""
    longer: dict[str, Counter[str]] = {}
    for written, count in counts.items():
        name = _POSSESSIVE.sub("", written)
        parts = name.split()
        if len(parts) == 2 and all(rank(part.lower()) > 300 for part in parts):
            for part in parts[1:] + [first for first in parts[:1] if rank(first.lower()) > COMMON * 3]:
                longer.setdefault(part, Counter())[name] += count
    full = {}
    for word, found in longer.items():
        (name, count), *others = found.most_common(2)
        if count >= 2 and (not others or count >= 3 * others[0][1]):
            full[word] = name
    return full
