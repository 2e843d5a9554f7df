"""What is kept how long: files by when they were written, rows by their day. What was removed is noted in
`ops.removals`.

Tables from which an earlier day would be derived again lose nothing, unless PODCAST_KEEP_TRANSCRIPTS_DAYS drops what
was said: docs/operations.md tells what of such a day cannot be made anew.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
from sqlalchemy import delete, update

from include import leftovers
from include.settings import Settings
from include.state import store
from include.state.store import Store
from include.state.tables import llm_calls, reservations, transcription_jobs, turns
from include.warehouse.database import append, drop_unfinished, transaction

_DAY = 86_400.0
_SHORT_LIVED = {"audio": 1, "embeddings": 1}
"""Folders of landing/ that hold what is taken up within hours, or never; in days."""
_TURNS = "llm_turns"
"""The folder of landing/ whose few files are locked, never written: to remove one lets two have its place."""
_RESERVATIONS_DAYS = 30
_HISTORY = ("raw.feed_fetches", "raw.step_times", "ops.dropped_claims", "ops.rejected_rows")
_TALK = ("raw.transcript_segments", "marts.segments")


@dataclass(frozen=True, slots=True)
class Removal:
    """What was removed of a kind, all older than a day: `count` files or rows; `bytes` of files."""

    what: str
    older_than: date
    count: int
    bytes: int | None = None


def remove_expired(
    settings: Settings, connection: duckdb.DuckDBPyConnection, now: datetime | None = None
) -> list[Removal]:
    """Removes what is older than the settings say, and notes it. Costs by what there is to be removed."""
    now = (now or datetime.now(UTC)).astimezone(UTC)
    found = [*_files(settings, now), *_of_state(settings, store.of(settings), now), *_rows(settings, connection, now)]
    removed = [removal for removal in found if removal.count]
    rows = [
        {
            "removed_at": now.replace(tzinfo=None),
            "what": removal.what,
            "older_than": removal.older_than,
            "count": removal.count,
            "bytes": removal.bytes,
        }
        for removal in removed
    ]
    append(connection, "ops.removals", rows)
    return removed


def _files(settings: Settings, now: datetime) -> Iterator[Removal]:
    landing, logs = settings.landing, [settings.data_dir / "airflow" / "logs", settings.data_dir / "dbt" / "dbt.log"]
    if home := os.environ.get("AIRFLOW_HOME"):
        logs.append(Path(home) / "logs")
    kinds = [
        *((f"landing/{name}", [landing / name], days) for name, days in _SHORT_LIVED.items()),
        ("landing", [landing], settings.keep_landing_days),
        ("outbox", [settings.outbox], settings.keep_outbox_days),
        ("logs", logs, settings.keep_logs_days),
        ("alerts", [settings.data_dir / "alerts"], settings.keep_logs_days),
        ("pages", [settings.site / "insights", settings.site / "themes"], settings.keep_pages_days),
    ]
    for what, folders, days in kinds:
        if days:
            files = [file for folder in folders for file in ([folder] if folder.is_file() else folder.rglob("*"))]
            old = [file for file in files if _TURNS not in file.parts]
            yield Removal(what, _before(now, days), *leftovers.forget(old, days * _DAY))
            for folder in folders:
                _remove_empty(folder, now)


def _of_state(settings: Settings, state: Store, now: datetime) -> Iterator[Removal]:
    """Answers and what was heard are dropped where they are kept; analysts keep the rows, with what they cost."""
    with state.writing() as connection:
        connection.execute(delete(turns).where(turns.c.until < now.replace(tzinfo=None) - timedelta(days=1)))
        day = _before(now, _RESERVATIONS_DAYS)
        yield Removal(
            "reservations", day, connection.execute(delete(reservations).where(reservations.c.day < day)).rowcount
        )
        if days := settings.keep_answers_days:
            day = _before(now, days)
            old = llm_calls.c.called_at < datetime.combine(day, datetime.min.time())
            yield Removal("answers", day, connection.execute(delete(llm_calls).where(old)).rowcount)
        if days := settings.keep_transcripts_days:
            day = _before(now, days)
            heard = transcription_jobs.c.segments.is_not(None) & (transcription_jobs.c.partition_date < day)
            emptied = update(transcription_jobs).where(heard).values(segments=None, changed_at=store.now())
            yield Removal("heard recordings", day, connection.execute(emptied).rowcount)


def _rows(settings: Settings, connection: duckdb.DuckDBPyConnection, now: datetime) -> Iterator[Removal]:
    with transaction(connection):
        drop_unfinished(connection)
        if days := settings.keep_answers_days:
            day = _before(now, days)
            emptied = "update raw.llm_calls set answer = null where called_at < $day and answer is not null"
            yield Removal("raw.llm_calls.answer", day, _count(connection, emptied, day))
        tables_there = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        there = {f"{schema}.{table}" for schema, table in tables_there}
        for tables, days in ((_HISTORY, settings.keep_history_days), (_TALK, settings.keep_transcripts_days)):
            for table in [table for table in tables if days and table in there]:
                day = _before(now, days)
                yield Removal(table, day, _count(connection, f"delete from {table} where partition_date < $day", day))


def _count(connection: duckdb.DuckDBPyConnection, statement: str, day: date) -> int:
    ((count,),) = connection.execute(statement, {"day": day}).fetchall()
    return count


def _before(now: datetime, days: int) -> date:
    return now.date() - timedelta(days=days)


def _remove_empty(folder: Path, now: datetime) -> None:
    """Folders that nobody has put anything into for a day, and that hold nothing any more, the deepest first."""
    for entry in sorted((entry for entry in folder.rglob("*") if entry.is_dir()), reverse=True):
        with contextlib.suppress(OSError):  # not empty, or gone
            if now.timestamp() - entry.stat().st_mtime > _DAY:
                entry.rmdir()
