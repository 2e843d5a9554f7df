"""Transcripts from AssemblyAI, over HTTP against a double of its API: once, within the caps, through every fault."""

import asyncio
import contextlib
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from pydantic import SecretStr
from sqlalchemy import text

from include.local.sample import server as sample
from include.models import budget
from include.pipeline import transcribe_episodes as steps
from include.settings import Settings
from include.settings import settings as settings_of_process
from include.state import store
from include.transcripts import queue
from include.transcripts.jobs import ASSEMBLYAI, LOCAL, OVER, JobStore
from include.transcripts.landing import Transcript, Wanted, outcome
from include.transcripts.queue import Queue
from include.warehouse import mirror
from include.warehouse.database import append, open_warehouse
from plugins.assembly_ai import hook as service
from plugins.assembly_ai import operator as work
from plugins.assembly_ai import trigger as waiting
from plugins.assembly_ai.hook import AssemblyAIHook
from plugins.assembly_ai.operator import AssemblyAITranscriptionOperator
from plugins.assembly_ai.trigger import AssemblyAITrigger
from tests.chain import environment, tables
from tests.doubles.assemblyai_server import KEY, SPECIFICATION, AssemblyAIServer, Fault
from tests.postgres import needs_postgres

DAY = date(2026, 1, 15)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Pauses of hundredths of a second where the service would be given seconds."""
    monkeypatch.setattr(service, "LONGEST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)


@pytest.fixture
def server(monkeypatch):
    with AssemblyAIServer() as running:
        monkeypatch.setenv("AIRFLOW_CONN_ASSEMBLYAI_DEFAULT", running.connection())
        yield running
        if SPECIFICATION.is_file():
            assert running.violations == []


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, daily_audio_hours=1000.0, daily_budget_usd=1000.0)


def episodes(count: int, **changes) -> list[Wanted]:
    """Episodes of ten minutes each, the first the newest."""
    midnight = datetime(2026, 1, 15)
    return [
        Wanted(
            **{
                "episode_id": f"e{number:03}",
                "partition_date": DAY,
                "title": f"Episode {number}",
                "audio_url": f"https://media.example/{number:03}.mp3",
                "duration_seconds": 600,
                "published_at": midnight - timedelta(minutes=number),
            }
            | changes
        )
        for number in range(count)
    ]


def run(wanted, settings, *, resume_at=lambda number: None) -> dict[str, int]:
    """The operator as Airflow drives it: each deferral is carried through its serialised trigger into a new instance,
    which reads all that it knows anew. `resume_at` is called before each resumption."""

    def operator():
        return AssemblyAITranscriptionOperator(
            task_id="t", recordings=lambda context: Queue(ASSEMBLYAI, wanted, settings)
        )

    step, resumed = (lambda: operator().execute({})), 0
    while True:
        try:
            return step()
        except TaskDeferred as deferred:
            _, facts = deferred.trigger.serialize()
            event = first_event(AssemblyAITrigger(**facts))
            resume_at(resumed)
            resumed += 1
            step = lambda event=event: operator().resume({}, event)  # noqa: E731


def submit(wanted, settings) -> None:
    """The operator until it waits for the service."""
    with contextlib.suppress(TaskDeferred):
        AssemblyAITranscriptionOperator(task_id="t", recordings=lambda _: Queue(ASSEMBLYAI, wanted, settings)).execute(
            {}
        )


def first_event(trigger):
    async def events():
        return [event.payload async for event in trigger.run()]

    (event,) = asyncio.run(events())
    return event


def landed(wanted, settings):
    """The same episodes as the next run finds them."""
    over = {(job.episode_id, job.job_key) for job in every_job(settings) if job.status in OVER}
    return [
        dataclasses.replace(episode, tried=tuple(key for owner, key in over if owner == episode.episode_id))
        for episode in wanted
    ]


def every_job(settings):
    kept = JobStore(store.of(settings)).of_episodes([f"e{number:03}" for number in range(200)])
    return [job for jobs in kept.values() for job in jobs]


def jobs(settings):
    return {job.episode_id: job for job in every_job(settings)}


def test_a_recording_becomes_sentences_with_speakers_and_times(server, settings):
    assert run(episodes(1), settings) == {"ok": 1}
    (job,) = jobs(settings).values()
    said = [(s.speaker, s.start_seconds, s.text) for s in job.segments]
    assert said == [
        ("Speaker A", 0.0, "The harbour moved ninety containers an hour."),
        ("Speaker B", 2.8, "That is twice what it moved last year."),
        ("Speaker A", 6.0, "The harbour moved ninety containers an hour."),
        ("Speaker A", 8.8, "That is twice what it moved last year."),
    ]
    assert (job.language, job.model, job.hours) == ("en_us", "universal-3-pro", pytest.approx(1 / 6))
    assert job.cost_usd == pytest.approx(settings.assemblyai_usd_per_hour / 6, abs=1e-5)


def test_two_hundred_recordings_go_through_twenty_at_a_time_and_each_is_submitted_once(server, settings):
    server.polls = 0
    assert run(episodes(200), settings) == {"ok": 200}
    assert len(server.created) == len(set(server.created)) == 200
    assert server.most_in_flight == 20


FAULTS = {
    "busy": Fault("POST", "/v2/transcript", 429, 3, retry_after="0"),
    "busy, with a date": Fault("POST", "/v2/transcript", 429, 2, retry_after="Thu, 01 Jan 2026 00:00:00 GMT"),
    "an error before the work": Fault("POST", "/v2/transcript", 500),
    "an error after the work": Fault("POST", "/v2/transcript", 500, 3, done=True),
    "no JSON after the work": Fault("POST", "/v2/transcript", garbage="<html>", done=True),
    "no id after the work": Fault("POST", "/v2/transcript", garbage="{}", done=True),
    "a connection lost after the work": Fault("POST", "/v2/transcript", hang_seconds=0.01, done=True),
    "polls that fail": Fault("GET", "/v2/transcript/", 503, 20),
    "polls without JSON": Fault("GET", "/v2/transcript/", garbage="[]", times=20),
    "polls of another form": Fault("GET", "/v2/transcript/", garbage='{"status": "completed"}', times=20),
    "polls that are too many": Fault("GET", "/v2/transcript/", 429, 20, retry_after="0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_loses_no_recording_and_submits_none_twice(server, settings, fault, monkeypatch):
    server.faults = [dataclasses.replace(FAULTS[fault])]
    monkeypatch.setattr(work, "IN_FLIGHT", 3)
    assert run(episodes(6), settings) == {"ok": 6}
    assert sorted(server.created) == [episode.audio_url for episode in episodes(6)]
    assert server.faults == []
    assert server.most_in_flight <= 3


def test_a_submission_that_hangs_until_after_the_time_limit_is_found_and_not_made_again(server, settings, monkeypatch):
    monkeypatch.setattr(service, "TIMEOUT_SECONDS", 0.2)
    server.faults = [Fault("POST", "/v2/transcript", hang_seconds=0.5, done=True)]
    assert run(episodes(2), settings) == {"ok": 2}
    assert len(server.created) == 2


@pytest.mark.parametrize("status", [429, 503, 404, 401])
def test_a_submission_stays_in_doubt_while_the_list_cannot_be_read_and_is_found_later(server, settings, status):
    server.faults = [Fault("POST", "/v2/transcript", 500, done=True), Fault("GET", "/v2/transcript", status, 10**6)]
    with contextlib.suppress(AirflowFailException):
        run(episodes(1), settings)
    assert jobs(settings)["e000"].status == "intended"
    server.faults = []
    assert run(episodes(1), settings) == {"ok": 1}
    assert len(server.created) == 1


def test_a_service_that_restarts_in_the_middle_loses_nothing(server, settings, monkeypatch):
    monkeypatch.setattr(work, "IN_FLIGHT", 4)
    assert run(episodes(8), settings, resume_at=lambda _: server.restart()) == {"ok": 8}
    assert len(server.created) == 8


class Killed(BaseException):
    """The power goes off."""


@pytest.mark.parametrize("moment", ["take", "sends", "submitted", "ended"])
def test_a_process_killed_at_any_write_is_followed_by_one_that_submits_nothing_twice(
    server, settings, monkeypatch, moment
):
    """Killed before and after each thing that the queue writes down, for each of three recordings in turn."""
    original = getattr(Queue, moment)
    calls = {"before": set(), "after": set()}

    def killed(self, *arguments):
        number = len(server.created)
        if number not in calls["before"]:
            calls["before"].add(number)
            raise Killed
        result = original(self, *arguments)
        if number not in calls["after"]:
            calls["after"].add(number)
            raise Killed
        return result

    monkeypatch.setattr(Queue, moment, killed)
    for _ in range(40):
        try:
            assert run(episodes(3), settings) == {"ok": 3}
            break
        except Killed:
            continue
    assert calls["after"]
    assert sorted(server.created) == [episode.audio_url for episode in episodes(3)]
    assert jobs(settings).keys() == {"e000", "e001", "e002"}
    assert budget.audio_hours(settings, today()).spent == pytest.approx(0.5)


@pytest.mark.parametrize("database", ["", pytest.param("postgres_url", marks=needs_postgres)])
def test_of_twenty_processes_with_the_same_recordings_one_submits_each(server, settings, together, request, database):
    settings.state_url = SecretStr(database and request.getfixturevalue(database))
    server.polls = 10**9
    together(lambda _: submit(episodes(8), settings))

    server.polls = 0
    assert run(episodes(8), settings) == {"ok": 8}
    assert sorted(server.created) == [episode.audio_url for episode in episodes(8)]
    assert budget.audio_hours(settings, today()).spent == pytest.approx(8 / 6)


def test_a_try_that_comes_back_to_life_submits_nothing_that_another_one_has_gone_on_with(server, settings, together):
    """The first one was taken for dead between taking a recording and sending it."""
    slow = Queue(ASSEMBLYAI, episodes(1), settings)
    taken = slow.take()
    with store.of(settings).writing() as connection:
        connection.execute(text("delete from turns"))

    together(lambda _: submit(episodes(1), settings), processes=1)

    assert slow.sends(taken, taken.audio_url) is None
    assert len(server.created) == 1


def test_another_run_goes_on_with_what_an_earlier_one_submitted(server, settings):
    server.polls = 10**9
    with pytest.raises(TaskDeferred):
        AssemblyAITranscriptionOperator(
            task_id="t", recordings=lambda context: Queue(ASSEMBLYAI, episodes(3), settings)
        ).execute({})
    server.polls = 1
    assert run(episodes(3), settings) == {"ok": 3}
    assert len(server.created) == 3


def test_an_address_that_changes_every_day_does_not_have_a_recording_submitted_again(server, settings):
    server.polls = 10**9
    with pytest.raises(TaskDeferred):
        AssemblyAITranscriptionOperator(
            task_id="t", recordings=lambda context: Queue(ASSEMBLYAI, episodes(1), settings)
        ).execute({})
    server.polls = 0
    assert run(episodes(1, audio_url="https://media.example/000.mp3?token=2"), settings) == {"ok": 1}
    assert len(server.created) == 1


def test_an_intention_is_not_mistaken_for_an_older_transcript_of_the_same_audio(server, settings):
    """The list holds a failed try of this run's own and one that somebody made long ago: neither is taken over."""
    server.error_of = lambda url: "no luck" if len(server.created) == 1 else None
    assert run(episodes(1), settings) == {"failed": 1}
    server.faults = [Fault("POST", "/v2/transcript", 500)]
    assert run(landed(episodes(1), settings), settings) == {"failed": 1, "ok": 1}
    assert len(server.created) == 2


