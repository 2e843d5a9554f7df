"""Opening the warehouse: who else has it open is said and waited for, and a file that is none is said to be none."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import tenacity
from pydantic import ValidationError

from include.pipeline.hopeless import is_hopeless
from include.settings import Settings, settings
from include.warehouse import database
from include.warehouse.database import UnusableWarehouse, WarehouseHeld, open_warehouse
from include.warehouse.publication import open_copy, publish

HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads")
print("open", flush=True)
time.sleep(float(sys.argv[3]))
"""


pytestmark = pytest.mark.usefixtures("data_dir")


def held(file: Path, how: str, seconds: float) -> subprocess.Popen:
    arguments = [sys.executable, "-c", HOLD, str(file), how, str(seconds)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"open\n"
    return process


@pytest.mark.parametrize("how", ["reads", "writes"])
def test_a_file_that_somebody_has_open_is_waited_for_and_said_to_be_theirs(data_dir, how, caplog):
    with open_warehouse():
        pass
    holder = held(data_dir / "warehouse.duckdb", how, 3)
    with caplog.at_level(logging.WARNING), open_warehouse() as connection:
        assert connection.execute("select count(*) from raw.episodes").fetchone() == (0,)
    (said, *_) = [record.message for record in caplog.records]
    assert f"(PID {holder.pid})" in said
    assert str(settings().published) in said
    assert "goes on by itself" in said


def test_a_file_that_is_not_let_go_is_said_to_be_held_and_by_whom(data_dir, monkeypatch):
    with open_warehouse():
        pass
    holder = held(data_dir / "warehouse.duckdb", "writes", 60)
    monkeypatch.setattr(database._connect.retry, "stop", tenacity.stop_after_attempt(2))
    with pytest.raises(WarehouseHeld, match=rf"PID {holder.pid}.*published") as failure, open_warehouse():
        pass
    holder.kill()
    assert not is_hopeless(failure.value)


@pytest.mark.parametrize("spoil", ["empty", "head", "half", "last page", "foreign", "sqlite", "folder", "bits"])
def test_a_damaged_or_foreign_file_is_said_to_be_that_at_once_and_stays_as_it_is(data_dir, spoil):
    file = data_dir / "warehouse.duckdb"
    with open_warehouse() as connection:
        connection.execute("create table raw.much as select range as i, repeat('x', 50) from range(50000)")
    whole = file.read_bytes()
    bits = bytearray(whole)
    bits[12_288:14_000] = os.urandom(14_000 - 12_288)
    content = {
        "empty": b"",
        "head": whole[:5000],
        "half": whole[: len(whole) // 2],
        "last page": whole[:-1000],
        "foreign": b"hello\n" * 5000,
        "sqlite": b"SQLite format 3\0" + bytes(9000),
        "bits": bytes(bits),
    }.get(spoil)
    file.unlink()
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(UnusableWarehouse, match="backup") as failure, open_warehouse() as connection:
        connection.execute("select sum(i), max(#2) from raw.much")
    assert str(file) in str(failure.value)
    assert is_hopeless(failure.value)
    assert content is None or file.read_bytes() == content


@pytest.mark.parametrize("odd", ["a?b", "a#b", "a;b", "a$b", "a%20b", "{{ a }}", 'a"b', "a\\b", "a\nb"])
def test_a_data_directory_that_duckdb_dbt_or_airflow_would_misread_is_refused_by_name(monkeypatch, odd):
    monkeypatch.setenv("PODCAST_DATA_DIR", f"/somewhere/{odd}")
    with pytest.raises(ValidationError, match="choose a folder without"):
        Settings()


@pytest.mark.parametrize("plain", ["it's here", "müller & söhne", "a [b] (c), d=e", "~x*y:z@!"])
def test_a_data_directory_with_other_signs_works(data_dir, plain):
    folder = data_dir / plain
    with open_warehouse(folder / "warehouse.duckdb") as connection:
        connection.execute("create schema marts; create table marts.one as select 1 as i")
    with open_copy(publish(folder / "warehouse.duckdb", folder / "published" / "podcasts.duckdb")) as copy:
        assert copy.execute("select i from marts.one").fetchone() == (1,)


def test_an_error_that_has_nothing_to_do_with_the_file_is_told_as_it_is():
    with pytest.raises(duckdb.CatalogException, match="nowhere"), open_warehouse() as connection:
        connection.execute("select * from nowhere")
