"""The chain through Airflow's own scheduler, as `make run`, `make backfill` and a person with a power cut see it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
import httpx
import pytest

from include.local.sample import server as sample
from include.local.standalone import LocalAirflow, feeds, free_port
from include.settings import PROJECT
from tests import chain
from tests.doubles.assemblyai_server import KEY, AssemblyAIServer

DAY = date(2026, 1, 15)
LIMIT = timedelta(minutes=20)
SCHEMAS = ("raw", "ops", "marts")
OF_THE_RUN = {
    "raw.feed_fetches": {"fetched_at"},
    "ops.feed_status": {"fetched_at"},
    "raw.transcription_jobs": {"begun_at", "ended_at", "spent_on"},
    "ops.transcription_jobs": {"begun_at", "ended_at", "spent_on"},
    "ops.deliveries": {"pending_at", "sent_at", "due_at"},
}
"""What two runs in two warehouses must differ in."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The data directory and the output of `make run` on the sample."""
    folder = tmp_path_factory.mktemp("run")
    done = subprocess.run(
        [sys.executable, "-m", "include.local.standalone", "run"],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PODCAST_DATA_DIR": str(folder), "PODCAST_FEEDS": ""},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def test_make_run_shows_each_step_the_five_insights_and_where_everything_is(ran):
    folder, output = ran
    for step in ("ingest_episodes", "transcribe_episodes", "build_claims", "score_claims", "publish_digest"):
        assert step in output
    assert re.findall(r"^(\d)\. ", output, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    assert "https://media." in output
    assert str(folder / "published" / "podcasts.duckdb") in output
    assert str(folder / "site" / "index.html") in output


def test_make_run_leaves_one_mail_pages_and_checks(ran):
    folder, _ = ran
    assert [file.name for file in (folder / "outbox").iterdir()] == ["2026-01-15-reader@localhost.eml"]
    for page in ("index.html", "digests/2026-01-15.html", "feed.xml"):
        assert (folder / "site" / page).is_file()
    assert (folder / "data_docs" / "index.html").is_file()
    assert (folder / "dbt_docs" / "index.html").is_file()


def test_make_run_stops_what_it_started(ran):
    folder, _ = ran
    assert LocalAirflow(folder, 0).pid() is None


def test_an_analyst_reads_the_five_in_another_process(ran):
    folder, _ = ran
    with duckdb.connect(str(folder / "published" / "podcasts.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.top_insights").fetchone() == (5,)
        (recipient,) = connection.execute("select recipient from ops.deliveries").fetchone()
        took = "ingest_seconds, transcribe_seconds, claims_seconds, scores_seconds"
        seconds = connection.execute(f"select {took} from ops.runs where partition_date = '2026-01-15'").fetchone()
    assert recipient == "r***@localhost"
    assert all(stage > 0 for stage in seconds)


def test_a_rerun_and_a_backfill_of_earlier_days_change_nothing_that_was_sent_and_send_nothing(ran):
    folder, _ = ran
    mail = folder / "outbox" / "2026-01-15-reader@localhost.eml"
    sent = mail.read_bytes()
    before = chain.tables(folder / "warehouse.duckdb", SCHEMAS)
    first, second = date(2026, 1, 13), date(2026, 1, 14)
    with running(folder) as airflow:
        shows_the_digest(airflow)
        counts = airflow.run_counts(DAY)
        airflow.trigger("ingest_episodes", DAY)
        airflow.wait_for_chain(DAY, counts, print, LIMIT)
        assert chain.tables(folder / "warehouse.duckdb", SCHEMAS) == before
        airflow.backfill(first, second)
        for day in (first, second):
            airflow.wait_for_chain(day, {}, print, LIMIT)
    after = chain.tables(folder / "warehouse.duckdb", SCHEMAS)
    assert [file.name for file in (folder / "outbox").iterdir()] == [mail.name]
    assert mail.read_bytes() == sent
    assert after["ops.deliveries"] == before["ops.deliveries"]
    assert set(before["marts.top_insights"]) < set(after["marts.top_insights"])
    with duckdb.connect(str(folder / "published" / "podcasts.duckdb"), read_only=True) as connection:
        digests = connection.execute("select distinct digest_date from marts.top_insights order by all").fetchall()
    assert [day for (day,) in digests] == [first, second, DAY]


def test_a_kill_in_the_middle_of_a_day_ends_in_the_same_tables_and_one_mail(ran, tmp_path):
    """The day is compared with one that ran through undisturbed, before that one saw any other day."""
    undisturbed = tmp_path / "undisturbed"
    killed = tmp_path / "killed"
    with running(killed) as airflow:
        airflow.trigger("ingest_episodes", DAY)
        until(lambda: state(airflow, "build_claims", "extract_claims") == "running")
        os.killpg(airflow.pid(), signal.SIGKILL)
        until(lambda: airflow.pid() is None)
        airflow.start()
        airflow.wait_for_chain(DAY, {}, print, LIMIT)
    assert [file.name for file in (killed / "outbox").iterdir()] == ["2026-01-15-reader@localhost.eml"]
    with feeds("") as extra, chain.environment(undisturbed, **extra):
        chain.run_day(str(DAY))
    leave_out = {**OF_THE_RUN, "ops.deliveries": {"pending_at", "sent_at", "status"}}
    one = chain.tables(killed / "warehouse.duckdb", ("raw", "marts"), leave_out)
    other = chain.tables(undisturbed / "warehouse.duckdb", ("raw", "marts"), leave_out)
    assert {table: rows for table, rows in one.items() if other[table] != rows} == {}


AUDIO_ONLY = """<?xml version="1.0"?><rss version="2.0"><channel><title>By ear</title><link>https://ear.example/</link>
<item><guid>1</guid><title>One</title><pubDate>Wed, 14 Jan 2026 09:00:00 GMT</pubDate>
<enclosure url="https://media.ear.example/1.mp3" length="1" type="audio/mpeg"/></item>
<item><guid>2</guid><title>Two</title><pubDate>Thu, 15 Jan 2026 09:00:00 GMT</pubDate>
<enclosure url="https://media.ear.example/2.mp3" length="1" type="audio/mpeg"/></item>
</channel></rss>"""


def test_a_recording_at_assemblyai_is_waited_for_in_the_triggerer_and_deleted_only_where_a_person_gives_it_up(tmp_path):
    """Cleared, its task goes on with the same transcript; marked as failed, the transcript is deleted."""
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "by-ear.xml").write_text(AUDIO_ONLY)
    first, second = date(2026, 1, 14), date(2026, 1, 15)
    waiting = ("transcribe_episodes", "transcribe_at_assemblyai")
    with AssemblyAIServer(polls=10**9) as service, sample.serve(0, tmp_path) as url:
        extra = {
            "PODCAST_FEEDS": f"{url}/feeds.txt",
            "PODCAST_ALLOW_HOSTS": url.split("/")[2],
            "PODCAST_SCHEDULE": "off",
            "PODCAST_TRANSCRIBER": "assemblyai",
            "AIRFLOW_CONN_ASSEMBLYAI_DEFAULT": service.connection(),
        }
        with running(tmp_path / "data", contextlib.nullcontext(extra)) as airflow:
            airflow.call("PATCH", "dags/build_claims", json={"is_paused": True})
            airflow.trigger("ingest_episodes", first)
            until(lambda: state(airflow, *waiting, first) == "deferred" and polled(service) > 0)
            run_id = airflow.runs(waiting[0], first)[-1]["dag_run_id"]
            clear = {"dry_run": False, "dag_run_id": run_id, "task_ids": [waiting[1]], "only_failed": False}
            airflow.call("POST", f"dags/{waiting[0]}/clearTaskInstances", json=clear)
            until(lambda: state(airflow, *waiting, first) == "deferred" and tries(airflow, *waiting, first) == 2)
            service.polls = 0
            until(lambda: airflow.runs(waiting[0], first)[-1]["state"] == "success")
            assert (service.created, service.deleted) == (["https://media.ear.example/1.mp3"], [])

            service.polls = 10**9
            airflow.trigger("ingest_episodes", second)
            until(lambda: state(airflow, *waiting, second) == "deferred" and polled(service, 1) > 0)
            run_id = airflow.runs(waiting[0], second)[-1]["dag_run_id"]
            task = f"dags/{waiting[0]}/dagRuns/{run_id}/taskInstances/{waiting[1]}"
            airflow.call("PATCH", task, json={"new_state": "failed"})
            until(lambda: service.deleted == [list(service.transcripts)[1]])
        logs = "".join(file.read_text(errors="replace") for file in (tmp_path / "data").rglob("*.log"))
    assert service.violations == []
    assert KEY not in logs
    with duckdb.connect(str(tmp_path / "data" / "warehouse.duckdb")) as connection:
        rows = connection.execute(
            "select status, source, segment_count, partition_date from raw.transcripts"
        ).fetchall()
    assert ("ok", "assemblyai", 4, first) in rows


def polled(service: AssemblyAIServer, number: int = 0) -> int:
    """How often the transcript that was made as that number has been asked for."""
    made = list(service.transcripts)
    return service.asked.count(("GET", f"/v2/transcript/{made[number]}")) if len(made) > number else 0


class running:  # noqa: N801
    """Airflow, on the sample where nothing else is said, for one data directory, while the block runs."""

    def __init__(self, folder: Path, settings: contextlib.AbstractContextManager[dict[str, str]] | None = None):
        self._feeds = settings or feeds("")
        self._folder = folder

    def __enter__(self) -> LocalAirflow:
        self._airflow = LocalAirflow(self._folder, free_port(), self._feeds.__enter__())
        self._airflow.start()
        return self._airflow

    def __exit__(self, *error) -> None:
        self._airflow.stop()
        self._feeds.__exit__(*error)


def shows_the_digest(airflow: LocalAirflow) -> None:
    """The UI has a view of the digest, which leads to the pages and the documents."""
    views = [view for plugin in airflow.call("GET", "plugins")["plugins"] for view in plugin["external_views"]]
    assert [(view["name"], view["href"]) for view in views] == [("Digest", "/digest/")]
    address = f"http://127.0.0.1:{airflow.port}/digest/"
    view = httpx.get(address)
    assert "Thursday, 15 January 2026" in view.text
    assert view.text.count("<tr><td>") == 5
    for link in re.findall(r'href="((?:site|dbt-docs|data-docs)/[^"]+)"', view.text):
        assert httpx.get(address + link).status_code == 200, link


def state(airflow: LocalAirflow, dag_id: str, task_id: str, day: date = DAY) -> str | None:
    """The state of a task in the newest run of the day."""
    return task(airflow, dag_id, task_id, day).get("state")


def tries(airflow: LocalAirflow, dag_id: str, task_id: str, day: date) -> int:
    return task(airflow, dag_id, task_id, day).get("try_number", 0)


def task(airflow: LocalAirflow, dag_id: str, task_id: str, day: date) -> dict:
    runs = airflow.runs(dag_id, day)
    tasks = airflow.tasks(dag_id, runs[-1]["dag_run_id"]) if runs else []
    return next((task for task in tasks if task["task_id"] == task_id), {})


def until(condition, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.5)
