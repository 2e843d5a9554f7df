"""The analysts' copy: the marts and the operations tables, in a file of its own that is replaced in one move.

Who has the old copy open keeps reading it undisturbed; who opens it next sees the new one.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb

from include.warehouse.database import open_warehouse

_RECIPIENT = {"recipient": "regexp_replace(recipient, '^(.)[^@]*.*?(@[^@]*)?$', '\\1***\\2')"}
_MASKED = {"ops.deliveries": {**_RECIPIENT, "message_id": "null::varchar"}, "ops.sent_insights": _RECIPIENT}
"""Columns that analysts see in part only, or not at all: a Message-ID follows from the recipient, so that who guesses
an address could tell by it that they are right."""

_SCHEMAS = ("marts", "ops")


def publish(warehouse: Path, copy: Path) -> Path:
    """Writes the copy beside its place and moves it there. Views become tables; column comments come along.

    Costs by the size of the marts. Safe to repeat; a crash leaves the old copy in place.
    """
    copy.parent.mkdir(parents=True, exist_ok=True)
    unfinished = copy.with_suffix(".part")
    # Whoever has the warehouse open has the copy to itself, too.
    with open_warehouse(warehouse) as connection:
        unfinished.unlink(missing_ok=True)
        connection.execute(f"attach '{str(unfinished).replace(chr(39), chr(39) * 2)}' as copy")
        for schema in _SCHEMAS:
            connection.execute(f"create schema copy.{schema}")
        for schema, table in _tables(connection):
            masked = _MASKED.get(f"{schema}.{table}", {})
            replaced = ", ".join(f"{expression} as {column}" for column, expression in masked.items())
            columns = f"* replace ({replaced})" if masked else "*"
            connection.execute(f'create table copy.{schema}."{table}" as select {columns} from {schema}."{table}"')
        _copy_comments(connection)
        connection.execute("detach copy")
        os.replace(unfinished, copy)
    return copy


@contextlib.contextmanager
def open_copy(copy: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the copy; it blocks nobody."""
    connection = duckdb.connect(str(copy), read_only=True)
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


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