def test_a_recording_that_the_list_shows_on_a_later_page_is_found(server, settings):
    wanted = episodes(1)
    queue = Queue(ASSEMBLYAI, wanted, settings)
    queue.sends(queue.take(), wanted[0].audio_url)
    hook = AssemblyAIHook()
    mine = hook.submit(wanted[0].audio_url)
    for number in range(450):
        server._create({"audio_url": f"https://media.example/other-{number}.mp3", "speech_models": ["universal-2"]})
    assert run(wanted, settings) == {"ok": 1}
    assert jobs(settings)["e000"].service_id == mine


def test_what_the_service_cannot_transcribe_is_a_result_that_costs_nothing_and_is_tried_three_times(server, settings):
    server.error_of = lambda url: "the audio is silent" if "001" in url else None
    wanted = episodes(2)
    for _ in range(5):
        run(wanted, settings)
        wanted = landed(wanted, settings)
    kept = every_job(settings)
    assert sorted((job.episode_id, job.try_number, job.status) for job in kept) == [
        ("e000", 1, "ok"),
        ("e001", 1, "failed"),
        ("e001", 2, "failed"),
        ("e001", 3, "failed"),
    ]
    assert all("the audio is silent" in job.error for job in kept if job.status == "failed")
    assert sum(job.cost_usd for job in kept) == pytest.approx(settings.assemblyai_usd_per_hour / 6, abs=1e-5)
    assert server.created.count("https://media.example/001.mp3") == 3


