"""Which day an episode belongs to, and what a reading of the feeds leaves in the warehouse."""

from datetime import UTC, date, datetime

import pytest

from include import ingestion
from include.feeds import Feed, FeedItem
from include.ingestion import FeedReading
from include.warehouse import open_warehouse, records

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


def run(warehouse, day: int, tmp_path, *readings: FeedReading) -> ingestion.Ingested:
    return ingestion.land(warehouse, date(2026, 1, day), readings, tmp_path / "docs")


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


def test_a_feed_list_that_is_not_set_says_what_to_set():
    from include.settings import Settings

    with pytest.raises(ValueError, match="PODCAST_FEEDS is not set"):
        ingestion.feed_urls(Settings(feeds=""))
