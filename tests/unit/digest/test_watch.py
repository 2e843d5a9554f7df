"""What needs a person and fails no task is told once, with what to do; how a day went is one row."""

import shutil
from collections import namedtuple
from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from invented_days import FULL, SHORT
from selectolax.lexbor import LexborHTMLParser

from include.pages.operator_view import operator_view
from include.pages.strip import charts
from include.pipeline import step_times, watch_service
from include.settings import settings
from include.warehouse.database import append, records
from include.warehouse.publication import publish
from tests.chain import environment
from tests.doubles.channel_server import serving

TODAY = date(2026, 1, 17)
MORNING = datetime(2026, 1, 17, 6, tzinfo=UTC)
Task = namedtuple("Task", "dag_id task_id start_date")
Disk = namedtuple("Disk", "total used free")


@pytest.fixture
def data(tmp_path):
    with environment(tmp_path / "data"):
        settings().data_dir.mkdir()
        yield settings().data_dir


@pytest.fixture
def channels(monkeypatch, data):
    with serving(monkeypatch) as opened:
        monkeypatch.setenv("PODCAST_ALERT_URLS", opened.url("ntfy"))
        settings.cache_clear()
        yield opened


def ended(day: date, dag: str = "publish_digest", task: str = "write_pages", seconds: float = 60) -> None:
    began = datetime.now(UTC) - timedelta(seconds=seconds)
    step_times.note({"task_instance": Task(dag, task, began), "partition_key": str(day)})


def test_a_digest_that_is_not_there_by_its_hour_is_told_once_and_again_when_the_next_is_late(channels):
    watch_service.look_around(MORNING)
    assert channels.posts == [], "nothing has ever run"

    ended(date(2026, 1, 15))
    watch_service.look_around(MORNING - timedelta(minutes=1))
    assert channels.posts == [], "its hour has not come"
    for quarter in range(3):
        watch_service.look_around(MORNING + timedelta(minutes=15 * quarter))
    ((_, title, text),) = channels.posts
    assert title == "There is no digest of 2026-01-16 by 06:00 UTC"
    assert "with the partition key 2026-01-16" in text

    ended(date(2026, 1, 16))
    watch_service.look_around(MORNING + timedelta(hours=1))
    watch_service.look_around(MORNING + timedelta(days=1))
    assert [title[:32] for _, title, _ in channels.posts[1:]] == ["There is no digest of 2026-01-17"]


def test_a_digest_that_was_only_begun_counts_as_late(channels):
    ended(date(2026, 1, 15))
    ended(date(2026, 1, 16), "ingest_episodes", "land_episodes")
    assert [trouble.name for trouble in watch_service.troubles(MORNING)] == ["late-digest"]


def test_a_disk_that_fills_up_is_told_until_there_is_room(channels, data, monkeypatch):
    for free, posts in ((10, 0), (9, 1), (8, 1), (50, 1), (9, 2)):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: Disk(100, 100 - free, free))
        watch_service.look_around(MORNING)
        assert len(channels.posts) == posts
    assert str(data) in channels.posts[0][2]
    assert (data / "alerts" / "disk.txt").is_file()


def test_feeds_caps_and_mails_that_need_a_person_are_told_with_what_to_do(
    channels, warehouse, warehouse_file, monkeypatch
):
    with warehouse() as connection:
        append(connection, "raw.feed_fetches", [
            {"feed_url": "https://pods.example/rss?auth=7f3acafe5ecre7", "partition_date": TODAY - timedelta(days=back),
             "status": "failed", "reason": "404", "show_title": "@everyone Gone"}
            for back in range(8)
        ])  # fmt: skip
        append(connection, "ops.dropped_claims", [
            {"episode_id": "e7", "partition_date": TODAY, "quote": "", "reason": "skipped_budget"},
        ])  # fmt: skip
        append(connection, "ops.deliveries", [
            {"digest_date": SHORT, "recipient": "ann@example.com", "status": "pending",
             "pending_at": datetime(2026, 1, 17, 5)},
            {"digest_date": SHORT, "recipient": "bo@example.com", "status": "pending",
             "pending_at": datetime(2026, 1, 17, 5, 50)},
            {"digest_date": SHORT, "recipient": "team", "status": "failed", "error": "slack answered 404"},
            {"digest_date": FULL, "recipient": "team", "status": "failed", "error": "slack answered 404"},
        ])  # fmt: skip
    publish(warehouse_file, settings().published)

    for _ in range(2):
        watch_service.look_around(MORNING)

    told = {title: text for _, title, text in channels.posts}
    assert set(told) == {
        "1 feed has been failing for 7 days or more",
        "The day's cap was reached on 2026-01-17",
        "It is not known whether 1 mail left",
        "1 mail was refused for good",
    }
    feeds, refused, mail, cap = (told[title] for title in sorted(told))
    assert "since 2026-01-10" in feeds
    assert "7f3acafe5ecre7" not in feeds
    assert "@everyone" not in feeds
    assert "1 parts" in cap
    assert "PODCAST_DAILY_BUDGET_USD" in cap
    assert "the digest of 2026-01-15 to a***@example.com" in mail
    assert "python -m include.delivery" in mail
    assert "the digest of 2026-01-15 to t***: slack answered 404" in refused

    with warehouse() as connection:
        connection.execute("update raw.feed_fetches set status = 'ok' where partition_date = $day", {"day": TODAY})
        connection.execute("update ops.deliveries set status = 'sent'")
        connection.execute("delete from ops.dropped_claims")
    publish(warehouse_file, settings().published)
    watch_service.look_around(MORNING)
    assert list((settings().data_dir / "alerts").iterdir()) == []