def test_a_recording_that_takes_too_long_is_given_up_deleted_and_counted_as_spent(server, settings, monkeypatch):
    server.polls = 10**9
    monkeypatch.setattr(work, "TIMEOUT_SECONDS", 0.1)
    assert run(episodes(2), settings) == {"failed": 2}
    assert sorted(server.deleted) == sorted(server.transcripts)
    assert "still at it" in jobs(settings)["e000"].error
    assert budget.audio_hours(settings, today()).spent == pytest.approx(1 / 3)


def test_a_service_that_stays_away_is_recorded_and_asked_again_another_time(server, settings):
    server.faults = [Fault("POST", "/v2/transcript", 503, 10**6)]
    assert run(episodes(3), settings) == {"intended": 1, "not_asked": 2}
    assert budget.audio_hours(settings, today()).spent == pytest.approx(1 / 6)
    server.faults = []
    assert run(episodes(3), settings) == {"ok": 3}
    assert len(server.created) == 3


def test_a_refused_key_fails_the_task_at_once_and_loses_nothing(server, settings, monkeypatch):
    good = server.connection()
    monkeypatch.setenv("AIRFLOW_CONN_ASSEMBLYAI_DEFAULT", good.replace(KEY, "wrong"))
    with pytest.raises(AirflowFailException, match="Put a valid API key"):
        run(episodes(3), settings)
    assert budget.dollars(settings, today()).spent == 0
    monkeypatch.setenv("AIRFLOW_CONN_ASSEMBLYAI_DEFAULT", good)
    assert run(episodes(3), settings) == {"ok": 3}
    assert len(server.created) == 3


