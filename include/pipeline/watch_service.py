"""The step of the DAG `watch_service`: whether something needs a person that fails no task.

Airflow's own deadline alerts are an experiment in 3.3, and hang on a run: where none begins, none is missed. So this
looks at what should be there, in the published copy and on the disk.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from include.digest.reading import DAYS_OF_FAILURE
from include.digest.shown import one_line
from include.pipeline import alerts, step_times
from include.pipeline.run import Summary, said
from include.settings import settings
from include.warehouse import publication
from include.warehouse.database import records

SQL = Path(__file__).parent / "sql"

LEAST_FREE = 0.1
"""The share of the disk below which it is told that it fills up."""

IN_DOUBT_AFTER = timedelta(minutes=15)
REFUSED_SINCE = timedelta(days=2)

_NAMES = ("late-digest", "failing-feeds", "cap-reached", "mail-in-doubt", "mail-refused", "disk")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Trouble:
    """What needs a person: its name is that of its file under `data/alerts/`, its text says what to do."""

    name: str
    subject: str
    text: str


def look_around(now: datetime | None = None) -> Summary:
    """Tells the operator what is wrong now, once until it is over or other than before, and else once a week."""
    found = {trouble.name: trouble for trouble in troubles(now or datetime.now(UTC))}
    for trouble in found.values():
        alerts.report(trouble.name, trouble.subject, trouble.text, again_after=7 * alerts.DAY)
    for name in set(_NAMES) - set(found):
        alerts.is_over(name)
    return said(troubles=sorted(found))


def try_alerts() -> Summary:
    """Sends a trial alert every way that alerts go. Raises RuntimeError with the ways that did not take it."""
    return said(told=alerts.trial())


def troubles(now: datetime) -> Iterator[Trouble]:
    """All that is wrong at a moment."""
    yield from filter(None, (_late_digest(now), _full_disk()))
    if settings().published.exists():
        with publication.open_copy(settings().published) as connection:
            yield from filter(None, (_failing(connection), _capped(connection)))
            yield from _undelivered(connection, now)


def _late_digest(now: datetime) -> Trouble | None:
    day, hour = now.astimezone(UTC).date() - timedelta(days=1), settings().digest_hour
    if now.astimezone(UTC).hour < hour or not step_times.is_noted_before(day):
        return None
    if step_times.has_ended(day, "publish_digest", "write_pages"):
        return None
    return Trouble(
        "late-digest",
        f"There is no digest of {day} by {hour:02}:00 UTC",
        "Look in Airflow's UI how far the day has come: its runs of ingest_episodes, transcribe_episodes, "
        "build_claims, score_claims and publish_digest, in this order. Where one failed, its own alert says what to "
        "do. Where one still works, wait. Where none began, look whether the scheduler is healthy and the DAGs are not "
        f"paused, and trigger ingest_episodes in the UI with the partition key {day}.\n\n"
        "If the digest always takes so long, set PODCAST_DIGEST_HOUR later.\n",
    )


def _full_disk() -> Trouble | None:
    disk = shutil.disk_usage(settings().data_dir)
    if disk.free >= LEAST_FREE * disk.total:
        return None
    return Trouble(
        "disk",
        f"Less than {LEAST_FREE:.0%} of the disk is free",
        f"The disk that holds {settings().data_dir} has {disk.total / 1e9:.0f} GB. When it is full, runs fail; what is "
        "in the warehouse stays whole. Make room: move away old files of outbox/, of Airflow's logs and old backups, "
        "or enlarge the disk. As long as it is not full, nothing has to be started again.\n",
    )


def _failing(connection: duckdb.DuckDBPyConnection) -> Trouble | None:
    feeds = _rows(connection, "failing", failing_days=DAYS_OF_FAILURE)
    if not feeds:
        return None
    lines = [
        f"  {one_line(feed['show_title'], 100)} ({feed['feed_url']}), since {feed['failing_since']}\n" for feed in feeds
    ]
    more = f"  and {len(feeds) - _SHOWN} more\n" if len(feeds) > _SHOWN else ""
    return Trouble(
        "failing-feeds",
        f"{len(feeds)} feed{'s have' if len(feeds) > 1 else ' has'} been failing for {DAYS_OF_FAILURE} days or more",
        f"{''.join(lines[:_SHOWN])}{more}\nWhy stands in ops.feed_status and in the Digest view. Open the address: "
        "where the show has moved, put the new one into the list that PODCAST_FEEDS names; where it has ended, take it "
        "out. What a feed still lists of the last days is made up by itself once it can be read.\n",
    )


def _capped(connection: duckdb.DuckDBPyConnection) -> Trouble | None:
    (left,) = _rows(connection, "capped")
    told = [f"{left[what]} {what}" for what in ("recordings", "parts", "questions") if left[what]]
    if not told:
        return None
    at = settings()
    return Trouble(
        "cap-reached",
        f"The day's cap was reached on {left['day']}",
        f"Left out of {left['day']}: {', '.join(told)} (recordings not transcribed, parts of transcripts not read, "
        "questions about claims not put to the chat model). Recordings are taken up by the next days' runs, newest "
        f"first. The caps are ${at.daily_budget_usd:.2f} (PODCAST_DAILY_BUDGET_USD) and {at.daily_audio_hours:g} hours "
        "of audio (PODCAST_DAILY_AUDIO_HOURS) for a calendar day in UTC. If this should not happen again, raise them, "
        "or list fewer shows; to have the day complete, raise them and run it again:\n"
        f"  airflow dags clear transcribe_episodes --partition-key {left['day']}\n",
    )


def _undelivered(connection: duckdb.DuckDBPyConnection, now: datetime) -> Iterator[Trouble]:
    before = (now - IN_DOUBT_AFTER).astimezone(UTC).replace(tzinfo=None)
    rows = _rows(connection, "undelivered", before=before, since=before.date() - REFUSED_SINCE)
    lines: dict[str, list[str]] = {"pending": [], "failed": []}
    for row in rows:
        reason = f": {one_line(row['error'], 200)}" if row["status"] == "failed" and row["error"] else ""
        lines[row["status"]].append(f"  the digest of {row['digest_date']} to {row['recipient']}{reason}\n")
    if in_doubt := lines["pending"]:
        yield Trouble(
            "mail-in-doubt",
            f"It is not known whether {len(in_doubt)} mail{'s' if len(in_doubt) > 1 else ''} left",
            f"{''.join(in_doubt[:_SHOWN])}\nA run was stopped, or a connection broke, while this was sent; it is not "
            "sent again by itself. Look for it in the mailbox, in the mail server's log or in the channel, and say "
            "what you found:\n  python -m include.delivery DATE RECIPIENT arrived\n"
            "or the same with `lost`, and it is sent.\n",
        )
    if refused := lines["failed"]:
        yield Trouble(
            "mail-refused",
            f"{len(refused)} mail{'s were' if len(refused) > 1 else ' was'} refused for good",
            f"{''.join(refused[:_SHOWN])}\nThe recipient, or the key of the channel, is no more. Mend or take out its "
            "entry in what PODCAST_RECIPIENTS names; to have the digest sent then:\n"
            "  python -m include.delivery DATE RECIPIENT lost\n",
        )


def _rows(connection: duckdb.DuckDBPyConnection, question: str, **parameters: Any) -> list[dict]:
    return records(connection, (SQL / f"{question}.sql").read_text(), parameters)
