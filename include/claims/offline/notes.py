"""What an episode's own notes call the matters it speaks of: the chapters of its description, its title's parts.

Somebody who knows what was said wrote them, so they name a matter better than words picked from speech do.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from include.claims.claim import Episode
from include.claims.offline.passages import Sentence
from include.claims.offline.wording import capital
from include.models.embedding import bundled_encoder
from include.words import words

FEWEST = 3
LATEST = 90.0
"""How many times a description must have for them to be chapters; and by when, in seconds, the first must begin."""
LONGEST = 8
"""How many words of a chapter's title name its matter; of a longer one the part that is most like the passage does."""
SHORTEST = 3
LONGEST_TOLD = 14
"""How many words a part of the title or the description has that names a matter."""
ALIKE = 0.4
ALIKE_TOLD = 0.5
"""How like, as the cosine of their meaning, a part of the title or the description must be to a passage to name its
matter."""

_TIME = re.compile(r"[\[(]?(?<![\d:.])((?:\d?\d:)?\d?\d:\d\d)(?![\d:])[\])]?[\s\-–—:|]*")
_ENDED = re.compile(
    r"\s*(?:https?:|\*|•|\n|(?<=[a-z)”’\"])[.!?] |"
    r"\b(?:hosts?|guests?|produc\w+|credits|note|disclaimers?|links|music)\b ?:|NOTE:|Disclaimer|"
    r"\b(?:Follow|Subscribe|Want|Visit|Learn more|Get|Listen|Sign up|This (?:episode|show|podcast))\b).*",
    re.S,
)
"""Where what follows the last chapter begins, since descriptions come without line breaks."""
_SELLS = re.compile(r"\b(?:ad(?:vert(?:isement)?)?s?(?: ?breaks?)?|sponsors?|sponsored|promo)\b(?!-)", re.I)
_SAYS_NOTHING = re.compile(
    r"^\W*(?:(?:cold open|outro|opening|closing|wrap.?up|welcome|(?:the )?(?:start|end)|more|background|overview|"
    r"agenda|questions|q ?& ?a|preview|trailer|credits|thanks|thank you|housekeeping|announcements?)\W*|"
    r"(?:intros?|introductions?|introducing|final thoughts|conclusions?|recap|summary|(?:key )?takeaways|lightning|"
    r"today['’]s (?:top )?(?:topics?|stories|show|episode|guests?)|where to find)\b.{0,40}|"
    r".{0,30}\bwelcomes?\b.{0,40}|.{0,20}\bintros?\W*)$",
    re.I,
)
_LABEL = re.compile(
    r"\b(?:tools?|topics?|part \w+|chapter \w+|segment \w+|(?:story|topic|question) ?#?\d+)\s*:\s*", re.I
)
_GOES_ON = re.compile(
    r"\s*[(\[]?\b(?:continued|cont['’]?d?|part (?:\d|one|two|three|i+))\b[)\].]?|,? (?:and|&) more\W*$", re.I
)
_APART = re.compile(r"[;|]\s+|\s[–—|+-]\s|(?<=[?!…])\s+|\.\.\.\s+")
_LISTED = re.compile(r",\s+(?=\W?[A-Z0-9])")
_TOLD = re.compile(r"(?<=[a-z”\"’)][a-z”\"’)][a-z”\"’)])[.;:!?]\s+|[•*]\s+|,\s+(?:and |but )?|\s\(|\)\s")
_NOT_TOLD = re.compile(
    r"https?:|www\.|[@$]|\.com\b|\b(?:subscrib\w+|visit|codes?|join(?:s|ed)?|hosts?|hosted|guests?|episodes?|show|"
    r"podcasts?|newsletter|photo|produc\w+|follow|available|sign|save|first order|free|sponsor\w*|author|professor|"
    r"officer|director|correspondent|columnist|reporter|founder|ceo|background reading|transcripts?|listen\w*|video|"
    r"channel|links?|more|he|she|his|her|their|it|its)\b",
    re.I,
)
"""What a description says of people, places to go and itself; and what points at something else."""
_NAME = re.compile(r".\b[A-Z]")
_GUESTS = re.compile(
    r"(?:,? +(?:with|w/|feat\.?|ft\.?|featuring) *(?:(?:[A-Z][\w.'’-]* ?){2,4}(?:(?:and|&|,) )*)+|"
    r" \((?:feat|with|ft)\b.*)$|^\W*(?:[Aa]nd|[Pp]lus)\b[\s,]*"
)
"""Who is there, and how the last of several matters is joined to the others."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of a recording from `start_seconds` on. `sells` is whether its title says that it is a sponsor's."""

    start_seconds: float
    title: str
    sells: bool = False