def test_no_key_is_said_in_a_log_or_an_error(server, settings, caplog):
    server.faults = [Fault("POST", "/v2/transcript", 400, 1), Fault("GET", "/v2/transcript/", 503, 3)]
    caplog.set_level("DEBUG")
    run(episodes(2), settings)
    assert "scripted" in jobs(settings)["e000"].error
    assert KEY not in caplog.text + repr(jobs(settings))


def test_without_a_connection_nothing_happens_unless_it_is_asked_for(settings, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_ASSEMBLYAI_DEFAULT", raising=False)
    assert run(episodes(2), settings) == {}
    required = settings.model_copy(update={"transcriber": "assemblyai"})
    with pytest.raises(AirflowFailException, match="there is no connection assemblyai_default"):
        run(episodes(2), required)


# Recordings that only this machine can reach


def test_two_tries_at_one_recording_at_once_have_a_file_each(settings):
    with sample.serve(port=0) as url:
        allowed = settings.model_copy(update={"allow_hosts": frozenset({url.split("/")[2]})})
        recordings = Queue(LOCAL, episodes(1, audio_url=f"{url}/feeds.txt", feed_url=url), allowed)
        job = recordings.take()
        with recordings.downloaded(job) as one:
            with recordings.downloaded(job) as other:
                assert other.read_bytes() == one.read_bytes()
            assert one.is_file()


def test_a_recording_at_a_private_address_is_uploaded_and_its_copy_removed(server, settings):
    with sample.serve(port=0) as url:
        address = f"{url}/feeds.txt"
        allowed = settings.model_copy(update={"allow_hosts": frozenset({url.split("/")[2]})})
        assert run(episodes(1, audio_url=address, feed_url=address), allowed) == {"ok": 1}
    (uploaded,) = server.uploads
    assert server.created == [uploaded]
    assert server.uploads[uploaded] > 0
    assert list((settings.landing / "audio").iterdir()) == []


def test_a_private_address_that_is_not_allowed_is_not_read(server, settings):
    assert run(episodes(1, audio_url="http://127.0.0.1:1/secret.mp3"), settings) == {"failed": 1}
    assert server.created == []
    assert "PODCAST_ALLOW_HOSTS" in jobs(settings)["e000"].error


# Caps


def today() -> date:
    return datetime.now(UTC).date()


def test_the_cap_on_hours_holds_newest_first_and_the_rest_is_taken_up_the_next_day(server, settings, monkeypatch):
    tight = settings.model_copy(update={"daily_audio_hours": 0.5})
    assert run(episodes(5), tight) == {"ok": 3, "skipped_budget": 2}
    assert run(episodes(5), tight) == {"ok": 3, "skipped_budget": 2}
    assert sorted(server.created) == [episode.audio_url for episode in episodes(3)]
    assert "0.5 hours of audio a day" in jobs(tight)["e004"].error
    tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    monkeypatch.setattr(queue, "_now", lambda: tomorrow)
    assert run(episodes(5), tight) == {"ok": 5}
    assert len(server.created) == 5


def test_the_cap_on_dollars_is_shared_with_the_chat_models(server, settings):
    each = settings.assemblyai_usd_per_hour / 6
    tight = settings.model_copy(update={"daily_budget_usd": 3.5 * each})
    assert budget.dollars(tight, today()).reserve(1.2 * each)
    assert run(episodes(5), tight) == {"ok": 2, "skipped_budget": 3}
    assert budget.dollars(tight, today()).spent <= tight.daily_budget_usd
    assert budget.audio_hours(tight, today()).spent == pytest.approx(2 / 6)


def test_runs_at_the_same_time_never_pass_a_cap_together(server, settings, monkeypatch):
    monkeypatch.setattr(work, "IN_FLIGHT", 2)
    tight = settings.model_copy(update={"daily_audio_hours": 1.0})
    shares = [[e for n, e in enumerate(episodes(16)) if n % 4 == share] for share in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda share: run(share, tight), shares))
    assert sum(summary.get("ok", 0) for summary in done) == 6
    assert len(server.created) == 6


