"""Which day an episode belongs to, and what a reading of the feeds leaves in the warehouse."""

from dataclasses import replace
from datetime import UTC, date, datetime

import duckdb
import pytest

from include.sources import episodes
from include.sources.episodes import FeedReading
from include.sources.feeds import Feed, FeedItem, OfferedTranscript
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


def fails(day: int = 20) -> FeedReading:
    return FeedReading(FEED, None, january(day), error="no connection within 10 s")


def test_a_failed_night_is_made_up_by_the_next_run_and_its_episodes_keep_their_day(warehouse, tmp_path):
    run(warehouse, 13, tmp_path, reading(item("e0", january(13))))
    run(warehouse, 14, tmp_path, fails())
    feed = reading(item("e0", january(13)), item("e1", january(14)), item("e2", january(15)))
    ingested = run(warehouse, 15, tmp_path, feed)
    assert (ingested.episodes, ingested.made_up) == (1, ["2026-01-14"])
    assert days(warehouse) == {"e0": 13, "e1": 14, "e2": 15}
    (row,) = records(warehouse, "select * from ops.feed_status where made_up_on is not null")
    assert (row["partition_date"].day, row["made_up_on"].day, row["status"], row["episode_count"]) == (14, 15, "ok", 1)
    assert row["reason"] == "that night: no connection within 10 s"
    before = records(warehouse, "select * from raw.feed_fetches order by all")
    for day in (14, 15):
        again = run(warehouse, day, tmp_path, feed)
    assert again.made_up == ["2026-01-14"], "a run that is repeated announces the day once more"
    assert records(warehouse, "select * from raw.feed_fetches order by all") == before


@pytest.mark.parametrize("order", [(13, -14, 15), (15, -14, 13), (-14, 13, 15), (-14, 15, 13), (13, 15, -14, 16)])
def test_a_failed_night_is_made_up_whatever_the_order_of_runs(warehouse, tmp_path, order):
    feed = reading(item("e0", january(13)), item("e1", january(14)), item("e2", january(15)))
    for day in order:
        run(warehouse, abs(day), tmp_path, feed if day > 0 else fails())
    assert days(warehouse) == {"e0": 13, "e1": 14, "e2": 15}


def test_days_on_which_nothing_ran_are_made_up_from_the_first_day_that_the_feed_was_asked_and_no_further_back(
    warehouse, tmp_path
):
    feed = reading(*(item(f"e{day}", january(day)) for day in range(1, 19)))
    assert run(warehouse, 4, tmp_path, feed).made_up == []
    ingested = run(warehouse, 8, tmp_path, feed)
    assert ingested.made_up == ["2026-01-05", "2026-01-06", "2026-01-07"]
    assert days(warehouse) == {f"e{day}": day for day in range(4, 9)}
    run(warehouse, 18, tmp_path, feed)
    assert set(days(warehouse).values()) == {*range(4, 9), *range(11, 19)}, "a week back and no more"
    reasons = records(warehouse, "select distinct reason from ops.feed_status where made_up_on is not null")
    assert reasons == [{"reason": "nothing ran that night"}]


def test_who_asks_for_days_by_hand_gets_those_and_the_failed_ones_and_a_setting_makes_up_none(warehouse, tmp_path):
    feed = reading(*(item(f"e{day}", january(day)) for day in range(1, 19)))

    def land(day: int, outcome: FeedReading, **how) -> None:
        episodes.land(warehouse, date(2026, 1, day), [outcome], tmp_path / "docs", **how)

    land(4, feed)
    land(6, fails(), only_asked=True)
    land(8, feed, make_up_days=0)
    assert set(days(warehouse).values()) == {4, 8}
    land(9, feed, only_asked=True)
    assert set(days(warehouse).values()) == {4, 6, 8, 9}


