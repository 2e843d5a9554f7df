"""The operational state as analysts and dbt find it: tables of the warehouse that follow those of the state.

They are brought up to date before dbt builds and before a copy is published; nothing else writes to them, and nothing
that decides over money or mail reads them.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import duckdb
from sqlalchemy import Column, Connection, Table, select

from include.state import store
from include.state.store import Store
from include.state.tables import deliveries, llm_calls, sent_insights, transcription_jobs
from include.warehouse.database import append, transaction

LEDGER: dict[str, Table] = {"ops.deliveries": deliveries, "ops.sent_insights": sent_insights}

# What is written anew of a table where some of it changed: rows by key, of mails all of a day.
_MIRRORED: tuple[tuple[str, Column, Column], ...] = (
    ("raw.llm_calls", llm_calls.c.call_key, llm_calls.c.call_key),
    ("raw.transcription_jobs", transcription_jobs.c.job_key, transcription_jobs.c.job_key),
    ("ops.deliveries", deliveries.c.digest_date, deliveries.c.digest_date),
    ("ops.sent_insights", sent_insights.c.digest_date, deliveries.c.digest_date),
)
_OVERLAP = timedelta(hours=1)
"""By how much the clocks of those who write to the state may differ, with what a transaction takes."""
_AT_ONCE = 2_000


def bring(connection: duckdb.DuckDBPyConnection, state: Store) -> None:
    """Takes over, in one transaction, what was written to the state since this was last done. Costs by how much that
    is."""
    began = store.now()
    with transaction(connection), state.reading() as reading:
        (last,) = connection.execute("select max(brought_at) from raw.mirrored").fetchone() or (None,)
        for name, key, changed in _MIRRORED:
            keys = select(changed).distinct()
            # A clock that was set back says nothing of what was written since.
            if last and last <= began:
                keys = keys.where(changed.table.c.changed_at >= last - _OVERLAP)
            gone: list[Any] = list(reading.scalars(keys))
            connection.execute(f"delete from {name} where {key.name} in (select unnest($gone))", {"gone": gone})
            for rows in _rows(reading, key.table, key.in_(keys)):
                append(connection, name, rows)
        connection.execute("delete from raw.mirrored")
        append(connection, "raw.mirrored", [{"brought_at": began}])


def ledger(state: Store) -> dict[str, list[dict[str, Any]]]:
    """All rows of the tables of mails, by name."""
    with state.reading() as reading:
        return {name: [row for rows in _rows(reading, table) for row in rows] for name, table in LEDGER.items()}


def _rows(reading: Connection, table: Table, *which: Any) -> Iterator[list[dict[str, Any]]]:
    columns = [column for column in table.columns if column.name != "changed_at"]
    for rows in (
        reading.execute(select(*columns).where(*which).execution_options(yield_per=_AT_ONCE)).mappings().partitions()
    ):
        yield [dict(row) for row in rows]
