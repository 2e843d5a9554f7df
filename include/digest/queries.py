"""Asking the marts: a question is a file of SQL, in the folder `sql/` of the room that asks it."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from include.warehouse.database import records

SQL = Path(__file__).parent / "sql"

Value = str | int | date | Sequence[str] | None


def ask(connection: duckdb.DuckDBPyConnection, query: Path, **parameters: Value) -> list[dict]:
    """The rows that answer a question, from the schemas marts and ops of the warehouse or of its published copy. It may
    name the views of `views.sql`."""
    connection.execute((SQL / "views.sql").read_text())
    return records(connection, query.read_text(), parameters)
