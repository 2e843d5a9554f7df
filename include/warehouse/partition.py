"""What a partition is: one day in UTC, named by its key `YYYY-MM-DD`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa


class NoPartition(ValueError):
    """A run without a day to work on; the message says how to start one that has it."""


def day(key: str | None) -> date:
    """The day a partition key names.

    Raises NoPartition, in words for the person who triggered the run, where the key is missing or is no date.
    """
    if not key:
        raise NoPartition(
            "This run has no partition key, so there is no day to work on. "
            "Trigger the DAG again with a partition key such as 2026-01-15."
        )
    try:
        return date.fromisoformat(key)
    except ValueError:
        raise NoPartition(
            f"The partition key {key!r} is no date. Write it as YYYY-MM-DD, such as 2026-01-15."
        ) from None


def last_complete_day(now: datetime | None = None) -> date:
    """The newest day that is over in UTC."""
    return (now or datetime.now(UTC)).astimezone(UTC).date() - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    def within(self, column: str = "partition_date", before: int = 0) -> str:
        """A condition in SQL: that a day is one of them, or one of so many before them."""
        return f"{column} between date '{self.first}' - {before} and date '{self.last}'"


def derive_on(
    derive: Callable[[Days], "pd.DataFrame"],
    changed: Days,
    known: "duckdb.DuckDBPyRelation | None",
    memory: int,
    column: str = "partition_date",
) -> "pa.Table":
    """The rows of a table from the first day of a change on: as `derive` gives them for as long as the change matters,
    and after that as they are `known`. What a day says depends on so many days before it, its `memory`; so the change
    matters no more once as many days in a row say what they said before."""
    import pyarrow as pa

    far = 2 * memory
    while True:
        days = Days(changed.first, min(changed.last, date.max - timedelta(far)) + timedelta(far))
        found = pa.Table.from_pandas(derive(days), preserve_index=False)
        if known is None:
            return found
        later = known.filter(f"{column} > date '{days.last}'").to_arrow_table()
        last = Days(days.last - timedelta(memory - 1), days.last)
        if not len(later) or _same(found, known.filter(last.within(column)).to_arrow_table(), last, column):
            return pa.concat_tables([found, later], promote_options="permissive")
        far *= 2


def days_to_derive(noted: "duckdb.DuckDBPyRelation", dbt: Any, reach: int | None = None) -> Days:
    """The days that a model of dbt has to derive again, by `raw.days_to_derive`; every day where it is built for the
    first time, or nothing is noted of it. `reach` is for how many days after a change what the model says of them
    depends on it. The dbt macro `days_to_derive` says the same in SQL."""
    of_model = noted.filter(f"model = '{dbt.this.identifier}'")
    ((first, last),) = of_model.aggregate(f"min(first_day), max(coalesce(last_day, date '{date.max}'))").fetchall()
    if first is None or not dbt.is_incremental:
        return Days(date.min, date.max)
    return Days(first, min(last, date.max - timedelta(reach or 0)) + timedelta(reach or 0))


def _same(found: "pa.Table", known: "pa.Table", days: Days, column: str) -> bool:
    """Whether what was found of some days is what was known of them."""
    shared = [name for name in found.column_names if name in known.column_names]
    of_the_days = [row for row in found.select(shared).to_pylist() if days.first <= row[column] <= days.last]
    return sorted(map(repr, of_the_days)) == sorted(map(repr, known.select(shared).to_pylist()))
