"""Reading the feeds of a day: validators out of the warehouse, feeds over the network, episodes into the warehouse."""

import asyncio
import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from include.settings import Settings
from include.sources import feed_list, feeds, web
from include.sources.document import UnreadableFeed
from include.sources.feed_process import Parsers
from include.warehouse.database import append, records, replace_partition, transaction
from include.warehouse.rejections import pass_rows

log = logging.getLogger(__name__)


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
    """How a day's reading went, in numbers of feeds (by status), episodes, and rows set aside."""

    feeds: dict[str, int]
    episodes: int
    set_aside: int


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
    asyncio.run(_read_feeds(urls, known, keep, allow_hosts))


def land(connection: duckdb.DuckDBPyConnection, day: date, readings: Iterable[FeedReading], docs: Path) -> Ingested:
    """Writes a day's feeds and episodes in one transaction; nothing is written where a critical rule is broken.

    Which episodes belong to the day is said in `sql/assign_episodes.sql`. Doing it again with the same feeds changes
    no row. The readings are taken one by one, so they may come from a file.
    """
    with transaction(connection):
        outcomes = []
        for reading in readings:
            _remember(connection, reading)
            outcomes.append(replace(reading, feed=None))
        read = [outcome.feed_url for outcome in outcomes if outcome.error is None]
        assigned = records(connection, _query("assign_episodes"), {"day": day})
        kept = records(connection, _query("keep_episodes"), {"day": day, "feeds_read": read})
        rows = [{**row, "partition_date": day} for row in (*assigned, *kept)]
        passed, set_aside = pass_rows(connection, "episodes", rows, day, docs)
        replace_partition(connection, "raw.episodes", day, passed)
        statuses = _record_fetches(connection, day, outcomes, Counter(row["feed_url"] for row in passed))
    return Ingested(dict(Counter(statuses)), len(passed), set_aside)


async def _read_feeds(
    urls: Sequence[str],
    known: Mapping[str, Validators],
    keep: Callable[[FeedReading], None],
    allow_hosts: frozenset[str],
) -> None:
    before = [known.get(url, Validators()) for url in urls]
    requests = [web.Request(seen.moved_to or url, _conditions(seen)) for url, seen in zip(urls, before, strict=True)]
    async with Parsers() as parsers:

        async def take(position: int, answer: web.Response) -> None:
            reading = await _reading(urls[position], before[position], answer, parsers)
            if reading.error:
                log.warning("feed %s: %s", reading.feed_url, reading.error)
            keep(reading)

        await web.fetch_each(requests, take, allow_hosts)


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
    return replace(reading, feed=feed)


def _remember(connection: duckdb.DuckDBPyConnection, reading: FeedReading) -> None:
    """Brings what is known of a feed up to date. An address that it moved to is forgotten once that fails."""
    if reading.feed:
        _replace_feed(connection, reading, reading.feed)
    if reading.error or reading.moved_to:
        connection.execute(
            "update raw.feeds set moved_to = $moved where feed_url = $url and moved_to is distinct from $moved",
            {"url": reading.feed_url, "moved": reading.moved_to if not reading.error else None},
        )
    if reading.unchanged and reading.content_hash:
        connection.execute(
            """
            update raw.feeds set etag = $etag, last_modified = $modified
            where feed_url = $url and (etag is distinct from $etag or last_modified is distinct from $modified)
            """,
            {"url": reading.feed_url, "etag": reading.etag, "modified": reading.last_modified},
        )


def _replace_feed(connection: duckdb.DuckDBPyConnection, reading: FeedReading, feed: feeds.Feed) -> None:
    url = {"url": reading.feed_url}
    known = next(iter(records(connection, _query("known_feed"), url)), {})
    own = known if known.get("feed_url") == reading.feed_url else {}
    if (own.get("content_hash"), own.get("parser")) == (reading.content_hash, feeds.VERSION):
        return
    if known:
        feed = _same_identities(feed, known["show_id"], records(connection, _query("known_items"), url))
    if own:
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
                "parser": feeds.VERSION,
                "blocked": feed.blocked,
                "moved_to": own.get("moved_to"),
                **show,
            }
        ],
    )
    append(connection, "raw.feed_items", [_item_row(reading, show, item) for item in feed.items])


def _same_identities(feed: feeds.Feed, show_id: str, known: Sequence[Mapping]) -> feeds.Feed:
    """The feed with the ids that its show and episodes had before, whatever the feed now calls them.

    An item is the one of the same guid; else, where nothing else has or had that enclosure, the one of the same
    enclosure, which was given another guid.
    """
    by_guid: dict[str | None, str] = {row["guid"]: row["episode_id"] for row in known}
    owners: dict[str | None, set[str]] = {}
    for row in known:
        owners.setdefault(row["audio_url"], set()).add(row["episode_id"])
    sharing = Counter(item.audio_url for item in feed.items)
    taken = {by_guid.get(item.guid) for item in feed.items}

    def same(item: feeds.FeedItem) -> str | None:
        if item.guid in by_guid:
            return by_guid[item.guid]
        had = owners.get(item.audio_url, set()) - taken
        return had.pop() if item.audio_url and len(had) == 1 == sharing[item.audio_url] else item.episode_id

    items = tuple(replace(item, episode_id=same(item)) for item in feed.items)
    return replace(feed, show_id=show_id, items=items)


def _item_row(reading: FeedReading, show: Mapping[str, str | None], item: feeds.FeedItem) -> dict:
    row = {name: getattr(item, name) for name in feeds.FeedItem.__slots__}
    row["published_at"] = item.published_at.replace(tzinfo=None) if item.published_at else None
    row["in_future"] = item.published_at is not None and item.published_at > reading.read_at
    row["persons"] = list(item.persons)
    row["transcripts"] = json.dumps([asdict(offer) for offer in item.transcripts])
    return {"feed_url": reading.feed_url, **show, **row}


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
            select feeds.feed_url, feeds.show_title, feeds.blocked, count(feed_items.position) as item_count
            from raw.feeds left join raw.feed_items using (feed_url)
            group by all
            """,
        )
    }
    statuses = []
    for reading in readings:
        known = items.get(reading.feed_url, {})
        count = episodes.get(reading.feed_url, 0)
        status, reason = _status(reading, known.get("blocked"), known.get("item_count"), count)
        statuses.append(status)
        old = before.get(reading.feed_url)
        if old and _still_true(old, status, count, reason):
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
                    "reason": reason,
                    "http_status": reading.http_status,
                    "item_count": known.get("item_count"),
                    "episode_count": count,
                    "fetched_at": reading.read_at.replace(tzinfo=None),
                }
            ],
        )
    return statuses


def _status(reading: FeedReading, blocked: str | None, items: int | None, episodes: int) -> tuple[str, str | None]:
    """How a feed fared and, but for what needs no reason, why."""
    if reading.error:
        return "failed", reading.error
    if blocked:
        return "blocked", blocked
    if reading.moved_to:
        return "moved", f"moved for good to {reading.moved_to}, which is asked from now on"
    if not items:
        return "empty", None
    return ("ok" if episodes else "unchanged"), None


def _still_true(old: Mapping, status: str, count: int, reason: str | None) -> bool:
    """Whether a row may stay. A day that was read stays read, and a move that day stays said."""
    if status == "failed" != old["status"]:
        return True
    if old["status"] == "moved" and status in ("ok", "unchanged"):
        return count == old["episode_count"]
    return (status, count, reason) == (old["status"], old["episode_count"], old["reason"])


def _query(name: str) -> str:
    """The text of a query kept in `include/sources/sql/`."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()
