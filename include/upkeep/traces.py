"""The traces that some episodes left: in the warehouse, in the state, in files; and how each is struck."""

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import delete

from include.sources import forgotten
from include.state.store import Store
from include.state.tables import llm_calls, transcription_jobs
from include.warehouse.database import append, drop_unfinished, records, transaction

LEAST_TELLING = 12
"""Characters of a title or sentence by which a file is recognised: shorter ones stand everywhere."""

_NOTED = ("raw.episodes", "raw.transcript_segments", "raw.claims", "raw.claim_scores", "raw.story_pairs")
_KEPT = ("ops.deliveries", "ops.sent_insights", "raw.days_to_derive")
"""That a mail was sent stays known, by ids alone."""
_WORDS_OF_A_DIGEST = ("why", "news", "story", "same_story")


@dataclass(frozen=True, slots=True)
class Traces:
    """What is to be struck. `feeds` and `shows` are those of which nothing is to stay; `episodes` are rows with what
    each is known by; `subjects` are what chat models were asked about in the same questions; `sentences` are titles,
    headlines and quotes."""

    feeds: frozenset[str]
    shows: frozenset[str]
    episodes: tuple[Mapping[str, Any], ...]
    claims: frozenset[str]
    subjects: frozenset[str]
    sentences: frozenset[str]

    @property
    def episode_ids(self) -> frozenset[str]:
        return frozenset(episode["episode_id"] for episode in self.episodes)

    @property
    def days(self) -> list[date]:
        return sorted({episode["partition_date"] for episode in self.episodes if episode["partition_date"]})

    @property
    def marks(self) -> set[str]:
        """The hashes by which nothing of it is taken in again."""
        whole = {*map(forgotten.feed_mark, self.feeds), *map(forgotten.show_mark, self.shows)}
        return whole.union(*map(forgotten.episode_marks, self.episodes))


def of(
    connection: duckdb.DuckDBPyConnection, episode_ids: Collection[str], feeds: Collection[str], shows: Collection[str]
) -> Traces:
    """What these episodes, and all of these feeds and shows, left in a warehouse."""
    wanted = {"episodes": list(episode_ids), "feeds": list(feeds), "shows": list(shows)}
    columns = "episode_id, show_id, show_title, feed_url, guid, title, audio_url, episode_url, published_at"
    chosen = "list_contains($episodes, episode_id) or list_contains($feeds, feed_url) or list_contains($shows, show_id)"
    episodes = records(
        connection,
        f"""
        select {columns}, max(partition_date) as partition_date
        from (
            select {columns}, partition_date from raw.episodes
            union all
            select {columns}, null from raw.feed_items where problem is null
        )
        where {chosen}
        group by all
        order by partition_date, episode_id
        """,
        wanted,
    )
    ids = {"episodes": sorted({episode["episode_id"] for episode in episodes})}
    claims = records(
        connection,
        "select claim_id, headline, quote, insight from raw.claims where list_contains($episodes, episode_id)",
        ids,
    )
    asked_with = connection.execute(
        """
        with of_the_days as (
            select claim_id from raw.claims
            where partition_date in (select partition_date from raw.episodes where list_contains($episodes, episode_id))
        )
        select claim_id from of_the_days
        union
        select unnest([claim_id, other_claim_id]) from raw.story_pairs
        where claim_id in (from of_the_days) or other_claim_id in (from of_the_days)
        """,
        ids,
    ).fetchall()
    titles = [row[name] for row in episodes for name in ("title", "audio_url", "episode_url", "guid")]
    titles += [row["show_title"] for row in episodes if row["show_id"] in shows or row["feed_url"] in feeds]
    said = [row[name] for row in claims for name in ("headline", "quote", "insight")]
    return Traces(
        frozenset(feeds),
        frozenset(shows),
        tuple(episodes),
        frozenset(row["claim_id"] for row in claims),
        frozenset(ids["episodes"]) | {claim for (claim,) in asked_with},
        frozenset(text for text in (*titles, *said, *feeds) if text),
    )


def strike_from_warehouse(connection: duckdb.DuckDBPyConnection, traces: Traces) -> dict[str, int]:
    """Removes the rows that bear an id of these, of every table; returns how many of each. Digests that were sent keep
    their places without words. The days are noted, so that the next build derives what came of them again."""
    struck: dict[str, int] = {}
    with transaction(connection):
        # What is derived loses rows here too, so a build would not see what that changes in the days after.
        for day in traces.days[:1]:
            append(connection, "raw.days_to_derive", [{"model": table, "first_day": day} for table in _NOTED])
        drop_unfinished(connection)
        for table, columns in _tables(connection).items():
            parameters, conditions = _conditions(columns, traces)
            if table in _KEPT or not conditions:
                continue
            which = " or ".join(conditions)
            if {"digest_date", "rank"} <= columns.keys():
                blank = ", ".join(f"{column} = null" for column in _WORDS_OF_A_DIGEST if column in columns)
                connection.execute(f"update {table} set {blank} where {which}", parameters)
                continue
            (count,) = connection.execute(f"delete from {table} where {which}", parameters).fetchone() or (0,)
            struck |= {table: count} if count else {}
        _strike_sentences(connection, traces)
    return struck


