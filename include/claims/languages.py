"""Which transcripts the bundled model can read: English alone. An episode in another language is said to be one."""

from collections import Counter
from collections.abc import Sequence

from include.claims.claim import DroppedClaim, Episode, Extraction, Extractor
from include.models.questions import short_hash
from include.transcripts.segment import Segment
from include.words import words

SHORTEST = 40
"""Of fewer words nobody can tell the language."""
LEAST = 0.1
"""The share of a language's usual words in a talk that is in it: in 120 English episodes 0.119 to 0.216 of the words
were usual English ones, and at most 0.082 those of another language."""
KNOWN = 0.4
"""The share of English words among those of four letters and more from which a talk of few usual words, such as one of
terms and names, is English: there it was 0.4 to 0.9, in nine other languages 0.14 at most, in typed Hindi 0.25.
"""

_USUAL = {
    "English": "the and that this you it's they there what with have are were from about because would which who my",
    "Spanish": "el los las que una por con para como pero más esto está eso muy también porque cuando hay ser",
    "Portuguese": "os que uma não com para mas mais isso está muito também porque você quando ele foi são tem gente",
    "French": "le les des est que une pas pour dans qui mais c'est vous nous avec sur ce je il sont ça du au j'ai",
    "German": "der die und das ist nicht ich ein eine zu den mit auf auch wir sie es wenn aber dass",
    "Italian": "il che di è per non una sono con ma anche come questo della più gli perché quando c'è nel",
    "Dutch": "de het een van en dat niet ik zijn maar ook wel met voor die op dan naar wij heel",
    "Swedish": "och att det som är inte på för med jag har vi men till så kan om ett när också",
    "Norwegian": "og ikke jeg på av det som til vi har meg hva så men også noe bare veldig være når",
    "Danish": "og ikke jeg på af det som til vi har mig hvad så men også noget bare meget være når",
    "Polish": "ma że się nie jest na jak ale co tak czy w z po już tym jego dla są był przez",
    "Turkish": "bir ve bu da de için çok ama ne gibi daha var ben o kadar sonra değil mi şey olan",
    "Indonesian": "yang dan di itu ini dengan untuk tidak ada dari kita saya bisa juga ke akan jadi orang lebih kalau",
}
_UNKNOWN = 29_000
"""The rank of a word that the bundled model does not know."""
_UKRAINIAN = frozenset("іїєґ")
_USUAL_WORDS = {name: frozenset(usual.split()) for name, usual in _USUAL.items()}
_SCRIPTS = (
    ("Japanese", "\u3040", "\u30ff"), ("Korean", "\uac00", "\ud7af"), ("Chinese", "\u4e00", "\u9fff"),
    ("Arabic", "\u0600", "\u06ff"), ("Hebrew", "\u0590", "\u05ff"), ("Greek", "\u0370", "\u03ff"),
    ("Hindi", "\u0900", "\u097f"), ("Thai", "\u0e00", "\u0e7f"), ("Russian", "\u0400", "\u04ff"),
)  # fmt: skip


class EnglishOnly:
    """An extractor that is given English transcripts alone; of another there is one drop, `language`, whose detail is
    the language's name in English, or "another language"."""

    def __init__(self, extractor: Extractor):
        self._extractor = extractor
        self.name = extractor.name
        self.version = short_hash(extractor.version, f"{_USUAL}/{SHORTEST}/{LEAST}/{KNOWN}")

    def extract(self, episode: Episode, segments: Sequence[Segment]) -> Extraction:
        language = other_language(" ".join(segment.text for segment in segments))
        if language:
            return Extraction((), (DroppedClaim("", "language", language),))
        return self._extractor.extract(episode, segments)


def other_language(text: str) -> str | None:
    """The language of a text that is not English; None where it is, or where the text is too short to tell."""
    letters = [c for c in text.lower() if c.isalpha()]
    for name, first, last in _SCRIPTS:
        # Japanese is told from Chinese by its own letters, of which it has at least one in five.
        if sum(first <= c <= last for c in letters) * 5 > len(letters) > SHORTEST:
            ukrainian = name == "Russian" and sum(c in _UKRAINIAN for c in letters) * 50 > len(letters)
            return "Ukrainian" if ukrainian else name
    counts = Counter(words(text))
    total = counts.total()
    if total < SHORTEST:
        return None
    shares = {name: sum(counts[word] for word in usual) / total for name, usual in _USUAL_WORDS.items()}
    likeliest = max(shares, key=lambda name: shares[name])
    if shares["English"] >= (LEAST / 2 if likeliest == "English" else LEAST):
        return None
    if shares[likeliest] >= LEAST:
        return likeliest
    return None if _known(counts) >= KNOWN else "another language"


def _known(counts: Counter[str]) -> float:
    """The share of words that the bundled model knows, among those too long to be words of several languages."""
    from include.models.meaning import rank

    long = {word: count for word, count in counts.items() if len(word) >= 4}
    return sum(count for word, count in long.items() if rank(word) < _UNKNOWN) / max(1, sum(long.values()))