def test_how_long_tasks_took_is_noted_as_it_was_the_last_time_and_comes_into_the_row_of_the_day(data, warehouse):
    ended(FULL, "ingest_episodes", "fetch_feeds", 500)
    ended(FULL, "ingest_episodes", "fetch_feeds", 40)
    ended(FULL, "ingest_episodes", "land_episodes", 20)
    step_times.note({"task_instance": Task("watch_service", "look_around", datetime.now(UTC)), "partition_key": None})
    with warehouse() as connection:
        for _ in range(2):
            step_times.take_in(connection)
        append(connection, "raw.episodes", [
            {"episode_id": "e1", "partition_date": FULL, "show_id": "s1", "duration_seconds": 5400},
            {"episode_id": "e2", "partition_date": FULL, "show_id": "s1"},
            {"episode_id": "e5", "partition_date": FULL, "show_id": "s4"},
        ])  # fmt: skip
        append(connection, "raw.transcripts", [
            {"episode_id": "e1", "partition_date": FULL, "status": "ok", "word_count": 9000},
            {"episode_id": "e2", "partition_date": FULL, "status": "ok", "word_count": 5100},
        ])  # fmt: skip
        append(connection, "raw.claims", [{"claim_id": "c2", "episode_id": "e2", "partition_date": FULL}])
        append(connection, "raw.transcription_jobs", [
            {"job_key": "j", "episode_id": "e1", "partition_date": FULL, "source": "assemblyai", "cost_usd": 0.2},
        ])  # fmt: skip
        append(connection, "ops.deliveries", [
            {"digest_date": FULL, "recipient": "ann@example.com", "status": "sent"},
            {"digest_date": FULL, "recipient": "bo@example.com", "status": "failed"},
        ])  # fmt: skip
        (day,) = records(connection, "from ops.runs where partition_date = $day", {"day": FULL})

    assert round(day.pop("ingest_seconds")) == 60
    assert day.pop("ended_at") is not None
    assert round(day.pop("usd"), 4) == 0.2352
    assert day == {
        "partition_date": FULL, "transcribe_seconds": None, "claims_seconds": None, "scores_seconds": None,
        "digest_seconds": None, "feeds": 5, "feeds_failed": 1, "shows": 1, "episodes": 2, "hours": 2.0, "claims": 1,
        "dropped": 2, "mails": 1,
    }  # fmt: skip


def test_the_digest_view_draws_the_month_and_its_figures_lead_to_the_days(data, warehouse, warehouse_file):
    ended(FULL, "build_claims", "extract_claims", 120)
    with warehouse() as connection:
        step_times.take_in(connection)
    publish(warehouse_file, settings().published)

    tree = LexborHTMLParser(TestClient(operator_view(lambda: None)).get(f"/?day={SHORT}").text)

    drawn = tree.css(".strip figure")
    assert len(drawn) == 6
    assert [len(figure.css("svg g")) for figure in drawn] == [30] * 6
    assert " ".join(drawn[0].css_first("figcaption").text().split()) == "Minutes of work 0.0 at most 2.0"
    assert drawn[0].css("title")[-2].text() == (
        "2026-01-14: feeds 0.0, transcripts 0.0, claims 2.0, scores 0.0, digest 0.0"
    )
    figures = tree.css("[aria-label='The last 30 days'] tbody tr")
    assert [row.css_first("th").text() for row in figures] == ["2026-01-15", "2026-01-14"]
    assert figures[1].css_first("a").attributes["href"] == f"?day={FULL}"
    assert "120 s" in figures[1].text()


def test_bars_are_stacked_on_one_scale_and_a_day_that_did_not_run_has_none():
    runs = [
        {"partition_date": FULL, "claims": 30, "dropped": 10},
        {"partition_date": SHORT, "claims": 20, "dropped": 0},
    ]
    claims = charts(runs, SHORT)[2]

    *before, full, short = claims.bars
    assert (claims.now, claims.most) == ("20", "40")
    assert [(part.number, part.y, part.height) for part in full.parts] == [(0, 12.5, 34.5), (1, 1.0, 11.5)]
    assert [(part.y, part.height) for part in short.parts] == [(24.0, 23.0)]
    assert full.told == "2026-01-14: kept 30, dropped 10"
    assert {bar.parts for bar in before} == {()}
    assert before[0].told == "2025-12-17: not run"
