"""The analysts' copy says what each of its tables means, and can be searched."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from include.warehouse.database import append, open_warehouse
from include.warehouse.publication import open_copy, publish

pytestmark = pytest.mark.usefixtures("data_dir")

DAY, LATER = date(2026, 1, 14), date(2026, 1, 15)

SAID = [
    (DAY, "e1", 0, "Ines", "Heat pumps are what the street asked for."),
    (DAY, "e1", 1, None, "A pump, one pump, and the pumped water: pump after pump."),
    (DAY, "e1", 2, None, "Nothing of the kind was said by anyone, and it took a very long while to say so."),
    (LATER, "e2", 0, "Tobias", "ÉLYSÉE, c'est loin. The impumpable don't count."),
    (LATER, "e2", 1, "Tobias", "The heat of the oven."),
]


@pytest.fixture
def copy(data_dir: Path):
    with open_warehouse(data_dir / "warehouse.duckdb") as connection:
        connection.execute(
            """
            create schema marts;
            create table marts.episodes as from (values ('e1', 'Harbour', 'One'), ('e2', 'Kettle', 'Two'))
                as t (episode_id, show_title, title);
            create view marts.segments as
                select episode_id, segment_index, speaker, start_seconds, text, partition_date
                from raw.transcript_segments;
            comment on view marts.segments is 'What was said, by ''whom''.'
            """
        )
        append(connection, "raw.transcript_segments", [
            {"partition_date": day, "episode_id": episode, "segment_index": index, "speaker": speaker, "text": text}
            for day, episode, index, speaker, text in SAID
        ])  # fmt: skip
    with open_copy(publish(data_dir / "warehouse.duckdb", data_dir / "published" / "podcasts.duckdb")) as connection:
        yield connection


def found(copy: duckdb.DuckDBPyConnection, *wanted: object) -> list[tuple[str, int]]:
    days = [f"{name} := ${i + 2}" for i, name in enumerate(("first_day", "last_day")[: len(wanted) - 1])]
    query = f"select episode_id, segment_index from marts.search_segments({', '.join(['$1', *days])})"
    return copy.execute(query, list(wanted)).fetchall()


def test_every_table_and_column_of_ops_is_described(copy):
    assert copy.execute("select count(*) from duckdb_tables() where schema_name = 'ops'").fetchone()[0] >= 9
    assert not copy.execute(
        """
        select table_name, null from duckdb_tables() where schema_name = 'ops' and coalesce(comment, '') = ''
        union all
        select table_name, column_name from duckdb_columns() where schema_name = 'ops' and coalesce(comment, '') = ''
        """
    ).fetchall()


def test_what_dbt_says_of_a_view_stands_at_the_table_that_it_becomes(copy):
    said = copy.execute("select comment from duckdb_tables() where table_name = 'segments'").fetchall()
    assert said == [("What was said, by 'whom'.",)]


def test_a_search_finds_words_by_how_they_begin_and_the_one_that_says_it_most_comes_first(copy):
    assert found(copy, "pump") == [("e1", 1), ("e1", 0)]


def test_what_holds_more_of_the_words_and_the_rarer_ones_comes_first(copy):
    assert found(copy, "heat, PUMPS!")[0] == ("e1", 0)
    assert set(found(copy, "heat, PUMPS!")) == {("e1", 0), ("e2", 1)}


def test_a_search_keeps_to_the_days_that_are_asked_for(copy):
    assert found(copy, "heat", LATER) == [("e2", 1)]
    assert found(copy, "heat", DAY, DAY) == [("e1", 0)]


def test_a_search_knows_letters_of_other_languages(copy):
    assert found(copy, "élysée") == [("e2", 0)]


@pytest.mark.parametrize("odd", ["", " ?!", "(", "a|b(", r"\p", ".*", "'; drop table x; --", None])
def test_whatever_is_typed_is_words_and_no_pattern(copy, odd):
    assert found(copy, odd) in ([], found(copy, "a b"), found(copy, "p"), found(copy, "drop table x"))
