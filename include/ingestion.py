"""Reading the feeds of a day: validators out of the warehouse, feeds over the network, episodes into the warehouse."""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from include import feed_list, feeds, web
from include.rejections import pass_rows
from include.settings import Settings
from include.warehouse import append, query, records, replace_partition, transaction

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server needs to answer that a feed has not changed since it was last read."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class FeedReading:
    """What one reading of one feed gave: the feed, or that it has not changed, or the error."""

    feed_url: str
    http_status: int | None
    read_at: datetime
    feed: feeds.Feed | None = None
    unchanged: bool = False
    error: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Ingested:
    """How a day's reading went, in numbers of feeds (by status), episodes, and rows set aside."""

    feeds: dict[str, int]
    episodes: int
    set_aside: int


def validators(connection: duckdb.DuckDBPyConnection) -> dict[str, Validators]:
    """The validators of every feed read before, by URL."""
    rows = records(connection, "select feed_url, etag, last_modified from raw.feeds")
    return {row["feed_url"]: Validators(row["etag"], row["last_modified"]) for row in rows}


def feed_urls(settings: Settings) -> list[str]:
    """The feeds to read, from the list that PODCAST_FEEDS names.

    Raises ValueError or OSError, naming the list, where it cannot be read or names no feed.
    """
    source = settings.feeds
    if not source:
        raise ValueError(
            "PODCAST_FEEDS is not set. Give the path or URL of an OPML file or of a text file of feed URLs."
        )
    if not feed_list.is_url(source):
        return feed_list.parse(feed_list.read(source), source)
    answer = web.fetch(source, settings.allow_hosts)
    if answer.body is None:
        raise OSError(f"The feed list {source} could not be read: {answer.error}")
    return feed_list.parse(answer.body.decode("utf-8-sig", errors="replace"), source)


def read_feeds(
    urls: Sequence[str], known: Mapping[str, Validators], allow_hosts: frozenset[str] = frozenset()
) -> list[FeedReading]:
    """One reading a feed, in the order given. A feed that cannot be read says why; the others go on."""
    requests = [web.Request(url, _conditions(known.get(url, Validators()))) for url in urls]
    readings = [_reading(answer) for answer in web.fetch_all(requests, allow_hosts)]
    for reading in readings:
        if reading.error:
            log.warning("feed %s: %s", reading.feed_url, reading.error)
    return readings


def land(connection: duckdb.DuckDBPyConnection, day: date, readings: Sequence[FeedReading], docs: Path) -> Ingested:
    """Writes a day's feeds and episodes in one transaction; nothing is written where a critical rule is broken.

    Which episodes belong to the day is said in `sql/assign_episodes.sql`. Doing it again with the same feeds changes
    no row.
    """
    with transaction(connection):
        for reading in readings:
            if reading.feed:
                _replace_feed(connection, reading)
        read = [reading.feed_url for reading in readings if reading.error is None]
        assigned = records(connection, query("assign_episodes"), {"day": day})
        kept = records(connection, query("keep_episodes"), {"day": day, "feeds_read": read})
        rows = [{**row, "partition_date": day} for row in (*assigned, *kept)]
        passed, set_aside = pass_rows(connection, "episodes", rows, day, docs)
        replace_partition(connection, "raw.episodes", day, passed)
        statuses = _record_fetches(connection, day, readings, Counter(row["feed_url"] for row in passed))
    return Ingested(dict(Counter(statuses)), len(passed), set_aside)


def _conditions(known: Validators) -> dict[str, str]:
    conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in conditions.items() if value}


def _reading(answer: web.Response) -> FeedReading:
    now = datetime.now(UTC)
    if answer.status == 304:
        return FeedReading(answer.url, 304, now, unchanged=True)
    if answer.body is None:
        return FeedReading(answer.url, answer.status, now, error=answer.error)
    try:
        feed = feeds.parse(answer.body, answer.url, answer.headers, base_url=answer.final_url)
    except feeds.UnreadableFeed as error:
        return FeedReading(answer.url, answer.status, now, error=str(error))
    return FeedReading(
        answer.url,
        answer.status,
        now,
        feed=feed,
        etag=answer.headers.get("etag"),
        last_modified=answer.headers.get("last-modified"),
        content_hash=hashlib.sha256(answer.body).hexdigest(),
    )


def _replace_feed(connection: duckdb.DuckDBPyConnection, reading: FeedReading) -> None:
    feed = reading.feed
    assert feed is not None
    url = {"url": reading.feed_url}
    before = records(connection, "select content_hash from raw.feeds where feed_url = $url", url)
    if before and before[0]["content_hash"] == reading.content_hash:
        return
    connection.execute("delete from raw.feeds where feed_url = $url", url)
    connection.execute("delete from raw.feed_items where feed_url = $url", url)
    show = {"show_id": feed.show_id, "show_title": feed.show_title, "language": feed.language}
    append(
        connection,
        "raw.feeds",
        [
            {
                "feed_url": reading.feed_url,
                "etag": reading.etag,
                "last_modified": reading.last_modified,
                "content_hash": reading.content_hash,
                **show,
            }
        ],
    )
    append(connection, "raw.feed_items", [_item_row(reading.feed_url, show, item) for item in feed.items])


def _item_row(feed_url: str, show: Mapping[str, str | None], item: feeds.FeedItem) -> dict:
    row = asdict(item)
    published = row["published_at"]
    row["published_at"] = published.replace(tzinfo=None) if published else None
    row["persons"] = list(item.persons)
    row["transcripts"] = json.dumps(row["transcripts"])
    return {"feed_url": feed_url, **show, **row}


def _record_fetches(
    connection: duckdb.DuckDBPyConnection, day: date, readings: Sequence[FeedReading], episodes: Mapping[str, int]
) -> list[str]:
    """Writes how each feed fared that day and returns the statuses.

    A row stays as it is while it says the same, and a later failure does not undo that the day has been read.
    """
    before = {
        row["feed_url"]: row
        for row in records(connection, "select * from raw.feed_fetches where partition_date = $day", {"day": day})
    }
    items = {
        row["feed_url"]: row
        for row in records(
            connection,
            """
            select feeds.feed_url, feeds.show_title, count(feed_items.position) as item_count
            from raw.feeds left join raw.feed_items using (feed_url)
            group by all
            """,
        )
    }
    statuses = []
    for reading in readings:
        known = items.get(reading.feed_url, {})
        count = episodes.get(reading.feed_url, 0)
        if reading.error:
            status = "failed"
        elif not known.get("item_count"):
            status = "empty"
        else:
            status = "ok" if count else "unchanged"
        statuses.append(status)
        old = before.get(reading.feed_url)
        if old and _still_true(old, status, count, reading.error):
            continue
        connection.execute(
            "delete from raw.feed_fetches where feed_url = $url and partition_date = $day",
            {"url": reading.feed_url, "day": day},
        )
        append(
            connection,
            "raw.feed_fetches",
            [
                {
                    "feed_url": reading.feed_url,
                    "partition_date": day,
                    "show_title": known.get("show_title"),
                    "status": status,
                    "reason": reading.error,
                    "http_status": reading.http_status,
                    "item_count": known.get("item_count"),
                    "episode_count": count,
                    "fetched_at": reading.read_at.replace(tzinfo=None),
                }
            ],
        )
    return statuses


def _still_true(old: Mapping, status: str, count: int, error: str | None) -> bool:
    if status == "failed" != old["status"]:
        return True
    return (status, count, error) == (old["status"], old["episode_count"], old["reason"])
