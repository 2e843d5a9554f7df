"""Claims of episode files, by the pipeline's own extractor and scorer, without Airflow: `make claims IN=DIR OUT=FILE`.

IN is a folder with one JSON file an episode, at any depth: an object with guid, title, show, and `segments` in spoken
order, each with text, and speaker, start and end (seconds) or null; description, shownotes, persons and published (a
day) are used where present. OUT gets one JSON object a line, for each claim: guid, rank (1 is the episode's best),
quote, headline, insight, speaker, start_seconds, score. What a show says nearly word for word in other files of the
folder, whatever their dates, is no claim: a sponsor read, an intro or a trailer.
"""

import html
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from include.claims import repetition
from include.claims.claim import Claim, Episode, Extractor, ReadEpisode, Score, Scorer
from include.pipeline.chosen_models import extractor, scorer
from include.settings import settings
from include.transcripts.segment import Segment

_TAG = re.compile(r"<[^>]*>")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


class UnreadableEpisode(ValueError):
    """A file is no episode; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class EpisodeFile:
    """An episode as its file tells it. `episode.episode_id` is its guid."""

    episode: Episode
    segments: tuple[Segment, ...]

    @property
    def said(self) -> str:
        return " ".join(segment.text for segment in self.segments)


def main(arguments: list[str]) -> int:
    """Writes OUT. Returns 0; 1 where some files could not be read (the rest is written); 2 where none could."""
    if len(arguments) != 2 or not all(arguments):
        print("Say which folder to read and which file to write: make claims IN=DIR OUT=FILE", file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    files = [source] if source.is_file() else sorted(source.rglob("*.json"))
    if not files:
        print(f"{source}: no episode files (*.json) there", file=sys.stderr)
        return 2
    started = time.monotonic()
    said = runs_by_show(files)
    finder, judge = extractor(settings()), scorer(settings())
    target.parent.mkdir(parents=True, exist_ok=True)
    done = failed = 0
    with target.open("w", encoding="utf-8") as out:
        for number, file in enumerate(files, 1):
            try:
                read = read_episode(file)
                show = said.get(read.episode.show_title, {})
                picked = claims_of(read, finder, judge, [runs for other, runs in show.items() if other != file])
            except (UnreadableEpisode, OSError) as problem:
                failed += 1
                print(f"[{number}/{len(files)}] {file}: left out: {problem}", file=sys.stderr)
                continue
            done += 1
            for row in rows(read, picked):
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
            out.flush()
            print(f"[{number}/{len(files)}] {file}: {len(picked)} claims", file=sys.stderr)
    print(f"{done} episodes, {failed} left out, {time.monotonic() - started:.0f} s: {target}", file=sys.stderr)
    return 2 if not done else 1 if failed else 0


def runs_by_show(files: Sequence[Path]) -> dict[str, dict[Path, np.ndarray]]:
    """By show, the runs of words of each of its files that can be read. Some 80 kB an episode of 10,000 words."""
    found: dict[str, dict[Path, np.ndarray]] = {}
    for file in files:
        try:
            read = read_episode(file)
        except (UnreadableEpisode, OSError):
            continue
        if show := read.episode.show_title:
            found.setdefault(show, {})[file] = repetition.runs(read.said)
    return found


def claims_of(
    read: EpisodeFile, finder: Extractor, judge: Scorer, others: Sequence[np.ndarray] = ()
) -> list[tuple[Claim, Score]]:
    """The episode's claims with their scores, best first, without what its show says again in its `others`, which are
    told by their runs of words."""
    again = repetition.repeated(repetition.runs(read.said), others)
    claims = [
        claim
        for claim in finder.extract(read.episode, read.segments).claims
        if not repetition.is_repeated(repetition.share_repeated(claim.quote, again))
    ]
    (scores,) = judge.score([ReadEpisode(read.episode, read.segments, claims)])
    order = sorted(range(len(claims)), key=lambda i: (-scores[i].score, i))
    return [(claims[i], scores[i]) for i in order]


def rows(read: EpisodeFile, picked: Sequence[tuple[Claim, Score]]) -> Iterator[dict[str, Any]]:
    """What OUT holds of an episode, one row a claim."""
    for rank, (claim, score) in enumerate(picked, 1):
        yield {
            "guid": read.episode.episode_id,
            "rank": rank,
            "quote": claim.quote,
            "headline": claim.headline,
            "insight": claim.insight,
            "speaker": claim.speaker,
            "start_seconds": claim.start_seconds,
            "score": score.score,
        }


def read_episode(file: Path) -> EpisodeFile:
    """The episode in a file. Raises UnreadableEpisode that says what is wrong with it."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as problem:
        raise UnreadableEpisode(f"not UTF-8 text (at byte {problem.start})") from problem
    except (json.JSONDecodeError, RecursionError) as problem:
        raise UnreadableEpisode(f"not JSON ({problem})") from problem
    if not isinstance(told, dict):
        raise UnreadableEpisode("wants one JSON object an episode")
    guid, lines = told.get("guid"), told.get("segments")
    if not isinstance(guid, str) or not guid:
        raise UnreadableEpisode("wants the text `guid`")
    if not isinstance(lines, list):
        raise UnreadableEpisode("wants the list `segments`")
    segments = tuple(_segment(i, line) for i, line in enumerate(lines))
    about = " ".join(filter(None, (_plain(told.get("description")), _plain(told.get("shownotes_md")))))
    persons = told.get("persons")
    names = [p.get("name") if isinstance(p, dict) else p for p in persons] if isinstance(persons, list) else []
    return EpisodeFile(
        Episode(
            episode_id=guid,
            show_title=_plain(told.get("show")),
            title=_plain(told.get("title")),
            description=about,
            persons=tuple(n for n in names if isinstance(n, str) and n),
            published=_day(told.get("published")),
        ),
        segments,
    )


def _segment(index: int, line: object) -> Segment:
    if not isinstance(line, dict) or not isinstance(line.get("text"), str):
        raise UnreadableEpisode(f"segment {index}: wants an object with the text `text`")
    speaker = line.get("speaker")
    if speaker is not None and not isinstance(speaker, str):
        raise UnreadableEpisode(f"segment {index}: `speaker` is neither a text nor null")
    return Segment(index, line["text"], speaker or None, _seconds(index, line, "start"), _seconds(index, line, "end"))


def _seconds(index: int, line: dict[str, Any], name: str) -> float | None:
    value = line.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e7:
        raise UnreadableEpisode(f"segment {index}: `{name}` is neither seconds nor null")
    return float(value)


def _day(value: object) -> date | None:
    """A day, written as ISO 8601 has it, with a time or without; None where it is no such."""
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else None
    except ValueError:
        return None


def _plain(text: object) -> str:
    """Text without markup and link targets, on one line; empty where there is none."""
    if not isinstance(text, str):
        return ""
    return " ".join(html.unescape(_TAG.sub(" ", _LINK.sub(r"\1", text))).replace("*", " ").split())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