def strike_from_state(state: Store, traces: Traces) -> dict[str, int]:
    """Removes the jobs of these episodes with what was heard, and all answers about what was asked together with them;
    then nothing of these is in the file any more. What was paid stays counted. Nobody else may use the state."""
    with state.writing(durable=True) as connection:
        struck: dict[str, int] = {}
        for table, column, ids in (
            (transcription_jobs, transcription_jobs.c.episode_id, traces.episode_ids),
            (llm_calls, llm_calls.c.subject_id, traces.subjects),
        ):
            count = sum(
                connection.execute(delete(table).where(column.in_(some))).rowcount for some in _by_hundreds(sorted(ids))
            )
            struck |= {table.name: count} if count else {}
    state.compact(transcription_jobs, llm_calls)
    return struck


def strike_from_files(place: Path, traces: Traces) -> list[Path]:
    """Removes the file, or the files under a folder, that name an id or say a sentence of these; returns which. Mails
    and pages are read as they are shown, Parquet by its columns."""
    pattern = _pattern(traces)
    removed = []
    for file in sorted([place, *place.rglob("*")]):
        if file.is_file() and not file.is_symlink() and _tells(file, traces, pattern):
            file.unlink()
            removed.append(file)
    return removed


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The columns of every table of the database, with their types."""
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        """
        select format('{}."{}"', schema_name, table_name).replace('"', ''), column_name, data_type
        from duckdb_columns()
        where database_name = current_database() and not internal and table_oid in (
            select table_oid from duckdb_tables() where database_name = current_database()
        )
        """
    ).fetchall():
        tables.setdefault(table, {})[column] = kind
    return tables


def _conditions(columns: Mapping[str, str], traces: Traces) -> tuple[dict[str, list[str]], list[str]]:
    """What says, of a table with these columns, which rows are of the traces."""
    ids: dict[str, Collection[str]] = {"episode": traces.episode_ids, "claim": traces.claims}
    ids |= {"subject": traces.subjects, "feed": traces.feeds, "show": traces.shows}
    conditions, used = [], set()
    for column in columns:
        found = re.fullmatch(r"(?:\w+_)?(episode|claim|subject|show)_id|(feed)_url", column)
        if found and column != "recording_show_id" and ids[kind := found[1] or found[2]]:
            conditions.append(f"list_contains(${kind}, {column})")
            used.add(kind)
    if "row_key" in columns and traces.episode_ids:
        conditions.append("list_contains($episode, json_extract_string(\"row\", '$.episode_id'))")
        used.add("episode")
    return {kind: sorted(ids[kind]) for kind in used}, conditions


def _strike_sentences(connection: duckdb.DuckDBPyConnection, traces: Traces) -> None:
    """Of derived tables without these ids, what says the same in other columns: labels of themes, stories of days."""
    sentences = sorted(traces.sentences)
    for table, columns in _tables(connection).items():
        if table.partition(".")[0] not in ("intermediate", "marts"):
            continue
        if "names" in columns and "partition_date" in columns:
            connection.execute(f"delete from {table} where list_contains($days, partition_date)", {"days": traces.days})
        for column in [name for name, kind in columns.items() if kind == "VARCHAR"]:
            connection.execute(
                f"update {table} set {column} = '' where list_contains($sentences, {column})", {"sentences": sentences}
            )


def _pattern(traces: Traces) -> re.Pattern[str]:
    sentences = [" ".join(sentence.split())[:100] for sentence in traces.sentences]
    known_by = {*traces.episode_ids, *traces.claims, *(text for text in sentences if len(text) >= LEAST_TELLING)}
    return re.compile("|".join(map(re.escape, sorted(known_by))) or r"(?!)")


def _tells(file: Path, traces: Traces, pattern: re.Pattern[str]) -> bool:
    if file.suffix == ".parquet":
        with duckdb.connect() as connection, contextlib.suppress(duckdb.Error):
            columns = dict(connection.execute("select name, type from parquet_schema($1)", [str(file)]).fetchall())
            parameters, conditions = _conditions(columns, traces)
            which = " or ".join(conditions) or "false"
            path = str(file).replace("'", "''")
            return bool(connection.execute(f"select 1 from '{path}' where {which} limit 1", parameters).fetchone())
    return any(pattern.search(text) for text in _texts(file))


def _texts(file: Path) -> Iterator[str]:
    """What a file says, without line breaks and marks of HTML and JSON."""
    content = file.read_bytes()
    if file.suffix == ".eml":
        message = message_from_bytes(content, EmailMessage, policy=policy.default)
        parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
        texts = [str(message["Subject"]), *parts]
    else:
        texts = [content.decode("utf-8", "replace")]
    for text in texts:
        yield " ".join(unescape(text).split())
        if "\\" in text:
            yield " ".join(
                re.sub(r"\\u([0-9a-f]{4})", lambda sign: chr(int(sign[1], 16)), text).replace('\\"', '"').split()
            )


def _by_hundreds(ids: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(ids), 500):
        yield ids[first : first + 500]
