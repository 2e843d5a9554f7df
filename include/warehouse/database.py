"""The one place that opens the warehouse.

The warehouse is a DuckDB file with one writer: only tasks in the pool `duckdb_writer` call `open_warehouse`, and none
keeps it open while it waits for the network. Analysts read the published copy instead
(`include.warehouse.publication`).
"""

import contextlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import tenacity

from include import addresses
from include.settings import settings

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

HELD_SECONDS = 1_800.0
"""How long a file that another process has open is waited for."""

_DAMAGE = re.compile(
    "not a valid DuckDB database|Could not read enough bytes|Corrupt database"
    # Of another program's database DuckDB wants an extension first.
    "|Failed to download extension|Is a directory"
)
_SCHEMA = Path(__file__).with_name("schema.sql")


@contextlib.contextmanager
def open_warehouse(path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse, its tables in place, its clock in UTC; closed at the end of the block.

    Where another process has the file open, that is said, and it is waited for, up to half an hour. Raises
    WarehouseHeld where that is not enough, and UnusableWarehouse where the file is damaged or something else.
    """
    file = path or settings().warehouse
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = _connect(file)
        try:
            connection.execute(f"set TimeZone = 'UTC'; set memory_limit = '{settings().warehouse_memory}'")
            connection.execute(addresses.macros())
            connection.execute(_SCHEMA.read_text())
            yield connection
        finally:
            connection.close()
    except duckdb.Error as error:
        if holder := held_by(error):
            raise WarehouseHeld(f"{_held(file, holder)} It was waited for in vain.") from None
        if _DAMAGE.search(str(error)):
            raise UnusableWarehouse(
                f"{file} is no DuckDB database, or one that is damaged or was cut short: {error}. Nothing was written. "
                "Stop the pipeline, move the file and its .wal away and put a backup in their place, or start without "
                "one and backfill the days again."
            ) from error
        raise


class WarehouseHeld(RuntimeError):
    """Another process keeps the warehouse open."""


class UnusableWarehouse(RuntimeError):
    """The warehouse's file cannot be read as a database; no retry helps."""


@contextlib.contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that the block writes, or, where it raises, nothing of it."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


@contextlib.contextmanager
def noting_changes(connection: duckdb.DuckDBPyConnection, day: date, *tables: str) -> Iterator[None]:
    """Notes on which days, from that one on, the block changes rows of the tables, so that the next build of dbt
    derives them again, whichever day it is for. Costs a look at these rows; use it within a transaction."""
    before = {table: _content(connection, table, day) for table in tables}
    yield
    after = {table: _content(connection, table, day) for table in tables}
    changed = [(table, one) for table in tables for one in _changed(before[table], after[table])]
    rows = [{"model": table, "first_day": one, "last_day": one} for table, one in changed]
    append(connection, "raw.days_to_derive", rows)


def replace_partition(
    connection: duckdb.DuckDBPyConnection, table: str, day: date, rows: "pd.DataFrame | Sequence[Mapping[str, Any]]"
) -> None:
    """Makes `rows` all that the table has of that day. Columns go by name; a column that the rows lack is null."""
    connection.execute(f"delete from {table} where partition_date = $day", {"day": day})
    append(connection, table, rows)


def append(
    connection: duckdb.DuckDBPyConnection, table: str, rows: "pd.DataFrame | Sequence[Mapping[str, Any]]"
) -> None:
    """Adds rows to a table, columns by name."""
    if len(rows) == 0:
        return
    frame = _arrow(connection, table, rows)
    connection.register("incoming", frame)
    try:
        connection.execute(f"insert into {table} by name select * from incoming")
    finally:
        connection.unregister("incoming")


def drop_unfinished(connection: duckdb.DuckDBPyConnection) -> None:
    """Drops the tables that interrupted builds of dbt left: a model in Python puts its rows into one of the schema main
    first."""
    for (name,) in connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'main' and contains(table_name, '__dbt_tmp')"
    ).fetchall():
        connection.execute(f'drop table main."{name}"')


def held_by(error: BaseException) -> str | None:
    """Who has the file open, as DuckDB names the process; None where that is not what the error says."""
    held = re.search(r"Conflicting lock is held in (.+? \(PID \d+\))", str(error))
    return held[1] if held else None


def records(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any] | None = None
) -> list[dict]:
    """The rows of a query, each as a dict by column name."""
    cursor = connection.execute(query, dict(parameters or {}))
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _held(file: Path, holder: str) -> str:
    return (
        f"{file} is open in {holder}, and only one process can write to it. Close it there; to read while the pipeline "
        f"writes, open the published copy under {settings().published} instead."
    )


def _say_who_holds_it(state: tenacity.RetryCallState) -> None:
    """Once a minute, while it is waited for."""
    error = state.outcome.exception() if state.outcome else None
    if error and state.attempt_number % 60 == 2:
        log.warning("%s This goes on by itself when the file is free.", _held(state.args[0], held_by(error) or "?"))


def _content(connection: duckdb.DuckDBPyConnection, table: str, day: date) -> dict[date, tuple]:
    """What tells whether the rows that a table has of a day are others than before, for each day from that one on."""
    rows = connection.execute(
        f"""
        select partition_date, count(*), sum(hash(rows)) from {table} as rows
        where partition_date >= $day
        group by partition_date
        """,
        {"day": day},
    ).fetchall()
    return {of_day: tuple(content) for of_day, *content in rows}


def _changed(before: dict[date, tuple], after: dict[date, tuple]) -> list[date]:
    return sorted(day for day in before.keys() | after.keys() if before.get(day) != after.get(day))


@tenacity.retry(
    retry=tenacity.retry_if_exception(lambda error: held_by(error) is not None),
    wait=tenacity.wait_fixed(1),
    stop=tenacity.stop_after_delay(HELD_SECONDS),
    before_sleep=_say_who_holds_it,
    reraise=True,
)
def _connect(file: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(file))


def _arrow(connection: duckdb.DuckDBPyConnection, table: str, rows: "pd.DataFrame | Sequence[Mapping[str, Any]]"):
    """The rows as an Arrow table with the types of the warehouse's table, so that an empty column has a type too."""
    import pyarrow

    schema = connection.execute(f"select * from {table} limit 0").to_arrow_table().schema
    if not isinstance(rows, Sequence):
        rows = rows.astype(object).where(rows.notna(), None).to_dict("records")
    unknown = set().union(*(row.keys() for row in rows)) - set(schema.names)
    if unknown:
        raise ValueError(f"{table} has no column {', '.join(sorted(unknown))}")
    return pyarrow.Table.from_pylist(list(rows), schema=schema)
