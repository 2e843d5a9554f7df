"""What can be seen of a passage without understanding it: counted words, marks, place, neighbours and likeness."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from include.claims.claim import Episode
from include.claims.offline.passages import Passage, Sentence, is_reply, leans
from include.words import words

# Counted in each sentence, as words.
LEXICON: dict[str, str] = {
    "cause": "because since therefore thus hence causes caused causing leads led result results resulting reason "
    "reasons due why consequently means meant enables enabled allows allowed forces forced",
    "contrast": "but however whereas although though instead rather despite yet unlike versus tradeoff tradeoffs "
    "nevertheless opposed conversely surprisingly actually",
    "comparison": "more less fewer than better worse faster slower cheaper bigger smaller larger easier harder higher "
    "lower most least best worst same different difference compared similar times double twice half",
    "condition": "if unless until when whenever once without",
    "scope": "every always never most many all any everyone everybody nobody people companies company teams team "
    "developers engineers users customers businesses organizations industry market world everything",
    "worth": "problem problems issue issues challenge challenges benefit benefits cost costs risk risks important key "
    "critical crucial value valuable advantage disadvantage impact matters significant essential fundamental powerful "
    "expensive hard difficult impossible fail fails failed failure failures success wrong danger dangerous vulnerable "
    "security performance scale",
    "finding": "found find discovered realized learned measured showed shows study research data evidence survey paper "
    "report percent statistics benchmark tested experiment turns",
    "change": "became become becoming changed changing change grew growing growth increase increased reduce reduced "
    "dropped moved shifted replaced evolved trend future",
    "time": "years year months month days day hours hour minutes seconds weeks week decade today ago century",
    "hedge": "maybe perhaps probably guess kinda sorta might somewhat possibly hopefully",
    "filler": "like um uh hmm basically literally honestly gosh stuff thing things whatever",
    "laugh": "laughs laughter laughing haha lol unintelligible crosstalk joke funny",
    "i": "i i'm i've i'd i'll me my mine myself",
    "we": "we we're we've we'd we'll us our ours",
    "you": "you you're you've you'd you'll your yours",
    "they": "they they're they've them their he she his her him he's she's",
    "pointing": "it it's that that's this these those there here",
    "modal": "should must need needs have to can can't cannot won't will would could",
    "past": "was were had did said went came started ended built made got used worked wrote took ran gave",
    "negation": "not don't doesn't didn't isn't aren't wasn't weren't no nothing none can't won't wouldn't couldn't",
    "greeting": "welcome hello hi hey thanks thank bye goodbye everybody listeners listener folks guys cheers",
    "show": "show episode podcast podcasts listening subscribe newsletter youtube mastodon twitter livestream join "
    "newsletter patreon merch slack discord community email notes",
    "selling": "sponsor sponsors sponsored sponsoring brought free trial sign signup discount coupon offer plans "
    "pricing visit .com dot slash promo partners friends support supporters demo trusted thousands code checkout",
    "opinion": "think believe feel opinion love hate prefer favorite agree disagree interesting cool awesome amazing "
    "great crazy weird fun nice excited",
    "numberword": "one two three four five six seven eight nine ten twenty thirty forty fifty hundred thousand million "
    "billion trillion dozen dozens hundreds thousands millions billions",
}
# Counted in each sentence, as patterns.
PATTERNS: dict[str, str] = {
    "digits": r"\b\d[\d.,]*",
    "percent": r"\d\s?%|\bpercent\b|[$£€]\s?\d|\d\s?(?:ms|gb|mb|tb|kb|x|k)\b|\d+(?:x| times)\b",
    "names": r"(?<=[a-z,;] )[A-Z][A-Za-z0-9.+#-]+",
    "acronyms": r"\b[A-Z][A-Z0-9]{1,6}s?\b",
    "question": r"\?",
    "exclamation": r"!",
    "trailing": r"\.\.\.|…| -- | - ",
    "quoting": r"[\"“”]",
    "brackets": r"\[[^\]]*\]",
    "address": r"\b[\w-]+\.(?:com|org|io|dev|fm|net|ai|co|social)\b|\bdot (?:com|org|io|dev|fm)\b|"
    r"https?:|\b\w+ slash \w+",
    "gerund_generic": r"\b(?:the reason|the problem|the point|the issue|the challenge|the idea|the key|the trick|"
    r"the truth|the fact|the goal|the biggest|the main|the only|one of the|a lot of|the whole point|at the end of the "
    r"day|in fact|turns out|it turns out|which means|that means|so that|in order to|as a result|rather than|instead "
    r"of|more than|less than|as opposed to|on the other hand|the more)\b",
    "example": r"\b(?:for example|for instance|such as|let's say|imagine|say you)\b",
    "talk_about": r"\b(?:we're going to|let's talk|talk about|tell us|tell me|next up|last week|this week|today we|"
    r"coming up|check (?:it|them|that|this) out|go check|link in|show notes|links? (?:to|in)|shout ?out|be sure to|"
    r"sign up|thanks? (?:you|so much|for|to)|head (?:over|on over)|find (?:me|us|you)|plus plus|\+\+)\b",
    "story": r"\b(?:I was like|he was like|she was like|they were like|I remember|when I was|years ago I|my first|"
    r"I grew up|my (?:wife|dad|mom|kids|son|daughter|friend|husband))\b",
    "ithink": r"\b(?:I think|I believe|I would say|I'd say|in my opinion|my opinion|I feel like)\b",
    "kindof": r"\b(?:kind of|sort of|you know|I mean|or something|or whatever|and stuff|I guess|I don't know)\b",
}
_COMPILED = [re.compile(p, 0 if n in ("names", "acronyms") else re.I) for n, p in PATTERNS.items()]
_GROUPS: dict[str, list[int]] = {word: [] for text in LEXICON.values() for word in text.split()}
for _i, _text in enumerate(LEXICON.values()):
    for _word in set(_text.split()):
        _GROUPS[_word].append(_i)
_COMMON_TEXT = (
    "the a an and or but of to in on at for with from by as is are was were be been being am it its this that these "
    "those i you he she we they me him her us them my your his our their what which who when where why how not no do "
    "does did done have has had will would can could should may might must just so if then than there here about into "
    "out up down over all any some more most very too also only like really know think going get got go want one"
)
COMMON = frozenset(_COMMON_TEXT.split())
NEAR = 150
COUNTED = [*LEXICON, *PATTERNS, "long_words", "common_words", "letters", "repeats"]


def sentence_counts(spoken: Sequence[Sentence]) -> np.ndarray:
    """Counts of COUNTED in each sentence, float32, shape (sentences, len(COUNTED))."""
    table = np.zeros((len(spoken), len(COUNTED)), dtype=np.float32)
    lexical = len(LEXICON)
    marks = lexical + len(PATTERNS)
    for row, sentence in zip(table, spoken, strict=True):
        previous = ""
        for word in words(sentence.text):
            for group in _GROUPS.get(word, ()):
                row[group] += 1
            row[marks] += len(word) >= 8
            row[marks + 1] += word in COMMON
            row[marks + 2] += len(word)
            row[marks + 3] += word == previous
            previous = word
        for i, pattern in enumerate(_COMPILED):
            row[lexical + i] = len(pattern.findall(sentence.text))
    return table


class Extents:
    """The sentences that each passage spans, first and last, and those within 150 words of it, from `left` to before
    `right`; sums over such spans."""

    def __init__(self, spoken: Sequence[Sentence], found: Sequence[Passage]):
        self.first = np.array([p.first for p in found], dtype=int)
        self.last = np.array([p.last for p in found], dtype=int)
        starts = np.array([s.at for s in spoken], dtype=np.float64)
        sizes = np.array([s.size for s in spoken], dtype=np.float64)
        self.left = np.searchsorted(starts, starts[self.first] - NEAR)
        self.right = np.searchsorted(starts, (starts + sizes)[self.last] + NEAR)

    def sums(self, table: np.ndarray) -> np.ndarray:
        """The rows of a sentence table added up over each passage."""
        running = _running(table)
        return running[self.last + 1] - running[self.first]

    def sums_around(self, table: np.ndarray) -> np.ndarray:
        """The same over each passage and what surrounds it."""
        running = _running(table)
        return running[self.right] - running[self.left]


def _running(table: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((1, *table.shape[1:])), np.cumsum(table, axis=0, dtype=np.float64)])


PLACED = [
    "size", "sentences", "opens_leaning", "ends_open", "after_question", "answers_other", "turn_size", "place_in_turn",
    "rest_of_turn", "place", "from_start", "from_end", "speaker_share", "speaker_asks", "near_asks", "near_laughs",
    "near_names", "near_numbers", "near_selling", "near_show", "near_long", "next_nods", "starts_capital", "first_size",
    "has_speaker", "near_size", "captions", "rare", "repeated_terms",
]  # fmt: skip


def placed(spoken: Sequence[Sentence], extents: Extents, counts: np.ndarray) -> np.ndarray:
    """Where each passage stands and what surrounds it, float32, shape (passages, len(PLACED))."""
    column = {name: i for i, name in enumerate(COUNTED)}
    first, last = extents.first, extents.last
    sizes = np.array([s.size for s in spoken], dtype=np.float64)
    total = max(1.0, float(sizes.sum()))
    starts = np.array([s.at for s in spoken], dtype=np.float64)
    ends = starts + sizes
    turns = np.array([s.turn for s in spoken], dtype=int)
    turn_sizes = np.bincount(turns, weights=sizes)
    turn_starts = np.full(len(turn_sizes), np.inf)
    np.minimum.at(turn_starts, turns, starts)
    turn_ends = turn_starts + turn_sizes
    asks = counts[:, column["question"]] > 0
    leaning = np.array([leans(s.text) for s in spoken])
    nods = np.array([is_reply(s.text) for s in spoken] + [False])
    trails = np.array([_trails_off(s.text) for s in spoken])
    capital = np.array([s.text[:1].isupper() for s in spoken])

    voices = list(dict.fromkeys(s.speaker for s in spoken))
    speakers = np.array([voices.index(s.speaker) for s in spoken], dtype=int)
    named = np.array([s.speaker is not None for s in spoken])
    speaker_share = np.where(named, (np.bincount(speakers, weights=sizes) / total)[speakers], 0.5)
    speaker_asks = (np.bincount(speakers, weights=asks) / np.bincount(speakers))[speakers]

    own = extents.sums(counts)
    size = extents.sums(sizes)
    near = extents.sums_around(counts) - own
    near_words = np.maximum(1.0, extents.sums_around(sizes) - size)
    near_sentences = np.maximum(1, extents.right - extents.left - (last - first + 1))
    near *= 100.0 / near_words[:, None]

    before = np.maximum(0, first - 1)
    asked = (first > 0) & asks[before]
    asked_lately = _running(asks)[first] - _running(asks)[np.maximum(0, first - 3)] > 0
    turn = turns[first]

    terms = [[w for w in words(s.text) if len(w) > 3 and w not in COMMON] for s in spoken]
    frequency = Counter(w for some in terms for w in some)
    term_counts = np.array(
        [[len(some), sum(1 / frequency[w] for w in some), sum(math.log(frequency[w]) for w in some)] for some in terms]
    )
    mine = extents.sums(term_counts)
    mine[:, 1:] /= np.maximum(1, mine[:, :1])
    columns = [
        size,
        last - first + 1,
        leaning[first],
        trails[last],
        asked,
        (first > 0) & (turns[before] != turn) & asked_lately,
        np.minimum(turn_sizes[turn], 400),
        np.minimum(starts[first] - turn_starts[turn], 300),
        np.clip(turn_ends[turn] - ends[last], 0, 300),
        starts[first] / total,
        np.minimum(starts[first], 1500),
        np.minimum(total - starts[first] - size, 1500),
        speaker_share[first],
        speaker_asks[first],
        near[:, column["question"]],
        near[:, column["laugh"]],
        near[:, column["names"]],
        near[:, column["digits"]] + near[:, column["numberword"]],
        near[:, column["selling"]],
        near[:, column["show"]] + near[:, column["greeting"]],
        near[:, column["long_words"]],
        nods[last + 1],
        capital[first],
        sizes[first],
        named[first],
        near_words / near_sentences,
        ~named[first],
        mine[:, 1],
        mine[:, 2],
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _trails_off(text: str) -> bool:
    return not text.rstrip("\"'”’)]").endswith((".", "!", "?")) or text.endswith("...")


LIKENESS = ["to_centre", "to_title", "to_description", "to_near", "density", "to_start", "to_show"]
_ROWS = 512
MOST_COMPARED = 15_000
"""With how many passages each is compared; a talk of a whole day has so many."""


def likeness(vectors: np.ndarray, about: np.ndarray, at: np.ndarray) -> np.ndarray:
    """How like each passage is to the episode: cosines, float32, shape (passages, len(LIKENESS)).

    `vectors` are the passages', unit rows; `about` holds three unit rows (title, description, show title); `at` is
    where each passage starts, in words. Time grows with the square of the passages up to MOST_COMPARED; of more, evenly
    spread ones stand for all.
    """
    rows = np.zeros((len(vectors), len(LIKENESS)), dtype=np.float32)
    if not len(vectors):
        return rows
    rows[:, 0] = vectors @ _unit(vectors.mean(axis=0))
    rows[:, 1] = vectors @ about[0]
    rows[:, 2] = vectors @ about[1]
    rows[:, 5] = vectors @ _unit(vectors[: max(1, len(vectors) // 20)].mean(axis=0))
    rows[:, 6] = vectors @ about[2]
    each = len(vectors) // MOST_COMPARED + 1
    others, places, likest = vectors[::each], at[::each], max(1, 10 // each)
    for top in range(0, len(vectors), _ROWS):
        some = slice(top, top + _ROWS)
        alike = vectors[some] @ others.T
        apart = np.abs(at[some, None] - places[None, :])
        near = (apart > 60) & (apart < 400)
        rows[some, 3] = (alike * near).sum(axis=1) / np.maximum(1, near.sum(axis=1))
        far = np.where(apart > 100, alike, 0)
        most = min(likest, far.shape[1])
        rows[some, 4] = np.maximum(np.partition(far, -most, axis=1)[:, -most:], 0).sum(axis=1) / likest
    return rows


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(1e-9, float(np.linalg.norm(vector)))


NAMES = [
    *(f"much_{n}" for n in COUNTED),
    *(f"any_{n}" for n in COUNTED),
    *PLACED,
    *(f"log_{n}" for n in PLACED),
    *LIKENESS,
]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of the passages of a transcript, float32, a row a passage: `table` has the columns NAMES; `meaning`
    and `around` are the means of the unit vectors of its sentences and of those within 150 words of it, each weighed by
    its words, so shorter than 1 where they speak of different things. The first `found` are the episode's own, by which
    what is usual in it is told; the others were picked by somebody else."""

    table: np.ndarray
    meaning: np.ndarray
    around: np.ndarray
    found: int


