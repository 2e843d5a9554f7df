"""Names that are said in a transcript, word by word: which, how they are written, and in which passages.

No model reads them: whoever writes transcripts and captions gives names their capitals, so that all passages of all
episodes can count (some six million words a minute). A word is a name where the episode writes it large inside a
sentence more often than small. Captions without capitals have the names that their description writes large.
"""

import calendar
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from include.models.meaning import rank

# The unit in which names are said together, in words.
PASSAGE = 80
# The commonest words of English are no names, and of a description, which has headlines, even more are none.
COMMON, COMMON_IN_HEADLINES = 500, 2_000
# A name told in so many passages is half told through and through; a short episode tells what fills a third of it.
HALF_TOLD = 3

_TOKEN = re.compile(r"[^\W\d_][\w&]*(?:[.'’-][^\W\d_]\w*)*|\d[\d,.]*|[^\w\s]")
_POSSESSIVE = re.compile(r"['’]s?$")
_BEGINS = set('.!?:;"“”>-–—♪•*|')
_DATES = {name.lower() for names in (calendar.day_name, calendar.month_name, calendar.day_abbr) for name in names}


# Types are given so that a result without rows still makes the right table.
_ROW = pa.schema(
    {
        "episode_id": pa.string(),
        "name": pa.string(),
        "written": pa.string(),
        "passages": pa.list_(pa.int32()),
        "telling": pa.float64(),
        "partition_date": pa.date32(),
    }
)


@dataclass(frozen=True, slots=True)
class Name:
    """A word of a name in an episode. `name` is in lower case, `written` the name that it is most often part of
    ("elon": "Elon Musk"), `passages` the numbers of the passages of 80 words that say it, rising, and `telling` how
    much the episode speaks of it, 0 to 1."""

    name: str
    written: str
    passages: tuple[int, ...]
    telling: float


@dataclass(frozen=True, slots=True)
class _Run:
    """Words that are written large one after the other: the place of each, and whether a sentence begins with them."""

    words: tuple[str, ...]
    place: int
    begins: bool


def names_of_episodes(episodes: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The names said in some episodes, a row a name of an episode: episode_id, name, written, passages, telling,
    partition_date. Each episode has episode_id, said (its transcript), title, description, show_title, partition_date;
    they are read one by one."""
    columns: dict[str, list] = {field.name: [] for field in _ROW}
    for episode in episodes:
        for one in names_said(episode["said"], episode["title"], episode["description"], episode["show_title"]):
            values = (
                episode["episode_id"],
                one.name,
                one.written,
                one.passages,
                one.telling,
                episode["partition_date"],
            )
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    return pa.table(columns, schema=_ROW)


def names_said(
    text: str | None, title: str | None = None, description: str | None = None, show_title: str | None = None
) -> list[Name]:
    """The names in an episode's transcript, in alphabetical order; never those of its show's own title."""
    runs, small, length = _read(text or "")
    large = Counter(word.lower() for run in runs for word in run.words[run.begins :])
    own = set(names_of(show_title or ""))

    def is_name(word: str) -> bool:
        return _may_be_name(word, COMMON) and word not in own and large[word] > small[_stem(word)]

    passages: dict[str, set[int]] = defaultdict(set)
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for run in runs:
        named = [i for i, word in enumerate(run.words) if is_name(word.lower())]
        if named:
            whole = " ".join(run.words[named[0] if run.begins else 0 :])
            for i in named:
                passages[run.words[i].lower()].add((run.place + i) // PASSAGE)
                written[run.words[i].lower()][whole] += 1
    described = {
        word.lower(): word
        for run in _read(description or "")[0]
        for word in run.words[run.begins :]
        if _may_be_name(word.lower(), COMMON_IN_HEADLINES) and word.lower() not in own
    }
    if sum(small[word] for word in described) > sum(large[word] for word in described):
        for place, word in enumerate(names_of(text or "")):
            if word in described:
                passages[word].add(place // PASSAGE)
                written[word][described[word]] += 1
    in_title = set(names_of(title or ""))
    of_all = length // PASSAGE + 1
    found = []
    for word, places in sorted(passages.items()):
        told = max(len(places) / (len(places) + HALF_TOLD), min(1.0, 3 * len(places) / of_all))
        if word in in_title and len(places) > 1:
            told = max(told, 0.8)
        commonest = min(written[word], key=lambda whole: (-written[word][whole], whole))
        found.append(Name(word, commonest, tuple(sorted(places)), round(told, 4)))
    return found


def names_of(text: str) -> list[str]:
    """All words of a text as names are kept: in lower case and without a possessive."""
    return [_POSSESSIVE.sub("", word).lower() for word in _TOKEN.findall(text) if word[0].isalpha()]


def _read(text: str) -> tuple[list[_Run], Counter[str], int]:
    """The runs of words that are written large, how often each word is written small, and how many words there are."""
    runs: list[_Run] = []
    small: Counter[str] = Counter()
    run: list[str] = []
    place, start, begins, begun = 0, 0, True, True

    def end() -> None:
        if run:
            runs.append(_Run(tuple(run), start, begun))
            run.clear()

    for token in _TOKEN.findall(text):
        if not token[0].isalnum():
            end()
            begins = begins or token in _BEGINS
            continue
        word = _POSSESSIVE.sub("", token)
        if token[0].isupper() and _stem(word) != "i":
            if not run:
                start, begun = place, begins
            run.append(word)
            if word != token:
                end()
        else:
            end()
            small[_stem(word)] += 1
        place, begins = place + 1, False
    end()
    return runs, small, place


def _may_be_name(word: str, common: int) -> bool:
    return len(word) > 1 and word not in _DATES and rank(word) > common


def _stem(word: str) -> str:
    """A word without what an apostrophe adds ("they're")."""
    return re.split("['’]", word, maxsplit=1)[0].lower()