def test_a_feed_that_is_new_to_the_list_brings_no_old_episodes_and_another_feeds_failed_night_none_of_its_own(
    warehouse, tmp_path
):
    new = FeedReading(
        "https://new.example/f", 200, january(20), feed=Feed("s2", "New", "en", (item("e9", january(14)),))
    )
    run(warehouse, 13, tmp_path, reading(item("e0", january(13))))
    run(warehouse, 14, tmp_path, fails())
    run(warehouse, 15, tmp_path, reading(item("e0", january(13)), item("e1", january(14))), new)
    assert days(warehouse) == {"e0": 13, "e1": 14}


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
    run(warehouse, 13, tmp_path, reading())
    run(warehouse, 14, tmp_path, FeedReading(FEED, 404, january(16), error="the server answered 404 Not Found"))
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


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"guid": "new-77", "audio_url": "https://cdn.new.example/77.mp3"}),
        ({}, {"guid": "new-77", "audio_url": "https://cdn.new.example/77.mp3", "title": "EPISODE e1!"}),
        ({}, {"guid": "new-77", "audio_url": "https://cdn.new.example/77.mp3", "duration_seconds": 95}),
        ({}, {"guid": "https://harbour.example/e1.mp3?a=2", "audio_url": "https://harbour.example/e1.mp3?a=2"}),
        (
            {"guid": "http://www.harbour.example/e1", "title": "Working title"},
            {"guid": "https://harbour.example/e1", "audio_url": "https://cdn.new.example/77.mp3"},
        ),
        ({"audio_url": "http://harbour.example/e1.mp3"}, {"guid": "new-77", "title": "Another title"}),
    ],
)
def test_a_show_that_changes_host_scheme_or_queries_has_the_same_episodes_at_their_new_addresses(
    warehouse, tmp_path, before, after
):
    run(warehouse, 14, tmp_path, reading(item("e1", january(14), **before), item("e2", january(14, 9))))
    moved = item("e8", january(14), **{"title": "Episode e1", "audio_url": "https://harbour.example/e1.mp3", **after})
    other = item("e9", january(14, 9), title="Episode e2", audio_url="https://cdn.new.example/9.mp3")
    ingested = run(warehouse, 15, tmp_path, reading(moved, other))
    assert (ingested.episodes, days(warehouse)) == (0, {"e1": 14, "e2": 14})
    addresses = records(warehouse, "select audio_url from raw.episodes order by episode_id")
    assert addresses == [{"audio_url": moved.audio_url}, {"audio_url": other.audio_url}]


def test_talk_that_only_resembles_another_stays_apart(warehouse, tmp_path):
    new = {"audio_url": None, "title": "The news"}
    run(warehouse, 14, tmp_path, reading(item("e1", january(14, 9), **new), item("e2", january(14, 8))))
    later = item("e3", january(15, 9), **new)
    longer = item("e4", january(14, 8), title="Episode e2", audio_url=None, duration_seconds=3600)
    run(warehouse, 14, tmp_path, reading(later, longer))
    run(warehouse, 15, tmp_path, reading(later, longer))
    assert days(warehouse) == {"e3": 15, "e4": 14}


def test_secrets_of_addresses_stand_in_raw_alone_and_a_feed_never_read_is_named_by_its_host(warehouse, tmp_path):
    secret, transcripts = "7f3acafe5ecre7", (OfferedTranscript("https://tide.example/1.vtt?token=7f3acafe5ecre7", ""),)
    urls = [f"https://members.tide.example/rss?auth={secret}", f"https://ann:{secret}@members.tide.example/rss"]
    readings = [FeedReading(url, 503, january(15), error=f"503 from {url}") for url in urls]
    private = {"audio_url": f"https://tide.example/1.mp3?token={secret}", "guid": f"https://x.example/?key={secret}"}
    bad = item("e2", january(15), title=" ", transcripts=transcripts, **private)
    undated = item("e3", None, problem="no date", **private)
    good = FeedReading(urls[0], 200, january(16), feed=Feed("s1", "Tide", "en", (bad, undated)), moved_to=urls[1])
    run(warehouse, 15, tmp_path, *readings)
    titles = records(warehouse, "select distinct show_title from ops.feed_status")
    assert titles == [{"show_title": "members.tide.example"}]
    run(warehouse, 16, tmp_path, good)
    tables = records(warehouse, "select table_name as name from information_schema.tables where table_schema = 'ops'")
    said = {row["name"]: repr(records(warehouse, f"select * from ops.{row['name']}")) for row in tables}
    assert [name for name, rows in said.items() if secret in rows] == []
    assert {name for name, rows in said.items() if "***" in rows} == {"feed_status", "skipped_items", "rejected_rows"}
    assert [str(file) for file in (tmp_path / "docs").rglob("*.html") if secret in file.read_text()] == []


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
    for day, outcome in {12: reading(), 14: fails(), 13: fails(), 16: fails()}.items():
        run(warehouse, day, tmp_path, outcome)
    query = "select partition_date, failing_since, failing_days from ops.feed_status order by partition_date"
    found = [(r["partition_date"].day, r["failing_since"], r["failing_days"]) for r in records(warehouse, query)]
    since = date(2026, 1, 13)
    assert found == [(12, None, None), (13, since, 1), (14, since, 2), (16, since, 4)]


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
        episodes.listed_feeds(Settings(feeds=""))