def seen(
    spoken: Sequence[Sentence],
    found: Sequence[Passage],
    picked: Sequence[Passage],
    sentence_vectors: np.ndarray,
    about: np.ndarray,
) -> Seen:
    """Every signal of every passage, those that were found and those that somebody else picked."""
    own, found = len(found), [*found, *picked]
    if not found:
        vectors = np.zeros((0, sentence_vectors.shape[1]), dtype=np.float32)
        return Seen(np.zeros((0, len(NAMES)), dtype=np.float32), vectors, vectors, 0)
    counts = sentence_counts(spoken)
    extents = Extents(spoken, found)
    place = placed(spoken, extents, counts)
    sums = extents.sums(counts)
    sizes = np.array([s.size for s in spoken], dtype=np.float32)[:, None]
    weighed = sentence_vectors * sizes
    meaning = (extents.sums(weighed) / np.maximum(1, place[:, :1])).astype(np.float32)
    around = (extents.sums_around(weighed) / np.maximum(1, extents.sums_around(sizes))).astype(np.float32)
    at = np.array([spoken[p.first].at for p in found], dtype=float)
    units = meaning / np.maximum(1e-9, np.linalg.norm(meaning, axis=1, keepdims=True))
    alike = likeness(units, about, at)
    columns = [np.log1p(sums), np.minimum(sums, 1), place, np.log1p(place), alike]
    return Seen(np.hstack(columns).astype(np.float32), meaning, around, own)


def about(episode: Episode) -> list[str]:
    """The three texts that say what an episode is about: its title, its description, its show's title."""
    return [episode.title, episode.description or episode.title, episode.show_title]
