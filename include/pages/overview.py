"""How a day went, for who runs the service: its digest, its sources, what was dropped, what it cost, who got it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from include.digest.queries import ask
from include.digest.reading import DAYS_OF_FAILURE, Digest, read_digest
from include.digest.shown import one_line
from include.pages.strip import Chart, charts

SQL = Path(__file__).parent / "sql"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One day. Rows are as the queries of the same names give them, their texts on one line; `spent` is what was paid
    in US dollars and sent to speech models in hours, for the day shown and on the calendar day (UTC) against which the
    caps hold. `runs` are those of the month up to the day, as `ops.runs` has them, and `charts` draw them."""

    digest: Digest
    feeds: tuple[Row, ...]
    episodes: tuple[Row, ...]
    dropped: tuple[Row, ...]
    rejected: tuple[Row, ...]
    deliveries: tuple[Row, ...]
    spent: Row
    runs: tuple[Row, ...]
    charts: tuple[Chart, ...]

    @property
    def failing_long(self) -> list[Row]:
        return [feed for feed in self.feeds if (feed["failing_days"] or 0) >= DAYS_OF_FAILURE]

    @property
    def feeds_failed(self) -> int:
        return sum(feed["status"] == "failed" for feed in self.feeds)


def read_overview(connection: duckdb.DuckDBPyConnection, day: date, today: date) -> Overview:
    """The overview of a day, from the published copy; `today` is the day whose spending is set against the caps.

    Raises LookupError where the day has never been run.
    """

    def rows(name: str, **parameters: date) -> tuple[Row, ...]:
        return tuple(
            {name: one_line(value, 500) if isinstance(value, str) else value for name, value in row.items()}
            for row in ask(connection, SQL / f"{name}.sql", day=day, **parameters)
        )

    tables = {name: rows(name) for name in ("feeds", "episodes", "dropped", "rejected", "deliveries")}
    (spent,) = rows("spent", today=today)
    runs = rows("runs")
    digest = read_digest(connection, day)
    return Overview(digest=digest, spent=spent, runs=runs, charts=charts(runs, day), **tables)
