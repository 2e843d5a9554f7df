"""How a day went, for who runs the service: its five, its sources, what was dropped, what it cost, who got it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from include.digest.reading import Digest, one_line, read_digest
from include.warehouse.database import records

DAYS_OF_FAILURE = 7
"""How many days in a row a feed must have failed to be named before all else."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What was paid in US dollars and sent to speech models in hours: for the day shown, and on the calendar day
    (UTC) against which the caps hold."""

    chat_usd: float
    chat_usd_today: float
    speech_usd: float
    speech_usd_today: float
    speech_hours: float
    speech_hours_today: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One day. Rows are as the tables of the schema ops have them, their texts on one line."""

    digest: Digest
    failing_long: tuple[Row, ...]
    feeds: tuple[Row, ...]
    episodes: tuple[Row, ...]
    dropped: tuple[Row, ...]
    rejected: tuple[Row, ...]
    spending: Spending
    deliveries: tuple[Row, ...]

    @property
    def feeds_failed(self) -> int:
        return sum(feed["status"] == "failed" for feed in self.feeds)

    @property
    def episodes_read(self) -> int:
        return sum(episode["transcript_status"] == "ok" for episode in self.episodes)


def read_overview(connection: duckdb.DuckDBPyConnection, day: date, today: date) -> Overview:
    """The overview of a day, from the published copy; `today` is the day whose spending is set against the caps.

    Raises LookupError where the day has never been run.
    """
    digest = read_digest(connection, day)
    # Older copies do not say since when a feed has failed, nor on which day hours of speech were spent.
    feeds = tuple({"failing_since": None, "failing_days": None, **feed} for feed in _rows(connection, _FEEDS, day=day))
    (spending,) = records(connection, _CHAT, {"day": day, "today": today})
    spent_on = "spent_on" if _has(connection, "transcription_jobs", "spent_on") else "partition_date"
    (speech,) = records(connection, _SPEECH.format(spent_on=spent_on), {"day": day, "today": today})
    return Overview(
        digest=digest,
        failing_long=tuple(feed for feed in feeds if (feed["failing_days"] or 0) >= DAYS_OF_FAILURE),
        feeds=feeds,
        episodes=_rows(connection, _EPISODES, day=day),
        dropped=_rows(connection, _DROPPED, day=day),
        rejected=_rows(connection, _REJECTED, day=day),
        spending=Spending(**spending, **speech),
        deliveries=_rows(connection, _DELIVERIES, day=day),
    )


_FEEDS = """
select *
from ops.feed_status
where partition_date = $day
order by status <> 'failed', coalesce(show_title, feed_url), feed_url
"""

_EPISODES = """
select
    show_title, title, transcript_status, transcript_source, transcript_error, word_count, duration_seconds
from marts.episodes
where partition_date = $day
order by transcript_status = 'ok', show_title, title
"""

_DROPPED = """
select reason, count(*) as claims, count(distinct episode_id) as episodes
from ops.dropped_claims
where partition_date = $day
group by reason
order by claims desc, reason
"""

_REJECTED = """
select door, rule, count(*) as rows, any_value(reason order by row_key) as reason
from ops.rejected_rows
where partition_date = $day
group by door, rule
order by door, rule
"""

_DELIVERIES = """
select recipient, status, channel, pending_at, sent_at, error
from ops.deliveries
where digest_date = $day
order by status = 'sent', recipient
"""

_CHAT = """
with subjects as (
    select episode_id as subject_id from marts.episodes where partition_date = $day
    union select claim_id from marts.claims where partition_date = $day
    union select strftime($day::date, '%Y-%m-%d')
)

select
    coalesce(sum(cost_usd) filter (subject_id in (select subject_id from subjects)), 0)::double as chat_usd,
    coalesce(sum(cost_usd) filter (called_at::date = $today::date), 0)::double as chat_usd_today
from ops.llm_calls
"""

_SPEECH = """
select
    coalesce(sum(cost_usd) filter (partition_date = $day::date), 0)::double as speech_usd,
    coalesce(sum(cost_usd) filter ({spent_on} = $today::date), 0)::double as speech_usd_today,
    coalesce(sum(hours) filter (partition_date = $day::date), 0)::double as speech_hours,
    coalesce(sum(hours) filter ({spent_on} = $today::date), 0)::double as speech_hours_today
from ops.transcription_jobs
where source in ('assemblyai', 'local')
"""


def _rows(connection: duckdb.DuckDBPyConnection, query: str, **parameters: Any) -> tuple[Row, ...]:
    return tuple(
        {name: one_line(value, 500) if isinstance(value, str) else value for name, value in row.items()}
        for row in records(connection, query, parameters)
    )


def _has(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> bool:
    return bool(
        records(
            connection,
            """
            select 1 from information_schema.columns
            where
                table_catalog = current_database() and table_schema = 'ops'
                and table_name = $table and column_name = $column
            """,
            {"table": table, "column": column},
        )
    )
