"""What versions before the state kept elsewhere: tables of the warehouse, and files under `landing/`. It is read once,
when the state is made."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy
import tenacity
from sqlalchemy import Connection, Table

from include.state import tables

Row = dict[str, Any]

_TABLES = {
    tables.llm_calls: "raw.llm_calls",
    tables.transcription_jobs: "raw.transcription_jobs",
    tables.deliveries: "ops.deliveries",
    tables.sent_insights: "ops.sent_insights",
}
_CALLS, _JOBS, _SPENDING = ("llm_calls", "themes_of_files"), "transcription_jobs", "spending"
_ANSWERED = ("ok", "malformed", "truncated", "refused")
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is to be taken over: the warehouse, where there is one, and the landing folder."""

    warehouse: duckdb.DuckDBPyConnection | None
    landing: Path


@contextlib.contextmanager
def opened(data_dir: Path) -> Iterator[Earlier]:
    """Waits for the warehouse where another process has it open."""
    file = data_dir / "warehouse.duckdb"
    warehouse = _connect(file) if file.exists() else None
    try:
        yield Earlier(warehouse, data_dir / "landing")
    finally:
        if warehouse:
            warehouse.close()


def take_over(connection: Connection, earlier: Earlier) -> None:
    """Writes all of it into the empty state."""
    if earlier.warehouse:
        for table, name in _TABLES.items():
            for rows in _rows(earlier.warehouse, name):
                # The warehouse has these, so they do not count as changed.
                connection.execute(table.insert(), [_fitting(table, row, datetime(1970, 1, 1)) for row in rows])
    for folder in _CALLS:
        for _, row in _files(earlier.landing / folder):
            if row:
                _replace(connection, tables.llm_calls, row)
    for key, row in _files(earlier.landing / _JOBS):
        _replace(connection, tables.transcription_jobs, _job(row) if row else _damaged(key))
    for file in sorted((earlier.landing / _SPENDING).glob("*.jsonl")):
        _take_over_ledger(connection, file)


def remove(connection: Connection, earlier: Earlier) -> None:
    """Removes the files that were taken over, and puts the SQLite file aside that a PostgreSQL state took over; the
    tables stay, as what analysts find it in."""
    for folder in (*_CALLS, _JOBS, _SPENDING):
        shutil.rmtree(earlier.landing / folder, ignore_errors=True)
    before = earlier.landing.with_name("state.db")
    if connection.dialect.name == "postgresql" and before.exists():
        before.rename(before.with_suffix(".moved"))


@tenacity.retry(
    retry=tenacity.retry_if_exception(lambda error: "Conflicting lock is held" in str(error)),
    wait=tenacity.wait_fixed(1),
    stop=tenacity.stop_after_delay(1_800),
    reraise=True,
)
def _connect(file: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(file))


def _rows(warehouse: duckdb.DuckDBPyConnection, name: str) -> Iterator[list[Row]]:
    schema, table = name.split(".")
    known = "select 1 from duckdb_tables() where schema_name = $schema and table_name = $table"
    if not warehouse.execute(known, {"schema": schema, "table": table}).fetchone():
        return
    found = warehouse.execute(f"select * from {name}")
    columns = [column[0] for column in found.description]
    while rows := found.fetchmany(_AT_ONCE):
        yield [dict(zip(columns, row, strict=True)) for row in rows]


def _files(folder: Path) -> Iterator[tuple[str, Row | None]]:
    """The JSON files of a folder by name, with None for one that is damaged."""
    for file in sorted(folder.glob("[!.]*.json")):
        try:
            row = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            row = None
        yield file.stem, row if isinstance(row, dict) else None


def _job(row: Row) -> Row:
    return {**row, "segments": json.dumps(row["segments"], ensure_ascii=False) if row.get("segments") else None}


def _damaged(key: str) -> Row:
    """A job in work that nothing takes up: what it began may be paid for, and nobody knows."""
    wrong = (
        "its file was damaged (a full disk?), so its recording is left alone. Look in the service's list whether it "
        "has the recording; delete this row, and it is transcribed from the beginning."
    )
    return {"job_key": key, "episode_id": "", "status": "intended", "error": wrong}


def _take_over_ledger(connection: Connection, file: Path) -> None:
    day, kind = date.fromisoformat(file.stem[:10]), file.stem[11:]
    amounts: dict[str, int] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):  # what a killed process wrote last
            entry = json.loads(line)
            amounts[entry["token"]] = round(entry["amount"] * 1e9)
    if amounts:
        rows = [{"kind": kind, "day": day, "token": token, "amount": amount} for token, amount in amounts.items()]
        connection.execute(tables.reservations.insert(), rows)
        connection.execute(tables.budgets.insert().values(kind=kind, day=day, spent=sum(amounts.values())))


def _replace(connection: Connection, table: Table, row: Row) -> None:
    """Puts a row in the place of the one with its key, unless that is an answer: a question has one."""
    row = _fitting(table, row, datetime.now(UTC).replace(tzinfo=None))
    (key,) = table.primary_key
    had = connection.scalar(sqlalchemy.select(table.c.status).where(key == row[key.name]))
    if table is tables.llm_calls and had in _ANSWERED:
        return
    connection.execute(table.delete().where(key == row[key.name]))
    connection.execute(table.insert(), [row])


def _fitting(table: Table, row: Row, changed_at: datetime) -> Row:
    """The row with the columns of the table, JSON's times as times."""
    fitting = {column.name: _typed(column, row.get(column.name)) for column in table.columns}
    if "changed_at" in fitting:
        fitting["changed_at"] = changed_at
    return fitting


def _typed(column: sqlalchemy.Column, value: Any) -> Any:
    if isinstance(value, str) and isinstance(column.type, sqlalchemy.DateTime):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and isinstance(column.type, sqlalchemy.Date):
        return date.fromisoformat(value)
    return value
