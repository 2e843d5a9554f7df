"""What tests of what is kept in the state need."""

import multiprocessing
import socket
import uuid
from contextlib import closing

import psycopg
import pytest

from include.state import store
from include.state.store import Store
from tests.postgres import needs_postgres, postgres


@pytest.fixture(autouse=True)
def _files_do_not_stay_open():
    """Of hundreds of states, one a test."""
    yield
    store.close_idle()


@pytest.fixture(scope="session")
def postgres_server():
    """Where a PostgreSQL server takes connections, without the name of a database."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with postgres(port, "tests", "secret", "tests"):
        yield f"postgresql://tests:secret@127.0.0.1:{port}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def state(request, tmp_path):
    """An empty state in each of the databases that may keep it."""
    if request.param == "sqlite":
        return Store(f"sqlite:///{tmp_path}/state.db", tmp_path)
    return Store(request.getfixturevalue("postgres_url"), tmp_path)


@pytest.fixture
def postgres_url(postgres_server):
    """The address of an empty database."""
    name = f"s{uuid.uuid4().hex}"
    with psycopg.connect(f"{postgres_server}/tests", autocommit=True) as server:
        server.execute(f"create database {name}")
        yield f"{postgres_server.replace(':', '+psycopg:', 1)}/{name}"
        server.execute(f"drop database {name} with (force)")


@pytest.fixture
def together():
    """Runs `work(number)` in twenty processes that begin at one moment and live until all are through; what each of
    them returned."""

    def run(work, processes=20):
        context = multiprocessing.get_context("fork")
        results, barrier = context.Queue(), context.Barrier(processes)

        def one(number):
            barrier.wait()
            try:
                results.put(work(number))
            except BaseException as error:
                results.put(error)
            barrier.wait()

        running = [context.Process(target=one, args=(number,)) for number in range(processes)]
        for process in running:
            process.start()
        said = [results.get(timeout=120) for _ in running]
        for process in running:
            process.join()
        assert not [one for one in said if isinstance(one, BaseException)], said
        return said

    return run