def test_what_failed_frees_what_was_reserved_for_it(server, settings, monkeypatch):
    server.error_of = lambda url: "silent"
    tight = settings.model_copy(update={"daily_audio_hours": 0.2})
    monkeypatch.setattr(work, "IN_FLIGHT", 1)
    assert run(episodes(3), tight) == {"failed": 3}
    assert budget.audio_hours(tight, today()).spent == 0


def test_a_recording_longer_than_its_feed_says_counts_as_long_as_it_is(server, settings, monkeypatch):
    server.seconds_of = lambda url: 7200
    tight = settings.model_copy(update={"daily_audio_hours": 1.0})
    monkeypatch.setattr(work, "IN_FLIGHT", 1)
    assert run(episodes(3), tight) == {"ok": 1, "skipped_budget": 2}


def test_the_local_model_leaves_alone_what_the_service_has_and_takes_what_it_failed_at(server, settings):
    server.error_of = lambda url: "silent" if "001" in url else None
    wanted = episodes(3)
    run(wanted[:2], settings)
    assert [job.episode_id for job in Queue(LOCAL, wanted, settings).waiting()] == ["e001", "e002"]


# Waiting


def trigger(ids, **changes):
    return AssemblyAITrigger(ids, **{"enough": 1, "end_time": datetime.now(UTC).timestamp() + 60, **changes})


