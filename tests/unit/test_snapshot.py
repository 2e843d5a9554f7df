"""The warehouse's file as a whole."""

import duckdb
import pytest

from include.settings import settings
from include.state.store import Store
from include.state.tables import deliveries, llm_calls, transcription_jobs
from include.upkeep.backup import state_rows
from include.warehouse import snapshot
from include.warehouse.database import append, open_warehouse

SAID = "The harbour moved ninety containers an hour "


@pytest.fixture
def warehouse(data_dir):
    with open_warehouse() as connection:
        connection.execute(
            f"""
            pragma force_compression = 'uncompressed';
            insert into raw.transcript_segments (episode_id, segment_index, text)
            select 'e', number, '{SAID}' || md5(number::varchar) from range(100_000) as numbers (number);
            create table ops.old as from raw.transcript_segments;
            comment on table raw.transcript_segments is 'What was said.';
            create view ops.said as select without_secrets(text) as text from raw.transcript_segments;
            """
        )
    with open_warehouse() as connection:
        connection.execute("delete from raw.transcript_segments where segment_index > 10; drop table ops.old")
    return settings().warehouse


def test_what_was_deleted_is_in_the_file_until_it_is_made_compact_and_all_else_is_there_after(warehouse):
    assert SAID.encode() in warehouse.read_bytes()
    assert snapshot.free_share(warehouse) > 0.25
    with open_warehouse() as connection:
        connection.execute("delete from raw.transcript_segments where segment_index > 0")
        before = connection.execute("select view_name, sql from duckdb_views() order by all").fetchall()

    size, now = snapshot.compact(warehouse)

    assert now < size / 2
    assert warehouse.read_bytes().count(SAID.encode()) <= 1
    assert not warehouse.with_suffix(".compact").exists()
    with open_warehouse() as connection:
        assert connection.execute("from ops.said").fetchone()[0].startswith(SAID)
        assert connection.execute("select view_name, sql from duckdb_views() order by all").fetchall() == before
        assert connection.execute(
            "select comment from duckdb_tables() where table_name = 'transcript_segments'"
        ).fetchone() == ("What was said.",)
        append(connection, "raw.mirrored", [{"brought_at": None}])


def test_a_copy_is_taken_while_the_warehouse_is_open_and_does_not_let_go_of_it(warehouse, tmp_path):
    with open_warehouse() as connection:
        append(connection, "raw.days_to_derive", [{"model": "one"}])
        rows = snapshot.take(warehouse, tmp_path / "copy.duckdb")
        append(connection, "raw.days_to_derive", [{"model": "two"}])
    assert rows['raw."days_to_derive"'] == 1
    assert rows == snapshot.counted(tmp_path / "copy.duckdb")


def test_damage_is_found_by_reading(warehouse, tmp_path):
    snapshot.compact(warehouse)
    content = bytearray(warehouse.read_bytes())
    for place in range(20_000, len(content), 100_000):
        content[place] ^= 255
    (tmp_path / "damaged.duckdb").write_bytes(content)
    with pytest.raises(duckdb.Error):
        snapshot.counted(tmp_path / "damaged.duckdb")


def test_the_state_of_either_database_is_copied_into_a_file_and_nothing_stays_of_deleted_rows(state, tmp_path):
    from datetime import datetime

    with state.writing() as connection:
        for number in range(3):
            row = {"call_key": f"k{number}", "status": "ok", "answer": SAID, "changed_at": datetime(2026, 1, 15)}
            connection.execute(llm_calls.insert().values(row))
        connection.execute(
            deliveries.insert().values(
                digest_date=datetime(2026, 1, 15).date(),
                recipient="ann",
                status="sent",
                changed_at=datetime(2026, 1, 15),
            )
        )
    file = tmp_path / "copy.db"
    copy = Store(f"sqlite:///{file}", tmp_path / "nothing")
    state.copy_to(copy)

    counts = state_rows(file)
    assert (counts["state.llm_calls"], counts["state.deliveries"]) == (3, 1)
    with copy.writing() as connection:
        connection.execute(llm_calls.delete())
    copy.compact(transcription_jobs, llm_calls)
    copy.close()
    assert SAID.encode() not in file.read_bytes()
    state.compact(transcription_jobs, llm_calls)
