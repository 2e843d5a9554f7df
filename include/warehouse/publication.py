"""The analysts' copy: the marts and the operations tables, in a file of its own that is replaced in one move.

Who has the old copy open keeps reading it undisturbed; who opens it next sees the new one.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import yaml

from include.settings import PROJECT
from include.warehouse.database import open_warehouse, transaction

_RECIPIENT = {"recipient": "regexp_replace(recipient, '^(.)[^@]*.*?(@[^@]*)?$', '\\1***\\2')"}
_MASKED = {"ops.deliveries": {**_RECIPIENT, "message_id": "null::varchar"}, "ops.sent_insights": _RECIPIENT}
"""Columns that analysts see in part only, or not at all: a Message-ID follows from the recipient, so that who guesses
an address could tell by it that they are right."""

_SCHEMAS = ("marts", "ops")

_SOURCES = PROJECT / "dbt" / "models" / "sources.yml"
"""Where the tables that Python lands are described; those that dbt builds bear their descriptions themselves."""

_SEARCH = Path(__file__).with_name("search.sql")


def publish(warehouse: Path, copy: Path) -> Path:
    """Writes the copy beside its place and moves it there. Views become tables; every table and column says what it
    means, and `marts.search_segments` searches what was said.

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
        tables = _tables(connection)
        for schema, table in tables:
            masked = _MASKED.get(f"{schema}.{table}", {})
            replaced = ", ".join(f"{expression} as {column}" for column, expression in masked.items())
            columns = f"* replace ({replaced})" if masked else "*"
            connection.execute(f'create table copy.{schema}."{table}" as select {columns} from {schema}."{table}"')
        _describe(connection)
        if ("marts", "segments") in tables:
            connection.execute(_SEARCH.read_text())
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
        for place in sorted(place for place, _, is_copy in there if is_copy and place in said):
            kind = "column" if place.count(".") == 2 else "table"
            quoted = ".".join(f'"{name}"' for name in ("copy", *place.split(".")))
            connection.execute(f"comment on {kind} {quoted} is '{said[place].replace(chr(39), chr(39) * 2)}'")


def _described() -> dict[str, str]:
    """What `sources.yml` says of each table of the schema ops, and of each column of it."""
    said = {}
    for source in yaml.safe_load(_SOURCES.read_text())["sources"]:
        for table in source["tables"]:
            place = f"{source['name']}.{table['name']}"
            said[place] = table["description"]
            said.update({f"{place}.{column['name']}": column["description"] for column in table.get("columns", ())})
    return said
