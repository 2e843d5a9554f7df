"""The operational state: how it is made and brought to this version, and whose turn it is, in either database."""

import multiprocessing
import os
import signal
import threading
import time
from datetime import timedelta

import psutil
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, OperationalError

from include.models.budget import Budget
from include.models.calls import Call, CallStore
from include.settings import Settings
from include.state import store, turns
from include.state.store import Store, UnusableState
from include.state.tables import metadata
from tests.postgres import needs_postgres


def test_the_migrations_make_the_tables_that_the_code_knows(state):
    with state.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_twenty_processes_that_find_no_state_make_one(state, together):
    def use(number):
        with state.writing() as connection:
            connection.execute(text("insert into turns values (:n, 'p', '2026-01-15')"), {"n": str(number)})

    together(use)

    with state.reading() as connection:
        assert connection.scalar(text("select count(*) from turns")) == 20
        assert connection.scalar(text("select count(*) from alembic_version")) == 1


def test_a_state_that_a_later_version_has_used_is_left_alone(tmp_path):
    with store.at(tmp_path).writing() as connection:
        connection.execute(text("update alembic_version set version_num = 'v999'"))
    with (
        pytest.raises(UnusableState, match="is of version v999"),
        Store(f"sqlite:///{tmp_path}/state.db", tmp_path).reading(),
    ):
        pass


def test_a_database_that_cannot_keep_it_is_refused_without_its_password(tmp_path):
    at = Settings(data_dir=tmp_path, state_url="mysql://me:hush@nowhere/x")
    with pytest.raises(UnusableState, match="PODCAST_STATE_URL names mysql") as refused, store.of(at).reading():
        pass
    assert "hush" not in str(refused.value) + repr(at)


@needs_postgres
def test_what_the_file_kept_moves_to_postgresql_when_that_is_named_and_nowhere_twice(tmp_path, postgres_url, together):
    Budget(1.0, store.at(tmp_path)).reserve(0.7, "mine")
    CallStore(store.at(tmp_path)).put(_answered("kept"))
    named = Store(postgres_url, tmp_path)

    assert together(lambda _: CallStore(named).get("k").answer) == ["kept"] * 20
    assert Budget(1.0, named).spent == 0.7
    assert [file.name for file in tmp_path.iterdir()] == ["state.moved"]


def test_what_a_killed_process_had_begun_to_write_is_not_there_and_keeps_nobody_waiting(state):
    def begin():
        with state.writing() as connection:
            connection.execute(text("insert into turns values ('half', 'p', '2026-01-15')"))
            os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=begin)
    process.start()
    process.join()

    with state.writing() as connection:
        assert connection.scalar(text("select count(*) from turns")) == 0


def test_processes_that_are_forked_while_the_state_is_read_have_connections_of_their_own(state, together):
    with state.reading() as connection:
        assert connection.scalar(text("select count(*) from reservations")) == 0
        together(lambda _: Budget(5.0, state).reserve(0.1))
        assert connection.scalar(text("select count(*) from reservations")) == 0
    assert Budget(5.0, state).spent == pytest.approx(2.0)


@needs_postgres
def test_a_server_that_is_away_for_a_moment_is_waited_for(postgres_server, postgres_url, tmp_path):
    state, name = Store(postgres_url, tmp_path), postgres_url.rpartition("/")[2]
    Budget(1.0, state).reserve(0.4)
    with psycopg.connect(f"{postgres_server}/tests", autocommit=True) as server:
        server.execute(f"alter database {name} allow_connections false")
        server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
        back = threading.Timer(1, lambda: server.execute(f"alter database {name} allow_connections true"))
        back.start()
        assert Budget(1.0, state).reserve(0.5)
        back.join()
    assert Budget(1.0, state).spent == pytest.approx(0.9)


@needs_postgres
def test_a_server_that_refuses_is_not_asked_again_and_the_password_stays_secret(postgres_url, tmp_path):
    state = Store(postgres_url.replace("secret", "wrong-one"), tmp_path)
    with pytest.raises(OperationalError, match="authentication failed") as refused, state.reading():
        pass
    assert "wrong-one" not in str(refused.value)