def test_the_trigger_ends_at_its_deadline_on_the_wall_clock(server):
    server.polls = 10**9
    made = AssemblyAIHook().submit("https://media.example/a.mp3")
    event = first_event(trigger([made], end_time=datetime.now(UTC).timestamp() + 0.1))
    assert event["status"] == "timeout"


def test_the_trigger_stops_where_the_key_is_refused_and_where_a_transcript_is_gone(server, monkeypatch):
    made = AssemblyAIHook().submit("https://media.example/a.mp3")
    gone = "00000000-0000-4000-8000-000000000000"
    assert first_event(trigger([gone, made]))["ended"] == [gone]
    monkeypatch.setenv("AIRFLOW_CONN_ASSEMBLYAI_DEFAULT", server.connection().replace(KEY, "wrong"))
    assert first_event(trigger([made]))["status"] == "refused"


def test_a_triggerer_that_stops_deletes_nothing_and_a_task_that_was_given_up_deletes_its_transcripts(server):
    server.polls = 10**9
    made = AssemblyAIHook().submit("https://media.example/a.mp3")

    async def interrupted():
        waiting = trigger([made])
        task = asyncio.create_task(anext(waiting.run()))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await waiting.cleanup()

    asyncio.run(interrupted())
    assert server.deleted == []
    asyncio.run(trigger([made]).on_kill())
    assert server.deleted == [made]


def test_what_was_deleted_at_the_service_is_a_cancelled_try(server, settings):
    server.polls = 10**9
    with pytest.raises(TaskDeferred):
        AssemblyAITranscriptionOperator(
            task_id="t", recordings=lambda context: Queue(ASSEMBLYAI, episodes(1), settings)
        ).execute({})
    AssemblyAIHook().delete(next(iter(server.transcripts)))
    assert run(episodes(1), settings) == {"cancelled": 1}


def test_the_double_holds_requests_against_the_specification(server):
    if not SPECIFICATION.is_file():
        pytest.skip("the service's specification is not at hand")
    AssemblyAIHook()._patiently(
        "POST", "/v2/transcript", json={"audio_url": "https://a.example/x", "speech_models": "u"}
    )
    request, _ = server.violations
    server.violations.clear()
    assert "'u' is not of type 'array'" in request


# The steps of the chain


@pytest.fixture
def chain_settings(tmp_path, monkeypatch, server):
    """The settings as the steps read them, for a warehouse of two days: two recordings each, half an hour a day."""
    with environment(tmp_path, PODCAST_TRANSCRIBER="assemblyai", PODCAST_DAILY_AUDIO_HOURS="0.5"):
        with open_warehouse() as connection:
            rows = [
                {
                    "episode_id": f"{day.day}-{number}",
                    "partition_date": day,
                    "show_title": "By ear",
                    "title": f"Of {day}",
                    "audio_url": f"https://media.example/{day}/{number}.mp3",
                    "duration_seconds": 600,
                    "published_at": datetime.combine(day, time(12 - number)),
                    "transcripts": "[]",
                    "language": "en",
                }
                for day in (DAY - timedelta(days=1), DAY)
                for number in range(2)
            ]
            append(connection, "raw.episodes", rows)
        yield settings_of_process()


def transcribe(day: date) -> dict:
    """The steps of `transcribe_episodes`, in their order."""
    key = str(day)
    steps.list_missing_transcripts(key)
    steps.fetch_transcripts(key)
    queue = steps.queue_of(ASSEMBLYAI, key)
    run(list(queue._wanted.values()), settings_of_process())
    steps.transcribe_locally(key)
    return steps.land_transcripts(key)


