"""An installation of before there was a state opens in this version: nothing is lost, sent again or paid again.

`before_the_state.tar.xz` is what such a version left: the sample's day read with a double of a chat model, mails in
each state that waits, recordings and answers that were not landed yet, and a job's file that was cut short.
"""

import multiprocessing
import os
import signal
import tarfile
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path

import duckdb
import pytest

from include.delivery.mail import Letter
from include.delivery.sending import DeliveryError, deliver
from include.delivery.transports import Outbox
from include.digest.recipients import Recipient
from include.models.budget import AUDIO_HOURS, USD, Budget
from include.models.calls import CallStore
from include.state import earlier as taking_over
from include.state.tables import budgets
from include.transcripts.jobs import JobStore
from include.warehouse import mirror
from include.warehouse.database import open_warehouse, records

DAY = date(2026, 1, 15)
TABLES = ("raw.llm_calls", "raw.transcription_jobs", "ops.deliveries", "ops.sent_insights")


@pytest.fixture
def earlier(tmp_path) -> dict[str, list[dict]]:
    """The tables as the version before left them in its data directory."""
    with tarfile.open(Path(__file__).with_name("before_the_state.tar.xz")) as archive:
        archive.extractall(tmp_path, filter="data")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        return {table: records(connection, f"from {table} order by all") for table in TABLES}


def mirrored(state, folder) -> dict[str, list[dict]]:
    with open_warehouse(folder / "warehouse.duckdb") as connection:
        mirror.bring(connection, state)
        return {table: records(connection, f"from {table} order by all") for table in TABLES}


def test_analysts_find_all_that_was_there_and_what_was_not_landed_yet(earlier, state, tmp_path):
    now = mirrored(state, tmp_path)

    assert [row for table in TABLES for row in earlier[table] if row not in now[table]] == []
    assert {table: len(now[table]) - len(earlier[table]) for table in TABLES} == {
        "raw.llm_calls": 3,
        "raw.transcription_jobs": 4,
        "ops.deliveries": 0,
        "ops.sent_insights": 0,
    }
    assert mirrored(state, tmp_path) == now


def test_no_question_that_was_answered_is_asked_again(earlier, state):
    calls = CallStore(state)
    answered = {row["call_key"]: row["answer"] for row in earlier["raw.llm_calls"]}
    answered |= {"f" * 24: '{"claims": []}', "d" * 24: '{"verdict": "same"}'}

    assert {key: call.answer for key in answered if (call := calls.get(key))} == answered
    assert calls.get("e" * 24) is None, "it was left out for want of money"


def test_what_is_in_work_or_was_heard_is_known(earlier, state, tmp_path):
    with open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        episodes = [row["episode_id"] for row in records(connection, "select episode_id from raw.episodes")]
    jobs = [job for kept in JobStore(state).of_episodes(episodes).values() for job in kept]
    at_the_service = {job.status: job for job in jobs if job.source == "assemblyai"}

    assert at_the_service["submitted"].service_id == "t-0001"
    assert at_the_service["intended"].sent_url == "https://media.example/2.mp3"
    assert [segment.text for segment in at_the_service["ok"].segments] == [
        "The harbour moved ninety containers an hour."
    ]
    assert at_the_service["ok"].marks == ("few_words",)


def test_a_recording_whose_job_was_damaged_is_left_alone_and_it_is_said_what_to_do(earlier, state):
    job = JobStore(state).get("0123456789abcdef01234567")
    assert job.status == "intended"
    assert "Look in the service's list" in job.error


def test_what_was_spent_and_reserved_counts(earlier, state):
    assert Budget(5.0, state, USD, DAY).spent == pytest.approx(0.25 + 0.135 + 0.135)
    assert Budget(5.0, state, AUDIO_HOURS, DAY).spent == pytest.approx(0.5 + 0.5 + 0.4)
    assert Budget(0.6, state, USD, DAY).reserve(0.1) is None
    with state.reading() as connection:
        assert len(connection.execute(budgets.select()).all()) == 4


def test_no_mail_is_sent_again_and_those_that_wait_are_sent(earlier, state, tmp_path):
    def write(recipient, told):
        message = EmailMessage()
        message["From"], message["To"] = "insights@example.com", recipient.address
        return Letter(message)

    readers = [Recipient(f"{name}@example.com") for name in ("reader", "refused", "doubt", "later", "hour")]
    outbox = Outbox(tmp_path / "new")
    for _ in range(2):
        with pytest.raises(DeliveryError, match=r"not known whether .* reached doubt@example\.com"):
            deliver(state, DAY, readers, "insights@example.com", outbox, write, datetime(2026, 1, 16, 13, tzinfo=UTC))
        sent = {file.name for file in outbox.folder.iterdir()}
        assert sent == {"2026-01-15-later@example.com.eml", "2026-01-15-hour@example.com.eml"}


def test_the_files_that_were_taken_over_are_gone(earlier, state, tmp_path):
    with state.reading():
        assert list((tmp_path / "landing").iterdir()) == []


@pytest.mark.parametrize("moment", ["_take_over_ledger", "remove"])
def test_a_start_that_is_killed_on_the_way_is_begun_again(earlier, state, tmp_path, monkeypatch, moment):
    def start_and_be_killed():
        monkeypatch.setattr(taking_over, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        with state.reading():
            pass

    process = multiprocessing.get_context("fork").Process(target=start_and_be_killed)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert (tmp_path / "landing" / "transcription_jobs").exists()

    test_what_was_spent_and_reserved_counts(earlier, state)
    test_no_question_that_was_answered_is_asked_again(earlier, state)
    test_what_is_in_work_or_was_heard_is_known(earlier, state, tmp_path)
    test_analysts_find_all_that_was_there_and_what_was_not_landed_yet(earlier, state, tmp_path)
    test_the_files_that_were_taken_over_are_gone(earlier, state, tmp_path)
