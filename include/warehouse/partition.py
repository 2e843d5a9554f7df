"""What a partition is: one day in UTC, named by its key `YYYY-MM-DD`."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


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


def first_day_to_derive(noted: "duckdb.DuckDBPyRelation", model: str) -> date:
    """The first day that a model of dbt has to derive again, by `raw.days_to_derive`; every day where nothing is noted
    of it. The dbt macro `first_day` says the same in SQL."""
    ((first,),) = noted.filter(f"model = '{model}'").aggregate("min(first_day)").fetchall()
    return first or date.min
