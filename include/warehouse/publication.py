"""The analysts' copy: the marts and the operations tables, in a file of its own that is replaced in one move.

Who has the old copy open keeps reading it undisturbed; who opens it next sees the new one.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from include.state.store import Store
from include.warehouse import mirror
from include.warehouse.database import append, open_warehouse

_RECIPIENT = {"recipient": "regexp_replace(recipient, '^(.)[^@]*.*?(@[^@]*)?$', '\\1***\\2')"}
_MASKED = {"ops.deliveries": {**_RECIPIENT, "message_id": "null::varchar"}, "ops.sent_insights": _RECIPIENT}
"""Columns that analysts see in part only, or not at all: a Message-ID follows from the recipient, so that who guesses
an address could tell by it that they are right."""

_SCHEMAS = ("marts", "ops")


def publish(warehouse: Path, copy: Path, state: Store | None = None) -> Path:
    """Writes the copy beside its place and moves it there. Views become tables; column comments come along. Of the
    state it tells what it is by now, where one is given.

    Costs by the size of the marts. Safe to repeat; a crash leaves the old copy in place.
    """
    with open_warehouse(warehouse) as connection, _replaced(copy) as unfinished:
        if state:
            mirror.bring(connection, state)
        unfinished.unlink(missing_ok=True)
        connection.execute(f"attach '{str(unfinished).replace(chr(39), chr(39) * 2)}' as copy")
        for schema in _SCHEMAS:
            connection.execute(f"create schema copy.{schema}")
        for schema, table in _tables(connection):
            columns = _shown(f"{schema}.{table}")
            connection.execute(f'create table copy.{schema}."{table}" as select {columns} from {schema}."{table}"')
        _copy_comments(connection)
        connection.execute("detach copy")
    return copy


def publish_ledger(copy: Path, state: Store) -> None:
    """Brings what became of mails into the copy, where there is one; needs no warehouse. Costs what copying the file
    does."""
    if not copy.exists():
        return
    with _replaced(copy) as unfinished:
        shutil.copyfile(copy, unfinished)
        with duckdb.connect(str(unfinished)) as connection:
            for name, rows in mirror.ledger(state).items():
                connection.execute(f"create or replace temp table unmasked as from {name} limit 0")
                append(connection, "unmasked", rows)
                connection.execute(f"delete from {name}")
                connection.execute(f"insert into {name} select {_shown(name)} from unmasked")


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
    """The file that is to take the copy's place when the block ends well, which nobody else writes meanwhile."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    unfinished = copy.with_suffix(".part")
    with copy.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield unfinished
        os.replace(unfinished, copy)


def _shown(table: str) -> str:
    """The columns of a table as analysts see them."""
    replaced = ", ".join(f"{expression} as {column}" for column, expression in _MASKED.get(table, {}).items())
    return f"* replace ({replaced})" if replaced else "*"


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return connection.execute(
        """
        select table_schema, table_name
        from information_schema.tables
        where table_catalog = current_database() and list_contains($schemas, table_schema)
        order by all
        """,
        {"schemas": list(_SCHEMAS)},
    ).fetchall()


def _copy_comments(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(
        """
        select 'table', schema_name, table_name, null, comment
        from duckdb_tables() where database_name = current_database() and comment is not null
        union all
        select 'column', schema_name, table_name, column_name, comment
        from duckdb_columns() where database_name = current_database() and comment is not null
        """
    ).fetchall()
    for kind, schema, table, column, comment in rows:
        if schema in _SCHEMAS:
            place = f'copy.{schema}."{table}"' + (f'."{column}"' if column else "")
            text = comment.replace("'", "''")
            connection.execute(f"comment on {kind} {place} is '{text}'")
