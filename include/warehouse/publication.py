"""The analysts' copy: the marts and the operations tables, in a file of its own that is replaced in one move.

Who has the old copy open keeps reading it undisturbed; who opens it next sees the new one.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import yaml

from include.settings import PROJECT
from include.state.store import Store
from include.warehouse import mirror
from include.warehouse.database import append, open_warehouse, transaction

_RECIPIENT = {"recipient": "regexp_replace(recipient, '^(.)[^@]*.*?(@[^@]*)?$', '\\1***\\2')"}
_MASKED = {"ops.deliveries": {**_RECIPIENT, "message_id": "null::varchar"}, "ops.sent_insights": _RECIPIENT}
"""Columns that analysts see in part only, or not at all: a Message-ID follows from the recipient, so that who guesses
an address could tell by it that they are right."""

_SCHEMAS = ("marts", "ops")

_SOURCES = PROJECT / "dbt" / "models" / "sources.yml"
"""Where the tables that Python lands are described; those that dbt builds bear their descriptions themselves."""

_SEARCH = Path(__file__).with_name("search.sql")

_COUNT_MAILS = """
    update ops.runs
    set mails = (select count(*) from ops.deliveries where digest_date = partition_date and status = 'sent')
"""

_DAYS = ("partition_date", "digest_date", "last_seen_date", "called_at")
"""The columns that say of which day a row is."""

_NOTED = "from raw.days_to_derive where starts_with(model, 'copy of ')"

_DAYS_OPEN = 40
"""How old a row of the operations tables gets that may still become another."""


def publish(warehouse: Path, copy: Path, state: Store | None = None) -> Path:
    """Writes the copy beside its place and moves it there. Views become tables; every table and column says what it
    means, and `marts.search_segments` searches what was said. Of the state it tells what it is by now, where one is
    given.

    Costs what copying the file does, and by the days that changed since: the last copy is carried forward, but for
    tables that are new, or of which it would not have as many rows. Safe to repeat; a crash leaves the old copy in
    place.
    """
    with open_warehouse(warehouse) as connection:
        if state:
            mirror.bring(connection, state)
        with _replaced(copy) as unfinished:
            connection.execute(f"attach '{str(unfinished).replace(chr(39), chr(39) * 2)}' as copy")
            with transaction(connection):
                now = _fill(connection)
            _describe(connection)
            if "marts.segments" in now:
                connection.execute(_SEARCH.read_text())
            connection.execute("detach copy")
        connection.execute(f"delete {_NOTED}")
    return copy


def publish_ledger(copy: Path, state: Store) -> None:
    """Brings what became of mails into the copy, where there is one, and counts them anew in `ops.runs`; needs no
    warehouse. Costs what copying the file does."""
    if not copy.exists():
        return
    with _replaced(copy) as unfinished, duckdb.connect(str(unfinished)) as connection:
        for name, rows in mirror.ledger(state).items():
            connection.execute(f"create or replace temp table unmasked as from {name} limit 0")
            append(connection, "unmasked", rows)
            connection.execute(f"delete from {name}")
            connection.execute(f"insert into {name} select {_shown(name)} from unmasked")
        if "ops.runs" in _tables(connection, "current_database()"):
            connection.execute(_COUNT_MAILS)


@contextlib.contextmanager
def open_copy(copy: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the copy; it blocks nobody."""
    connection = duckdb.connect(str(copy), read_only=True)
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def _replaced(copy: Path) -> Iterator[Path]:
    """A file like the copy, if there is one, that takes its place when the block ends well, and that nobody else writes
    meanwhile."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    unfinished = copy.with_suffix(".part")
    with copy.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unfinished.unlink(missing_ok=True)
        if copy.exists():
            shutil.copyfile(copy, unfinished)
        yield unfinished
        os.replace(unfinished, copy)


def _fill(connection: duckdb.DuckDBPyConnection) -> Sequence[str]:
    """Makes the attached copy what the warehouse is, and says which tables that has."""
    for schema in _SCHEMAS:
        connection.execute(f"create schema if not exists copy.{schema}")
    known, now = _tables(connection, "'copy'"), _tables(connection, "current_database()")
    for name in known.keys() - now.keys():
        connection.execute(f"drop table copy.{name}")
    if connection.execute(f"{_NOTED} and model = 'copy of everything'").fetchall():
        known = {}
    anew = [
        name for name, columns in now.items() if known.get(name) != columns or not _carry(connection, name, columns)
    ]
    for name in anew:
        connection.execute(f"create or replace table copy.{name} as select {_shown(name)} from {name}")
    return list(now)


def _carry(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]) -> bool:
    """Brings the days of a table that changed into the copy; says whether the copy has all rows now."""
    day = next((column for column in _DAYS if column in columns), None)
    if day is None:
        return False
    if table.startswith("ops."):
        oldest = f"select max({day}) from copy.{table} union all select min(first_day) {_NOTED}"
        ((oldest,),) = connection.execute(
            f"select min(columns(*)) - interval {_DAYS_OPEN} day from ({oldest})"
        ).fetchall()
        changed = f"{day} >= '{oldest}'" if oldest else "true"
    else:
        of_table = f"select first_day {_NOTED} and model = 'copy of {table.partition('.')[2]}'"
        changed = f"{day} in ({of_table})"
    if day == "last_seen_date":
        changed = f"theme_id in (select theme_id from {table} where {changed}) or {changed}"
    connection.execute(f"delete from copy.{table} where {changed}")
    connection.execute(f"insert into copy.{table} by name select {_shown(table)} from {table} where {changed}")
    ((one, other),) = connection.execute(
        f"select (select count(*) from {table}), (select count(*) from copy.{table})"
    ).fetchall()
    return one == other


def _shown(table: str) -> str:
    """The columns of a table as analysts see them."""
    replaced = ", ".join(f"{expression} as {column}" for column, expression in _MASKED.get(table, {}).items())
    return f"* replace ({replaced})" if replaced else "*"


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    """The tables and views that are published, and the type of each of their columns."""
    found: dict[str, dict[str, str]] = {}
    query = f"""
        select schema_name || '.' || table_name, column_name, data_type
        from duckdb_columns()
        where database_name = {database} and schema_name in {_SCHEMAS}
    """
    for table, column, kind in connection.execute(query).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def _describe(connection: duckdb.DuckDBPyConnection) -> None:
    """Gives the copy's tables and columns the comments that dbt left in the warehouse, and those of `sources.yml`."""
    there = connection.execute(
        """
        select schema_name || '.' || table_name as place, comment, database_name = 'copy' as is_copy
        from duckdb_tables()
        union all
        select schema_name || '.' || view_name, comment, false from duckdb_views() where not internal
        union all
        select schema_name || '.' || table_name || '.' || column_name, comment, database_name = 'copy'
        from duckdb_columns() where not internal
        """
    ).fetchall()
    said = {**_described(), **{place: comment for place, comment, is_copy in there if comment and not is_copy}}
    with transaction(connection):
        for place in sorted(place for place, known, is_copy in there if is_copy and known != said.get(place, known)):
            kind = "column" if place.count(".") == 2 else "table"
            quoted = ".".join(f'"{name}"' for name in ("copy", *place.split(".")))
            connection.execute(f"comment on {kind} {quoted} is '{said[place].replace(chr(39), chr(39) * 2)}'")


def _described() -> dict[str, str]:
    """What `sources.yml` says of each table of the schema ops, and of each column of it."""
    said = {}
    for source in yaml.load(_SOURCES.read_text(), yaml.CSafeLoader)["sources"]:
        for table in source["tables"]:
            place = f"{source['name']}.{table['name']}"
            said[place] = table["description"]
            said.update({f"{place}.{column['name']}": column["description"] for column in table.get("columns", ())})
    return said
