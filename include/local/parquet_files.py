"""The analysts' copy as Parquet, a file a table and day: `python -m include.local.parquet_files FOLDER`.

Reads the published copy, so it may run at any time. Days are in UTC, both ends included; every day without them.
"""

import argparse
import os
from datetime import date
from pathlib import Path

import duckdb

from include.settings import settings
from include.warehouse.publication import open_copy

DAYS = ("partition_date", "digest_date")
"""The columns that say which day a row belongs to."""


def write_days(copy: Path, folder: Path, first: date = date.min, last: date = date.max) -> int:
    """Writes `FOLDER/SCHEMA/TABLE/DAY_COLUMN=DAY/rows.parquet` of each day that the copy has rows of, and what has no
    day whole as `FOLDER/SCHEMA/TABLE.parquet`; returns how many files. Each is replaced whole; a day without rows has
    none."""
    written = 0
    with open_copy(copy) as connection:
        for schema, table, day_column in _tables(connection):
            name, place = f'{schema}."{table}"', folder / schema / table
            if day_column is None:
                _write(connection, f"from {name}", place.with_suffix(".parquet"))
                written += 1
                continue
            bounds = {"first": first, "last": last}
            within = f"{day_column} between $first and $last"
            days = connection.execute(f"select distinct {day_column} from {name} where {within}", bounds).fetchall()
            for (day,) in days:
                rows = f"select * exclude ({day_column}) from {name} where {day_column} = date '{day}' order by all"
                _write(connection, rows, place / f"{day_column}={day}" / "rows.parquet")
            written += len(days)
            kept = {f"{day_column}={day}" for (day,) in days}
            for file in place.glob(f"{day_column}=*/rows.parquet"):
                day = date.fromisoformat(file.parent.name.partition("=")[2])
                if first <= day <= last and file.parent.name not in kept:
                    file.unlink()
    return written


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None]]:
    return connection.execute(
        """
        select schema_name, table_name, max(column_name) filter (list_contains($days, column_name))
        from duckdb_columns()
        where schema_name in ('marts', 'ops')
        group by all
        order by all
        """,
        {"days": list(DAYS)},
    ).fetchall()


def _write(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    connection.sql(query).write_parquet(str(partial), compression="zstd")
    os.replace(partial, file)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--from", dest="first", type=date.fromisoformat, default=date.min, metavar="DAY")
    arguments.add_argument("--to", dest="last", type=date.fromisoformat, default=date.max, metavar="DAY")
    wanted = arguments.parse_args()
    count = write_days(settings().published, wanted.folder, wanted.first, wanted.last)
    print(f"{count} files under {wanted.folder}")
