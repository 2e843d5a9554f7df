"""Rows that were set aside at a door into raw: the others pass, and these are kept where they can be queried."""

import json
import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from include.addresses import without_secrets
from include.warehouse.database import append
from include.warehouse.doors import pass_door

log = logging.getLogger(__name__)


def pass_rows(
    connection: duckdb.DuckDBPyConnection,
    door: str,
    rows: Sequence[dict],
    day: date,
    docs: Path,
    episodes: Sequence[str] | None = None,
) -> tuple[list[dict], int]:
    """The rows that may go on into raw, and how many were set aside.

    What is set aside replaces what that door set aside of that day before; where `episodes` are given, only what it set
    aside of these, since the day's others are not judged again. Raises doors.CriticalRuleBroken, and writes
    nothing, where the batch as a whole is not to be trusted.
    """
    result = pass_door(door, rows, day, docs)
    for entry in result.set_aside:
        log.warning("set aside at the door %s: %s: %s", door, entry.row_key, entry.reason)
    connection.execute(
        """
        delete from ops.rejected_rows
        where door = $door and partition_date = $day
            and ($episodes is null or list_contains($episodes, json_extract_string("row", '$.episode_id')))
        """,
        {"door": door, "day": day, "episodes": None if episodes is None else list(episodes)},
    )
    append(
        connection,
        "ops.rejected_rows",
        [
            {
                "door": door,
                "partition_date": day,
                "row_key": entry.row_key,
                "rule": entry.rule,
                "reason": entry.reason,
                "row": without_secrets(json.dumps(dict(entry.row), default=str, sort_keys=True)),
            }
            for entry in result.set_aside
        ],
    )
    return [dict(row) for row in result.passed], len(result.set_aside)