# Turns


def test_of_twenty_processes_one_has_the_turn(state, together):
    assert sorted(together(lambda _: turns.take(state, "it"))) == [False] * 19 + [True]


def test_a_turn_may_be_taken_again_by_who_has_it_and_is_free_once_left(state, together):
    assert turns.take(state, "it")
    assert turns.take(state, "it")
    assert not any(together(lambda _: turns.take(state, "it"), processes=2))
    with state.writing() as connection:
        turns.leave(connection, "it")
    assert any(together(lambda _: turns.take(state, "it"), processes=2))


def test_the_turn_of_a_process_that_is_gone_goes_to_the_next_one(state, together):
    assert together(lambda _: turns.take(state, "it"), processes=1) == [True]
    assert turns.take(state, "it")


def test_the_turn_of_a_process_that_nobody_has_taken_leave_of_goes_to_the_next_one(state):
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(write, b"1" if turns.take(state, "it") else b"0")
        os._exit(0)
    assert os.read(read, 1) == b"1"
    while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert turns.take(state, "it")
    os.waitpid(pid, 0)


def test_the_turn_of_a_process_of_this_machine_lasts_as_long_as_it_is_at_work(state, together, monkeypatch):
    monkeypatch.setattr(turns, "LASTING", timedelta(0))
    assert turns.take(state, "it")
    assert together(lambda _: turns.take(state, "it"), processes=1) == [False]


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_is_set_gives_nobody_the_turn_of_another(state, together, monkeypatch, hours):
    booted = psutil.boot_time()
    assert turns.take(state, "it")
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: booted + hours * 3600)
    monkeypatch.setattr(turns, "now", lambda: store.now() + timedelta(hours=hours))
    assert together(lambda _: turns.take(state, "it"), processes=1) == [False]


def test_the_turn_of_a_process_of_another_machine_lapses(state, monkeypatch):
    with state.writing() as connection:
        later = store.now() + timedelta(minutes=5)
        connection.execute(turns.turns.insert().values(what="it", process="elsewhere 1 0.00", until=later))
    assert not turns.take(state, "it")
    monkeypatch.setattr(turns, "now", lambda: later + timedelta(seconds=1))
    assert turns.take(state, "it")


# Answers of chat models


def test_a_question_that_twenty_processes_have_is_asked_once_and_all_get_the_answer(state, together):
    def ask(number):
        calls = CallStore(state)
        if known := calls.get("k"):
            return known.answer
        time.sleep(0.3)
        calls.put(_answered(str(number)))
        return f"asked {number}"

    said = together(ask)
    (asked,) = (one for one in said if one.startswith("asked"))
    assert sorted(said) == sorted([asked, *[asked.removeprefix("asked ")] * 19])


def test_a_question_that_a_killed_process_had_is_asked_by_the_next(state, together):
    assert together(lambda _: CallStore(state).get("k"), processes=1) == [None]
    assert CallStore(state).get("k") is None


def test_a_question_that_was_not_asked_after_all_is_asked_by_the_next(state, together):
    calls = CallStore(state)
    assert calls.get("k") is None
    calls.leave("k")
    assert together(lambda _: calls.get("k"), processes=1) == [None]


@pytest.mark.parametrize(("said", "kept"), [("a\0b", "a\ufffdb"), ("a\ud800b", "a?b"), ("é" * 10**6, "é" * 10**6)])
def test_whatever_a_model_answered_is_kept(state, said, kept):
    CallStore(state).put(_answered(said))
    assert CallStore(state).get("k").answer == kept


def _answered(text: str) -> Call:
    return Call(
        call_key="k",
        subject_id="e1",
        task="extract",
        provider_model="openai:m",
        prompt_version="v1",
        status="ok",
        answer=text,
        called_at=store.now(),
    )


def test_what_is_no_database_is_told_as_an_error_of_the_state(tmp_path):
    (tmp_path / "state.db").write_bytes(b"no database" * 1_000)
    with (
        pytest.raises(DatabaseError, match="not a database"),
        Store(f"sqlite:///{tmp_path}/state.db", tmp_path).reading(),
    ):
        pass