def chapters(description: str) -> list[Chapter]:
    """The chapters that a description lists by their times, in order; none where the times do not rise."""
    times = list(_TIME.finditer(description))
    starts = [_seconds(found[1]) for found in times]
    if len(times) < FEWEST or starts[0] > LATEST or any(a >= b for a, b in pairwise(starts)):
        return []
    ends = [*(found.start() for found in times[1:]), len(description)]
    titles = [description[found.end() : end].strip(" -–—|,;•*(") for found, end in zip(times, ends, strict=True)]
    titles[-1] = _ENDED.sub("", titles[-1])
    return [Chapter(start, title, bool(_SELLS.search(title))) for start, title in zip(starts, titles, strict=True)]


class Notes:
    """The notes of one episode."""

    def __init__(self, episode: Episode):
        self._chapters = chapters(episode.description)
        self._show = frozenset(words(episode.show_title))
        self._known = frozenset(words(" ".join((episode.title, episode.show_title, *episode.persons))))
        title = [
            _GUESTS.sub("", part).strip(" ,.…") for whole in _APART.split(episode.title) for part in _listed(whole)
        ]
        self._title = [part for part in title if self._names_a_matter(part)]
        told = [] if self._chapters else [part.strip(" ,.…") for part in _TOLD.split(episode.description)]
        self._told = [p for p in told if self._names_a_matter(p) and _NAME.search(p) and not _NOT_TOLD.search(p)]

    def _names_a_matter(self, part: str) -> bool:
        named = frozenset(words(part))
        says = not _SAYS_NOTHING.match(part) and not self._show <= named
        return says and SHORTEST <= len(words(part)) <= LONGEST_TOLD

    def parted(self, spoken: Sequence[Sentence]) -> list[Sentence]:
        """The sentences of the episode, each chapter a part of its own."""
        starts = [chapter.start_seconds for chapter in self._chapters]
        return [replace(s, part=s.part + bisect_right(starts, s.start_seconds or 0.0)) for s in spoken]

    def sells(self, seconds: float | None) -> bool:
        """Whether a time lies in a chapter that is a sponsor's."""
        chapter = self._at(seconds)
        return chapter is not None and chapter.sells

    def matter(self, seconds: float | None, meaning: np.ndarray) -> str:
        """What the notes call the matter of a passage that begins at a time: the title of its chapter, else a part of
        the episode's title that is like it. Empty where they call it nothing. `meaning` is the passage's, as a unit
        vector."""
        chapter = self._at(seconds)
        named = _shown(chapter.title) if chapter is not None and not chapter.sells else ""
        if named and not _SAYS_NOTHING.match(named) and not self._is_a_guest(chapter):
            return named if len(words(named)) <= LONGEST else _most_alike(_parts(named), meaning)
        return _most_alike(self._title, meaning, ALIKE) or _most_alike(self._told, meaning, ALIKE_TOLD)

    def _at(self, seconds: float | None) -> Chapter | None:
        begun = [chapter for chapter in self._chapters if seconds is not None and chapter.start_seconds <= seconds]
        return begun[-1] if begun else None

    def _is_a_guest(self, chapter: Chapter | None) -> bool:
        """Whether the first chapter only names who is there."""
        named = words(chapter.title) if chapter is not None and chapter == self._chapters[0] else []
        return 0 < len(named) <= SHORTEST and self._known.issuperset(named)


def _listed(text: str) -> list[str]:
    """The matters that a title lists: what commas part, where each part has enough words to be one."""
    listed = _LISTED.split(text)
    fewest = SHORTEST if len(listed) == 2 else SHORTEST - 1
    whole = all(len(words(part.split(": ")[-1])) >= fewest and not part.count('"') % 2 for part in listed)
    return listed if whole else [text]


def _parts(title: str) -> list[str]:
    """The parts of a long title, without those that are too long where others are not."""
    parts = [part for piece in _APART.split(title) for whole in _listed(piece) for part in whole.split(": ", 1)]
    return [part for part in parts if len(words(part)) <= LONGEST_TOLD - 2] or parts


def _most_alike(parts: Sequence[str], meaning: np.ndarray, least: float = -1.0) -> str:
    alike = (bundled_encoder().encode(list(parts)) @ meaning).tolist() if parts else []
    best, part = max(zip(alike, parts, strict=True), default=(-1.0, ""))
    return capital(part) if best >= least else ""


def _shown(title: str) -> str:
    return capital(_GOES_ON.sub("", _LABEL.sub("", " ".join(title.split()))).strip(" .,;:|-–—+&"))


def _seconds(time: str) -> float:
    seconds = 0.0
    for part in time.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds
