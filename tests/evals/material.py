"""What the figures are measured on: transcripts with what a careful reader marked in them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from include.claims.claim import Episode
from include.local.claim_files import read_episode
from include.transcripts.formats import format_of, parse
from include.transcripts.segment import Segment
from tests.evals.measures import Marked, Spoken

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT.parent / "shared"
BUNDLED = Path(__file__).parent / "gold" / "insights"
READINGS = Path(__file__).parent / "readings"


# What each show is about; any other show is about software.
FIELDS = {
    "megyn-kelly-show": "news",
    "pod-save-america": "news",
    "npr-news-now": "news",
    "the-daily": "news",
    "all-in": "business",
    "lennys-podcast": "business",
    "huberman-lab": "health",
    "bill-simmons-podcast": "sport",
}
SOFTWARE = "software"


@dataclass(frozen=True)
class Annotated:
    """One transcript with its marks. `hours` is the length of the talk, from its times, else from 9,000 words an
    hour; `field` is what its show is about."""

    slug: str
    show: str
    episode: Episode
    segments: tuple[Segment, ...]
    spoken: Spoken
    marked: Marked

    @property
    def field(self) -> str:
        return FIELDS.get(self.show, SOFTWARE)

    @property
    def hours(self) -> float:
        times = [s.end_seconds or s.start_seconds or 0.0 for s in self.segments]
        return max([*times, len(self.spoken.words) * 0.4]) / 3600


def shared_gold() -> list[Annotated]:
    """The annotated real episodes next to the project; empty where they are absent."""
    return _annotated(SHARED / "gold" / "dev", _from_corpus)


def further_readings() -> list[Annotated]:
    """Further real episodes next to the project, marked in the same manner by other readers, as positions alone; empty
    where the transcripts are absent."""
    there = (SHARED / "corpus").exists() and (SHARED / "corpus-news").exists()
    return _annotated(READINGS, _from_corpus) if there else []


def bundled_gold() -> list[Annotated]:
    """The annotated episodes of the bundled sample."""
    return _annotated(BUNDLED, _from_sample)


def _annotated(folder: Path, find: Callable[[str, str], tuple[Episode, tuple[Segment, ...]]]) -> list[Annotated]:
    found = []
    for file in sorted(folder.glob("*.json")):
        gold = json.loads(file.read_text(encoding="utf-8"))
        show, _, name = gold["slug"].partition("__")
        episode, segments = find(show, name)
        spoken = Spoken.of([s.text for s in segments])
        found.append(Annotated(gold["slug"], show, episode, segments, spoken, Marked.of(gold, spoken)))
    return found


def _from_corpus(show: str, name: str) -> tuple[Episode, tuple[Segment, ...]]:
    corpus = "corpus-news" if show in FIELDS else "corpus"
    read = read_episode(SHARED / corpus / "episodes" / show / f"{name}.json")
    return read.episode, read.segments


def _from_sample(show: str, name: str) -> tuple[Episode, tuple[Segment, ...]]:
    folder = PROJECT / "include" / "local" / "sample" / "transcripts"
    offered = [f for f in sorted(folder.rglob("*")) if show in str(f) and name in f.stem and format_of("", f.name)]
    if not offered:
        raise FileNotFoundError(f"no transcript of {show} {name} in {folder}")
    file = offered[0]
    segments = tuple(parse(file.read_bytes(), format_of("", file.name) or "text"))
    return Episode(f"{show}/{name}", show.replace("-", " ").title(), name), segments
