"""What is older than the settings say goes, and it is told; all else stays."""

import os
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import insert, select

from include.claims import extraction
from include.settings import Settings, settings
from include.state import store
from include.state.tables import llm_calls, reservations, transcription_jobs, turns
from include.upkeep import retention
from include.warehouse.database import append, open_warehouse, records

NOW = datetime.now(UTC)
TODAY = NOW.date()
OLD, NEW = TODAY - timedelta(days=500), TODAY - timedelta(days=3)


@pytest.fixture
def connection(data_dir):
    with open_warehouse() as connection:
        yield connection


def days_ago(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())


def removed(connection) -> dict[str, int]:
    return {removal.what: removal.count for removal in retention.remove_expired(settings(), connection, NOW)}


def test_files_go_by_when_they_were_written_and_what_is_in_use_stays(data_dir, connection):
    ages = {
        "landing/claims/2026-01-01/run.json": 15, "landing/claims/2026-01-02/run.json": 13,
        "landing/llm_turns/gpt/0.place": 3000,
        "landing/audio/one": 2, "landing/audio/two": 0,
        "outbox/2026-01-01-ann.eml": 91, "outbox/2026-01-02-ann.eml": 89,
        "alerts/a-task.txt": 31, "alerts/disk.txt": 1,
        "airflow/logs/dag_id=x/attempt=1.log": 31, "airflow/logs/dag_id=y/attempt=1.log": 4,
        "site/insights/c1.html": 3000, "site/digests/2026-01-01.html": 3000,
    }  # fmt: skip
    for name, days in ages.items():
        file = data_dir / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("0123456789")
        for path in (file, file.parent):
            os.utime(path, (NOW.timestamp() - days * 86_400 - 60,) * 2)

    assert removed(connection) == {"landing/audio": 1, "landing": 1, "outbox": 1, "logs": 1, "alerts": 1}

    left = {str(file.relative_to(data_dir)) for name in ages for file in [data_dir / name] if file.exists()}
    assert left == {name for name in ages if ages[name] in (13, 0, 89, 1, 4, 3000)}
    noted = records(connection, "select what, older_than, count, bytes from ops.removals where what = 'outbox'")
    assert noted == [{"what": "outbox", "older_than": TODAY - timedelta(days=90), "count": 1, "bytes": 10}]
    empty = data_dir / "landing" / "claims" / "2026-01-01"
    os.utime(empty, (NOW.timestamp() - 90_000,) * 2)
    assert removed(connection) == {}
    assert not empty.exists()


def test_pages_of_insights_go_only_where_that_is_wanted_and_never_those_of_digests(data_dir, connection, monkeypatch):
    monkeypatch.setenv("PODCAST_KEEP_PAGES_DAYS", "365")
    settings.cache_clear()
    for name in ("insights/c1.html", "digests/2026-01-01.html"):
        file = settings().site / name
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, (0, 0))

    assert removed(connection) == {"pages": 1}
    assert (settings().site / "digests" / "2026-01-01.html").exists()


def test_answers_go_from_the_state_and_what_they_cost_stays(connection):
    state = store.of(settings())
    for day in (OLD, NEW):
        call = {"call_key": str(day), "status": "ok", "answer": "words", "cost_usd": 1.0, "called_at": days_ago(day)}
        with state.writing() as writing:
            writing.execute(insert(llm_calls).values(call | {"changed_at": days_ago(day)}))
            writing.execute(insert(reservations).values(kind="usd", day=day, token="t", amount=1))
            writing.execute(insert(turns).values(what=str(day), process="gone 1 2", until=days_ago(day)))
        append(connection, "raw.llm_calls", [call])

    assert removed(connection) == {"answers": 1, "reservations": 1, "raw.llm_calls.answer": 1}

    kept = "select answer, cost_usd from raw.llm_calls order by called_at"
    assert connection.execute(kept).fetchall() == [(None, 1.0), ("words", 1.0)]
    with state.reading() as reading:
        assert reading.scalars(select(llm_calls.c.call_key)).all() == [str(NEW)]
        assert reading.scalars(select(turns.c.what)).all() == []


def test_what_was_said_goes_where_that_is_wanted_and_its_claims_stay(connection, monkeypatch):
    monkeypatch.setenv("PODCAST_KEEP_TRANSCRIPTS_DAYS", "60")
    settings.cache_clear()
    for day in (OLD, NEW):
        episode = {"episode_id": f"e{day}", "partition_date": day}
        append(connection, "raw.episodes", [{**episode, "title": "One", "published_at": days_ago(day)}])
        append(connection, "raw.transcripts", [{**episode, "status": "ok", "content_hash": "h"}])
        append(connection, "raw.transcript_segments", [{**episode, "segment_index": 0, "text": "Said."}])
        append(connection, "raw.claims", [{**episode, "claim_id": f"c{day}"}])
    connection.execute("create schema marts; create table marts.segments as from raw.transcript_segments")
    with store.of(settings()).writing() as writing:
        job = {"job_key": "j", "episode_id": f"e{OLD}", "partition_date": OLD, "status": "ok", "segments": "[]"}
        writing.execute(insert(transcription_jobs).values(job | {"changed_at": days_ago(OLD)}))

    assert removed(connection) == {"heard recordings": 1, "raw.transcript_segments": 1, "marts.segments": 1}

    class Extractor:
        name, version = "another", "2"

    unread = {
        day: [entry.episode.episode_id for entry in extraction.to_read(connection, day, Extractor())]
        for day in (OLD, NEW)
    }
    assert unread == {OLD: [], NEW: [f"e{NEW}"]}, "what is gone is not read again, which would lose its claims"
    assert extraction.land(connection, OLD, [], settings().data_docs)
    assert connection.execute("select count(*) from raw.claims").fetchall() == [(2,)]


def test_history_goes_by_its_day(connection):
    for day in (TODAY - timedelta(days=800), NEW):
        append(connection, "raw.feed_fetches", [{"feed_url": "http://a.example", "partition_date": day}])
        append(connection, "ops.dropped_claims", [{"episode_id": "e", "partition_date": day}])

    assert removed(connection) == {"raw.feed_fetches": 1, "ops.dropped_claims": 1}


def test_tables_that_builds_left_go(connection):
    connection.execute("create table main.int_x__dbt_tmp1 as select 1 as one")
    removed(connection)
    assert records(connection, "select 1 from duckdb_tables() where contains(table_name, '__dbt_tmp')") == []


def test_what_was_said_is_kept_as_long_as_something_new_depends_on_it(monkeypatch):
    monkeypatch.setenv("PODCAST_KEEP_TRANSCRIPTS_DAYS", "30")
    with pytest.raises(ValidationError, match="keep 60 days, or all"):
        Settings()