def test_what_a_day_leaves_out_is_taken_up_by_the_next_days_run_in_its_own_day(chain_settings, monkeypatch, server):
    budget.audio_hours(chain_settings, today()).reserve(0.3)
    landed = transcribe(DAY - timedelta(days=1))
    assert (landed["ok"], landed["skipped_budget"], landed["taken_up"]) == (1, 1, [])
    assert statuses() == {"14-0": "ok", "14-1": "skipped_budget"}
    tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    monkeypatch.setattr(queue, "_now", lambda: tomorrow)
    assert transcribe(DAY)["taken_up"] == ["2026-01-14"]
    assert statuses() == dict.fromkeys(("14-0", "14-1", "15-0", "15-1"), "ok")
    assert server.created[1:] == [f"https://media.example/2026-01-{name}.mp3" for name in ("15/0", "15/1", "14/1")]
    with open_warehouse() as connection:
        days = connection.execute("select episode_id, partition_date from raw.transcripts order by all").fetchall()
    assert days[1] == ("14-1", DAY - timedelta(days=1))


def test_a_rerun_transcribes_nothing_again_and_changes_no_row(chain_settings, server):
    transcribe(DAY)
    before = every_table(chain_settings)
    transcribe(DAY)
    assert every_table(chain_settings) == before
    assert len(server.created) == 2


def every_table(settings):
    with open_warehouse() as connection:
        mirror.bring(connection, store.of(settings))
    return tables(settings.warehouse, ("raw", "ops"))


def test_an_episode_that_left_the_feed_and_came_back_is_not_transcribed_again(chain_settings, server):
    transcribe(DAY)
    with open_warehouse() as connection:
        connection.execute("create table kept as from raw.episodes where episode_id = '15-0'")
        connection.execute("delete from raw.episodes where episode_id = '15-0'")
    transcribe(DAY)
    assert "15-0" not in statuses()
    with open_warehouse() as connection:
        connection.execute("insert into raw.episodes from kept")
        connection.execute("drop table kept")
    transcribe(DAY)
    assert statuses()["15-0"] == "ok"
    assert len(server.created) == 2


def test_every_try_is_a_row_with_source_hours_and_cost(chain_settings, server):
    server.error_of = lambda url: "silent" if "15/1" in url else None
    transcribe(DAY)
    with open_warehouse() as connection:
        mirror.bring(connection, store.of(chain_settings))
        tries = connection.execute(
            """
            select episode_id, source, tries, status, round(hours, 3), round(cost_usd, 3), job_id is not null, error
            from ops.transcription_jobs where partition_date = '2026-01-15' order by all
            """
        ).fetchall()
    offers = "the publisher offers no transcript"
    assert tries == [
        ("15-0", "assemblyai", 1, "ok", 0.167, 0.045, True, None),
        ("15-0", "publisher", 1, "none", None, 0.0, False, offers),
        ("15-1", "assemblyai", 1, "failed", 0.0, 0.0, True, "AssemblyAI could not transcribe it: silent"),
        ("15-1", "publisher", 1, "none", None, 0.0, False, offers),
    ]


def statuses() -> dict[str, str]:
    with open_warehouse() as connection:
        return dict(connection.execute("select episode_id, status from raw.transcripts").fetchall())


# What is landed


def test_an_episode_whose_publisher_failed_goes_on_to_the_service_and_both_are_told(server, settings):
    (episode,) = episodes(1)
    published = Transcript("e000", "failed", error="https://a.example/t.vtt: the server answered 404 Not Found")
    run([episode], settings)
    landed = outcome(episode, published, list(jobs(settings).values()))
    assert (landed.status, landed.source, landed.error) == ("ok", "assemblyai", None)
    assert (landed.publisher_status, landed.publisher_error) == ("failed", published.error)
    assert len(landed.segments) == 4


def test_an_episode_left_out_says_so_with_every_source(settings):
    (episode,) = episodes(1)
    tight = settings.model_copy(update={"daily_audio_hours": 0.0})
    for source in (ASSEMBLYAI, LOCAL):
        assert Queue(source, [episode], tight).take() is None
    kept = every_job(tight)
    landed = outcome(episode, Transcript("e000", "none", error="the publisher offers no transcript"), kept)
    assert landed.status == "skipped_budget"
    assert landed.error.startswith("publisher: the publisher offers no transcript; assemblyai: left out")
