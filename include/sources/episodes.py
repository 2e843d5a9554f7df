"""Reading the feeds of a day: validators out of the warehouse, feeds over the network, episodes into the warehouse."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from include.addresses import without_secrets
from include.settings import Settings
from include.sources import feed_list, feeds, web
from include.sources.document import UnreadableFeed
from include.sources.feed_process import Parsers
from include.warehouse.database import append, noting_changes, records, replace_partition, transaction
from include.warehouse.rejections import pass_rows

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 5_000
"""How many items are held in memory at once while they are loaded, and those of one feed more."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What is known of a feed from its last reading: what a server needs to answer that it has not changed, the hash of
    its content, and the address that it moved to for good."""

    etag: str | None = None
    last_modified: str | None = None
    content_hash: str | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class FeedReading:
    """What one reading of one feed gave: the feed, or that it has not changed, or the error.

    `feed_url` is the address in the list, which names the feed; `moved_to` is set where that reading was redirected for
    good.
    """

    feed_url: str
    http_status: int | None
    read_at: datetime
    feed: feeds.Feed | None = None
    unchanged: bool = False
    error: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_hash: str | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Ingested:
    """How a day's reading went, in numbers of feeds (by status), episodes, and rows set aside; and which other days it
    found episodes for, whose night had failed."""

    feeds: dict[str, int]
    episodes: int
    set_aside: int
    made_up: list[str]


def validators(connection: duckdb.DuckDBPyConnection) -> dict[str, Validators]:
    """What is known of every feed read before, by URL. A feed that an earlier version of the parser read is to be read
    in full again: of it only the address is known."""
    rows = records(
        connection,
        """
        select
            feed_url,
            moved_to,
            case when parser = $parser then etag end as etag,
            case when parser = $parser then last_modified end as last_modified,
            case when parser = $parser then content_hash end as content_hash
        from raw.feeds
        """,
        {"parser": feeds.VERSION},
    )
    return {row.pop("feed_url"): Validators(**row) for row in rows}


def listed_feeds(settings: Settings) -> feed_list.FeedList:
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
    answer = web.fetch(web.Request(source, web.own_hosts(source, settings.allow_hosts)))
    if answer.body is None:
        raise OSError(f"The feed list {without_secrets(source)} could not be read: {answer.error}")
    return feed_list.parse(answer.body, source)


def read_feeds(
    urls: Sequence[str],
    known: Mapping[str, Validators],
    keep: Callable[[FeedReading], None],
    allow_hosts: frozenset[str] = frozenset(),
) -> None:
    """Hands one reading a feed to `keep`, as they come in, in any order. A feed that cannot be read says why; the
    others go on.

    At most `web.PARALLEL` documents are in memory at once, however many feeds there are. What has changed is parsed in
    processes of its own; where nothing has, none is started.
    """
    before = [known.get(url, Validators()) for url in urls]
    requests = [
        web.Request(seen.moved_to or url, web.own_hosts(url, allow_hosts), _conditions(seen))
        for url, seen in zip(urls, before, strict=True)
    ]

    async def read() -> None:
        async with Parsers() as parsers:

            async def take(position: int, answer: web.Response) -> None:
                reading = await _reading(urls[position], before[position], answer, parsers)
                if reading.error:
                    log.warning("feed %s: %s", without_secrets(reading.feed_url), reading.error)
                keep(reading)

            await web.fetch_each(requests, take)

    asyncio.run(read())


def land(
    connection: duckdb.DuckDBPyConnection,
    day: date,
    readings: Iterable[FeedReading],
    docs: Path,
    make_up_days: int = 7,
    only_asked: bool = False,
) -> Ingested:
    """Writes a day's feeds and episodes in one transaction; nothing is written where a critical rule is broken.

    Days up to `make_up_days` away that failed for a feed which can be read now are made up, as if they ran now, as are,
    unless `only_asked`, those before on which nothing ran (`sql/days_to_make_up.sql`). Which episodes belong to a day
    is said in `sql/assign_episodes.sql`. Doing it again with the same feeds changes no row. The readings are taken a
    few at a time, so they may come from a file.
    """
    with transaction(connection):
        _load(connection, readings)
        connection.execute(_query("keep_identities"))
        connection.execute(_query("remember_feeds"))
        asked, read = (
            [url for (url,) in connection.execute(f"select feed_url from readings where {which}").fetchall()]
            for which in ("true", "error is null")
        )
        window = {"day": day, "days": make_up_days, "only_asked": only_asked}
        missed = {row["partition_date"]: row["feeds"] for row in records(connection, _query("days_to_make_up"), window)}
        for one in sorted({day, *missed}):
            passed, aside = _land_day(connection, one, missed.get(one, read), one in missed, docs)
            fetched = {"day": one, "feeds": missed.get(one, asked), "made_up_on": day if one in missed else None}
            connection.execute(_query("fetches"), fetched)
            if one == day:
                episodes, set_aside = passed, aside
                statuses = dict(connection.execute("select status, count(*) from fetches group by status").fetchall())
            connection.execute(_query("record_fetches"))
        made_up = connection.execute(_query("made_up"), {"day": day}).fetchall()
    return Ingested(statuses, episodes, set_aside, [str(one) for (one,) in made_up])


def _land_day(
    connection: duckdb.DuckDBPyConnection, day: date, feeds_read: Sequence[str], is_made_up: bool, docs: Path
) -> tuple[int, int]:
    """Replaces the episodes of one day, and returns how many there are and how many rows were set aside."""
    window = {"day": day, "feeds": feeds_read}
    assigned = records(connection, _query("assign_episodes"), {**window, "is_made_up": is_made_up})
    kept = records(connection, _query("keep_episodes"), window)
    rows = [{**row, "partition_date": day} for row in (*assigned, *kept)]
    passed, set_aside = pass_rows(connection, "episodes", rows, day, docs)
    with noting_changes(connection, day, "raw.episodes"):
        replace_partition(connection, "raw.episodes", day, passed)
    return len(passed), set_aside


def _conditions(known: Validators) -> dict[str, str]:
    conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in conditions.items() if value}


async def _reading(feed_url: str, before: Validators, answer: web.Response, parsers: Parsers) -> FeedReading:
    now = datetime.now(UTC)
    reading = FeedReading(feed_url, answer.status, now, error=answer.error, moved_to=answer.moved_to)
    if answer.status == 304:
        return replace(reading, unchanged=True)
    if answer.body is None:
        return reading
    reading = replace(
        reading,
        etag=answer.headers.get("etag"),
        last_modified=answer.headers.get("last-modified"),
        content_hash=hashlib.sha256(answer.body).hexdigest(),
    )
    if reading.content_hash == before.content_hash:
        return replace(reading, unchanged=True)
    try:
        feed = await parsers.parse(answer.body, feed_url, answer.headers, answer.final_url)
    except UnreadableFeed as error:
        return FeedReading(feed_url, answer.status, now, error=str(error))
    if feed.items and not any(item.published_at for item in feed.items):
        return FeedReading(feed_url, answer.status, now, error=feeds.undated(feed))
    return replace(reading, feed=feed)


def _load(connection: duckdb.DuckDBPyConnection, readings: Iterable[FeedReading]) -> None:
    """Brings the readings into the temporary tables `readings` and `read_items`."""
    connection.execute(_query("readings"))
    feed_rows: list[dict] = []
    item_rows: list[dict] = []
    for reading in readings:
        feed_rows.append(_feed_row(reading))
        item_rows += [_item_row(reading.feed_url, item) for item in (reading.feed.items if reading.feed else ())]
        if len(item_rows) >= ROWS_AT_ONCE:
            append(connection, "read_items", item_rows)
            item_rows = []
    append(connection, "readings", feed_rows)
    append(connection, "read_items", item_rows)


def _feed_row(reading: FeedReading) -> dict:
    feed = reading.feed
    of_feed = ("show_id", "show_title", "language", "blocked", "remark")
    of_reading = ("feed_url", "http_status", "error", "etag", "last_modified", "content_hash", "moved_to")
    return {
        **{name: getattr(feed, name, None) for name in of_feed},
        **{name: getattr(reading, name) for name in of_reading},
        "parser": feeds.VERSION,
        "read_at": reading.read_at.replace(tzinfo=None),
        "is_unchanged": reading.unchanged,
        "has_document": feed is not None,
    }


def _item_row(feed_url: str, item: feeds.FeedItem) -> dict:
    return {
        **{name: getattr(item, name) for name in feeds.FeedItem.__slots__},
        "feed_url": feed_url,
        "published_at": item.published_at.replace(tzinfo=None) if item.published_at else None,
        "persons": list(item.persons),
        "transcripts": json.dumps([asdict(offer) for offer in item.transcripts]),
    }


def _query(name: str) -> str:
    """The text of a query kept in `include/sources/sql/`."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()
