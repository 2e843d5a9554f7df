"""Names that speech models mishear, put right by a dictionary: `dbt/seeds/transcript_corrections.csv`.

Only what a speech model heard is corrected, never what a publisher wrote. What was heard is kept beside the corrected
text, so that each day can be corrected anew when the dictionary has changed.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb

from include.settings import PROJECT
from include.transcripts import formats
from include.transcripts.segment import Segment
from include.warehouse.database import records

DICTIONARY = PROJECT / "dbt" / "seeds" / "transcript_corrections.csv"

_COLUMNS = ["show_title", "wrong", "corrected"]


class UnusableDictionary(ValueError):
    """A line of the dictionary cannot be used; the message names the file, the line and what to do."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a speech model makes of a name, and the name. Without a `show_title` it holds for every show.

    Whole words are matched. A `wrong` in lower case is found in any case, one with capitals only as it is written.
    """

    show_title: str | None
    wrong: str
    corrected: str


def load(dictionary: Path = DICTIONARY) -> tuple[Rule, ...]:
    """The rules of a dictionary; raises UnusableDictionary for a line that is incomplete or said twice."""
    with dictionary.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != _COLUMNS:
            raise UnusableDictionary(f"{dictionary}: the first line must be {','.join(_COLUMNS)}")
        rules: dict[tuple[str, str], Rule] = {}
        for row in reader:
            where = f"{dictionary}, line {reader.line_num}"
            show, wrong, corrected = (_fold(row[column] or "") for column in _COLUMNS)
            if not wrong or not corrected or None in row:
                raise UnusableDictionary(f"{where}: a line has a show or nothing, what is wrong, and what is correct")
            if (show.casefold(), wrong) in rules:
                raise UnusableDictionary(f"{where}: {wrong!r} is already corrected for {show or 'every show'}")
            rules[show.casefold(), wrong] = Rule(show or None, wrong, corrected)
    return tuple(rules.values())


def apply(segments: Sequence[Segment], show_title: str, rules: Iterable[Rule]) -> list[Segment]:
    """The segments with the names of a show put right. Nothing is corrected twice: what one rule writes no other reads.

    A rule of the show goes before one of every show, a longer one before a shorter one.
    """
    show = _fold(show_title).casefold()
    ours = [rule for rule in rules if rule.show_title is None or rule.show_title.casefold() == show]
    if not ours:
        return list(segments)
    ours.sort(key=lambda rule: (-len(rule.wrong), rule.show_title is None))
    pattern = re.compile("|".join(f"({_wording(rule.wrong)})" for rule in ours))

    def corrected(match: re.Match[str]) -> str:
        text = ours[(match.lastindex or 1) - 1].corrected
        return text[:1].upper() + text[1:] if match.group()[:1].isupper() and text.islower() else text

    return [replace(segment, text=pattern.sub(corrected, segment.text)) for segment in segments]


def correct(connection: duckdb.DuckDBPyConnection, day: date, rules: Sequence[Rule]) -> int:
    """Brings the day's landed transcripts of speech models up to date with the dictionary; gives how many changed.

    Call it in the transaction that lands them, so that nobody reads the uncorrected ones. A transcript that changes
    gets another content hash, and is read for claims again.
    """
    landed = records(
        connection,
        """
        select episodes.show_title, segments.episode_id, segments.segment_index, segments.speaker,
            segments.start_seconds, segments.end_seconds, segments.text, segments.text_as_heard
        from raw.transcript_segments as segments
        inner join raw.transcripts as transcripts
            on segments.episode_id = transcripts.episode_id and segments.partition_date = transcripts.partition_date
        inner join raw.episodes as episodes on segments.episode_id = episodes.episode_id
        where segments.partition_date = $day and transcripts.source not in ('publisher', 'none')
        order by segments.episode_id, segments.segment_index
        """,
        {"day": day},
    )
    episodes: dict[str, list[dict]] = {}
    for row in landed:
        episodes.setdefault(row["episode_id"], []).append(row)
    return sum(_correct(connection, episode_id, rows, rules) for episode_id, rows in episodes.items())


def _correct(
    connection: duckdb.DuckDBPyConnection, episode_id: str, rows: Sequence[dict], rules: Sequence[Rule]
) -> bool:
    heard = [
        Segment(
            row["segment_index"],
            row["text"] if row["text_as_heard"] is None else row["text_as_heard"],
            row["speaker"],
            row["start_seconds"],
            row["end_seconds"],
        )
        for row in rows
    ]
    corrected = apply(heard, rows[0]["show_title"], rules)
    changed = [
        (segment.text, None if segment.text == before.text else before.text, episode_id, segment.index)
        for segment, before, row in zip(corrected, heard, rows, strict=True)
        if segment.text != row["text"]
    ]
    if not changed:
        return False
    connection.executemany(
        "update raw.transcript_segments set text = ?, text_as_heard = ? where episode_id = ? and segment_index = ?",
        changed,
    )
    connection.execute(
        "update raw.transcripts set content_hash = $hash, word_count = $words where episode_id = $episode",
        {
            "hash": formats.content_hash(corrected),
            "words": formats.word_count(corrected),
            "episode": episode_id,
        },
    )
    return True


def _wording(wrong: str) -> str:
    """A pattern for whole words, whatever the spacing between them."""
    words = r"\s+".join(re.escape(word) for word in wrong.split())
    return rf"(?<!\w)(?:{words})(?!\w)" if wrong != wrong.lower() else rf"(?<!\w)(?i:{words})(?!\w)"


def _fold(text: str) -> str:
    return " ".join(text.split())
