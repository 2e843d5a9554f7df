"""Which day an episode belongs to, and what a reading of the feeds leaves in the warehouse."""

from dataclasses import replace
from datetime import UTC, date, datetime

import duckdb
import pytest

from include.sources import episodes
from include.sources.episodes import FeedReading
from include.sources.feeds import Feed, FeedItem
from include.warehouse.database import open_warehouse, records
from tests.doubles.hostile_server import Handler, answer, redirect, serving

FEED = "https://harbour.example/feed.xml"


@pytest.fixture
def warehouse(tmp_path):
    with open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        yield connection


def item(name: str, published: datetime | None, **changes) -> FeedItem:
    values = {
        "position": int(name[1:]),
        "episode_id": name,
        "guid": name,
        "title": f"Episode {name}",
        "description": "",
        "published_at": published,
        "episode_url": None,
        "audio_url": f"https://harbour.example/{name}.mp3",
        "audio_type": "audio/mpeg",
        "duration_seconds": 60,
        "persons": (),
        "transcripts": (),
        "explicit": None,
        "season": None,
        "episode_number": None,
        "chapters_url": None,
        "problem": None,
    }
    return FeedItem(**{**values, **changes})


def january(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def reading(*items: FeedItem, **changes) -> FeedReading:
    feed = Feed("s1", "Harbour", "en", items)
    values = {"feed": feed, "content_hash": repr(items), "etag": '"1"'}
    return FeedReading(FEED, 200, january(20), **{**values, **changes})


def run(warehouse, day: int, tmp_path, *readings: FeedReading) -> episodes.Ingested:
    return episodes.land(warehouse, date(2026, 1, day), readings, tmp_path / "docs")


def days(warehouse) -> dict[str, int]:
    rows = records(warehouse, "select episode_id, partition_date from raw.episodes")
    return {row["episode_id"]: row["partition_date"].day for row in rows}


def test_a_fresh_warehouse_that_runs_one_day_holds_that_days_episodes_and_no_others(warehouse, tmp_path):
    run(warehouse, 15, tmp_path, reading(item("e1", january(14)), item("e2", january(15)), item("e3", january(16))))
    assert days(warehouse) == {"e2": 15}


def test_midnight_in_utc_parts_the_days(warehouse, tmp_path):
    feed = reading(item("e1", january(15, 0)), item("e2", january(15, 23)), item("e3", january(16, 0)))
    run(warehouse, 15, tmp_path, feed)
    assert set(days(warehouse)) == {"e1", "e2"}


def test_a_late_episode_belongs_to_the_day_that_finds_it_up_to_three_days_later(warehouse, tmp_path):
    first = item("e1", january(12))
    for day in (12, 13):
        run(warehouse, day, tmp_path, reading(first))
    late = item("e2", january(12, 20))
    run(warehouse, 15, tmp_path, reading(first, late))
    assert days(warehouse) == {"e1": 12, "e2": 15}
    too_late = item("e3", january(12, 21))
    run(warehouse, 16, tmp_path, reading(first, late, too_late))
    assert days(warehouse) == {"e1": 12, "e2": 15}


def test_an_episode_of_a_day_that_was_never_read_waits_for_that_day(warehouse, tmp_path):
    feed = reading(item("e1", january(14)), item("e2", january(15)))
    run(warehouse, 15, tmp_path, feed)
    assert days(warehouse) == {"e2": 15}
    run(warehouse, 14, tmp_path, feed)
    assert days(warehouse) == {"e1": 14, "e2": 15}


def test_a_day_whose_reading_failed_has_not_been_read(warehouse, tmp_path):
    run(warehouse, 14, tmp_path, FeedReading(FEED, 500, january(15), error="the server answered 500"))
    late = reading(item("e1", january(14)))
    run(warehouse, 15, tmp_path, late)
    assert days(warehouse) == {}
    run(warehouse, 14, tmp_path, late)
    assert days(warehouse) == {"e1": 14}


def test_the_recorded_day_of_an_episode_is_kept_whatever_runs_later(warehouse, tmp_path):
    for day in (13, 14):
        run(warehouse, day, tmp_path, reading(item("e1", january(13))))
    with_late = reading(item("e1", january(13)), item("e2", january(13)))
    run(warehouse, 14, tmp_path, with_late)
    for day in (13, 15, 14, 13):
        run(warehouse, day, tmp_path, with_late)
    assert days(warehouse) == {"e1": 13, "e2": 14}


def test_a_second_run_changes_no_row_of_any_table(warehouse, tmp_path):
    feed = reading(item("e1", january(15)), item("e2", None, problem="the item has no publication date"))
    run(warehouse, 15, tmp_path, feed)
    tables = ("raw.feeds", "raw.feed_items", "raw.feed_fetches", "raw.episodes", "ops.rejected_rows")
    before = {table: records(warehouse, f"select * from {table}") for table in tables}
    later = FeedReading(FEED, 304, january(25), unchanged=True)
    run(warehouse, 15, tmp_path, later)
    assert {table: records(warehouse, f"select * from {table}") for table in tables} == before


def test_an_episode_withdrawn_from_the_middle_of_its_feed_goes_and_an_empty_day_is_empty(warehouse, tmp_path):
    run(warehouse, 15, tmp_path, reading(item("e1", january(10)), item("e2", january(15))))
    run(warehouse, 15, tmp_path, reading(item("e1", january(10))))
    assert days(warehouse) == {}


def test_an_episode_that_its_feed_no_longer_reaches_back_to_stays(warehouse, tmp_path):
    run(warehouse, 15, tmp_path, reading(item("e1", january(15))))
    run(warehouse, 15, tmp_path, reading(item("e2", january(18))))
    assert days(warehouse) == {"e1": 15}


def test_a_feed_that_fails_is_recorded_and_takes_nothing_away(warehouse, tmp_path):
    run(warehouse, 15, tmp_path, reading(item("e1", january(15))))
    ingested = run(warehouse, 15, tmp_path, FeedReading(FEED, None, january(16), error="no complete answer"))
    assert ingested.feeds == {"failed": 1}
    assert days(warehouse) == {"e1": 15}
    (status,) = records(warehouse, "select status from ops.feed_status")
    assert status["status"] == "ok", "a later failure does not undo that the day has been read"


def test_each_feed_and_day_has_a_status_with_its_reason(warehouse, tmp_path):
    run(warehouse, 15, tmp_path, reading(item("e1", january(14))))
    run(warehouse, 14, tmp_path, FeedReading(FEED, 404, january(16), error="the server answered 404 Not Found"))
    run(warehouse, 13, tmp_path, reading())
    found = records(warehouse, "select status, reason from ops.feed_status order by partition_date")
    assert found == [
        {"status": "empty", "reason": None},
        {"status": "failed", "reason": "the server answered 404 Not Found"},
        {"status": "unchanged", "reason": None},
    ]


MOVED = "https://tide.example/feed.xml"


def statuses(warehouse) -> list[tuple]:
    rows = records(warehouse, "select partition_date, status, reason from ops.feed_status order by partition_date")
    return [(row["partition_date"].day, row["status"], row["reason"]) for row in rows]


def test_a_feed_that_moved_for_good_counts_as_read_and_is_asked_at_its_new_address(warehouse, tmp_path):
    run(warehouse, 14, tmp_path, reading(item("e1", january(14)), moved_to=MOVED))
    assert episodes.validators(warehouse)[FEED].moved_to == MOVED
    assert statuses(warehouse) == [(14, "moved", f"moved for good to {MOVED}, which is asked from now on")]
    run(warehouse, 15, tmp_path, reading(item("e1", january(14)), item("e2", january(14))))
    assert days(warehouse) == {"e1": 14, "e2": 15}
    assert episodes.validators(warehouse)[FEED].moved_to == MOVED
    before = statuses(warehouse)
    run(warehouse, 14, tmp_path, FeedReading(FEED, 304, january(16), unchanged=True))
    assert statuses(warehouse) == before


def test_a_new_address_that_fails_is_forgotten_and_the_listed_one_asked_again(warehouse, tmp_path):
    run(warehouse, 14, tmp_path, reading(item("e1", january(14)), moved_to=MOVED))
    run(warehouse, 15, tmp_path, FeedReading(FEED, 404, january(16), error="the server answered 404 Not Found"))
    assert episodes.validators(warehouse)[FEED].moved_to is None


def test_an_unchanged_feed_that_moved_is_remembered_with_its_new_validators(warehouse, tmp_path):
    run(warehouse, 14, tmp_path, reading(item("e1", january(14)), content_hash="h"))
    unchanged = FeedReading(FEED, 200, january(15), unchanged=True, etag='"2"', content_hash="h", moved_to=MOVED)
    run(warehouse, 15, tmp_path, unchanged)
    assert episodes.validators(warehouse)[FEED] == episodes.Validators('"2"', None, "h", MOVED)


def test_the_new_address_in_the_list_is_the_same_show(warehouse, tmp_path):
    run(warehouse, 14, tmp_path, reading(item("e1", january(14)), moved_to=MOVED))
    renamed = replace(item("e1", january(14)), episode_id="e9")
    elsewhere = FeedReading(MOVED, 200, january(15), feed=Feed("s9", "Harbour", "en", (renamed,)), content_hash="h")
    run(warehouse, 15, tmp_path, elsewhere)
    assert days(warehouse) == {"e1": 14}
    assert records(warehouse, "select distinct show_id from raw.feed_items") == [{"show_id": "s1"}]


def test_an_episode_and_a_show_keep_their_ids_when_the_feed_renames_them(warehouse, tmp_path):
    run(warehouse, 14, tmp_path, reading(item("e1", january(14)), item("e2", january(14))))
    renamed = item("e3", january(14), audio_url="https://harbour.example/e1.mp3")
    for day in (15, 16):
        feed = Feed("s9", "Harbour", "en", (renamed, item("e2", january(14), title=f"Day {day}")))
        run(warehouse, day, tmp_path, reading(feed=feed, content_hash=f"h{day}"))
    assert days(warehouse) == {"e1": 14, "e2": 14}
    assert records(warehouse, "select distinct show_id from raw.feeds") == [{"show_id": "s1"}]
    assert records(warehouse, "select guid from raw.feed_items where episode_id = 'e1'") == [{"guid": "e3"}]


def test_episodes_that_share_one_enclosure_stay_apart(warehouse, tmp_path):
    shared = {"audio_url": "https://harbour.example/intro.mp3"}
    run(warehouse, 14, tmp_path, reading(item("e1", january(14), **shared)))
    run(warehouse, 15, tmp_path, reading(item("e1", january(14), **shared), item("e2", january(15), **shared)))
    assert days(warehouse) == {"e1": 14, "e2": 15}


def test_a_feed_that_its_publisher_blocks_gives_no_episode_and_says_so(warehouse, tmp_path):
    blocked = Feed("s1", "Harbour", "en", (), blocked="the publisher asks not to use this feed (podcast:block)")
    run(warehouse, 14, tmp_path, reading(item("e1", january(14))))
    ingested = run(warehouse, 15, tmp_path, reading(feed=blocked, content_hash="h"))
    run(warehouse, 16, tmp_path, FeedReading(FEED, 304, january(17), unchanged=True))
    assert (ingested.feeds, ingested.episodes) == ({"blocked": 1}, 0)
    assert [status for _, status, _ in statuses(warehouse)] == ["ok", "blocked", "blocked"]
    assert days(warehouse) == {"e1": 14}


def test_a_failing_feed_says_since_when_and_for_how_many_days(warehouse, tmp_path):
    fails = FeedReading(FEED, None, january(20), error="no connection within 10 s")
    for day, outcome in {11: fails, 12: reading(), 14: fails, 13: fails, 16: fails}.items():
        run(warehouse, day, tmp_path, outcome)
    query = "select partition_date, failing_since, failing_days from ops.feed_status order by partition_date"
    found = [(r["partition_date"].day, r["failing_since"], r["failing_days"]) for r in records(warehouse, query)]
    since = date(2026, 1, 13)
    assert found == [(11, date(2026, 1, 11), 1), (12, None, None), (13, since, 1), (14, since, 2), (16, since, 4)]


def test_an_episode_of_the_future_is_named_until_its_day_comes(warehouse, tmp_path):
    feed = reading(item("e1", january(22)))
    run(warehouse, 20, tmp_path, feed)
    (skipped,) = records(warehouse, "select guid, problem from ops.skipped_items")
    assert "in the future" in skipped["problem"]
    run(warehouse, 22, tmp_path, feed)
    assert days(warehouse) == {"e1": 22}
    assert records(warehouse, "select * from ops.skipped_items") == []


def test_a_feed_that_an_earlier_version_parsed_is_read_in_full_again(warehouse, tmp_path):
    run(warehouse, 14, tmp_path, reading(item("e1", january(14)), content_hash="h"))
    warehouse.execute("update raw.feeds set parser = null")
    assert episodes.validators(warehouse)[FEED] == episodes.Validators()
    run(warehouse, 14, tmp_path, reading(item("e1", january(14), explicit=True), content_hash="h"))
    assert records(warehouse, "select explicit from raw.episodes") == [{"explicit": True}]


def test_an_item_that_cannot_be_an_episode_can_be_queried_with_its_reason(warehouse, tmp_path):
    run(warehouse, 15, tmp_path, reading(item("e1", None, problem="the item has no publication date")))
    (skipped,) = records(warehouse, "select title, problem from ops.skipped_items")
    assert skipped == {"title": "Episode e1", "problem": "the item has no publication date"}


def test_a_row_that_breaks_a_rule_is_set_aside_and_the_others_go_on(warehouse, tmp_path):
    bad = item("e2", january(15), audio_url="javascript:alert(1)")
    ingested = run(warehouse, 15, tmp_path, reading(item("e1", january(15)), bad))
    assert (ingested.episodes, ingested.set_aside) == (1, 1)
    (row,) = records(warehouse, "select door, row_key, reason from ops.rejected_rows")
    assert (row["door"], row["row_key"]) == ("episodes", "e2")
    assert "http" in row["reason"]
    assert days(warehouse) == {"e1": 15}


def test_feeds_are_read_once_remembered_where_they_moved_and_not_parsed_again_while_the_same():
    text = b"""<rss version="2.0"><channel><title>Harbour</title><item><guid>1</guid>
    <pubDate>Thu, 15 Jan 2026 10:00:00 GMT</pubDate></item></channel></rss>"""
    tricks = {"old": redirect("/new", "301 Moved Permanently"), "new": answer(text), "bad": answer(b"no feed")}
    with serving({**tricks, "home": redirect("/bad", "308 Permanent Redirect")}) as host:
        old, home = f"http://{host}/old", f"http://{host}/home"

        def read(known: dict[str, episodes.Validators]) -> dict[str, FeedReading]:
            found: dict[str, FeedReading] = {}
            episodes.read_feeds([old, home], known, lambda r: found.update({r.feed_url: r}), frozenset({host}))
            return found

        first = read({})
        assert first[old].moved_to == f"http://{host}/new"
        assert len(first[old].feed.items) == 1
        assert (first[home].moved_to, first[home].feed) == (None, None), "what is no feed is no new address of one"
        known = episodes.Validators(content_hash=first[old].content_hash, moved_to=first[old].moved_to)
        second = read({old: known})[old]
        assert (second.unchanged, second.feed, second.moved_to) == (True, None, None)
        assert Handler.asked == {"old": 1, "new": 2, "home": 2, "bad": 2}


def test_a_warehouse_of_an_earlier_version_goes_on_working(tmp_path):
    columns = "feed_url varchar, show_id varchar, show_title varchar, guid varchar, episode_id varchar, title varchar"
    more = "description varchar, published_at timestamp, episode_url varchar, audio_url varchar, audio_type varchar"
    rest = "duration_seconds integer, persons varchar[], transcripts json, language varchar, explicit boolean"
    item_columns = f"{columns}, {more}, {rest}"
    with duckdb.connect(str(tmp_path / "old.duckdb")) as old:
        old.execute("create schema raw")
        old.execute(
            "create table raw.feeds (feed_url varchar primary key, show_id varchar, show_title varchar, "
            "language varchar, etag varchar, last_modified varchar, content_hash varchar)"
        )
        old.execute(f"create table raw.feed_items ({item_columns}, position integer, problem varchar)")
        old.execute(f"create table raw.episodes ({item_columns}, partition_date date)")
        old.execute(
            "insert into raw.feeds by name select $url as feed_url, 's0' as show_id, 'e' as etag", {"url": FEED}
        )
    with open_warehouse(tmp_path / "old.duckdb") as connection:
        assert episodes.validators(connection) == {FEED: episodes.Validators()}
        run(connection, 15, tmp_path, reading(item("e1", january(15), season=2)))
        assert records(connection, "select show_id, season from raw.episodes") == [{"show_id": "s0", "season": 2}]


def test_a_feed_list_that_is_not_set_says_what_to_set():
    from include.settings import Settings

    with pytest.raises(ValueError, match="PODCAST_FEEDS is not set"):
        episodes.feed_urls(Settings(feeds=""))
