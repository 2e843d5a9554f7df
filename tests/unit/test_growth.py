"""What keeps a day's cost the same whatever the history: notes of what changed, and what is carried on from before."""

from datetime import date, timedelta
from types import SimpleNamespace

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from include.settings import settings
from include.warehouse import partition, publication
from include.warehouse.database import append, noting_changes, open_warehouse
from include.warehouse.partition import Days

DAYS = [date(2026, 1, 1) + timedelta(number) for number in range(120)]
SCORES = "create schema marts; create table marts.scores (claim_id varchar, score integer, partition_date date)"


def noted(connection, *rows: tuple[str, date]) -> None:
    append(connection, "raw.days_to_derive", [{"model": m, "first_day": d, "last_day": d} for m, d in rows])


def test_of_a_landing_only_the_days_on_which_rows_changed_are_noted(data_dir):
    with open_warehouse() as connection:
        rows = [{"claim_id": str(day), "partition_date": day, "score": 1.0} for day in DAYS]
        append(connection, "raw.claim_scores", rows)
        with noting_changes(connection, DAYS[3], "raw.claim_scores"):
            connection.execute("delete from raw.claim_scores where partition_date = $day", {"day": DAYS[5]})
            connection.execute("update raw.claim_scores set score = 2 where partition_date = $day", {"day": DAYS[7]})
            connection.execute("update raw.claim_scores set score = 1 where partition_date = $day", {"day": DAYS[8]})
        found = connection.execute("from raw.days_to_derive order by all").fetchall()
    assert found == [("raw.claim_scores", DAYS[5], DAYS[5]), ("raw.claim_scores", DAYS[7], DAYS[7])]


@pytest.mark.parametrize(
    ("is_incremental", "model", "reach", "days"),
    [
        (True, "some", None, Days(DAYS[3], DAYS[9])),
        (True, "some", 30, Days(DAYS[3], DAYS[39])),
        (True, "open", 30, Days(DAYS[3], date.max)),
        (True, "other", None, Days(date.min, date.max)),
        (False, "some", None, Days(date.min, date.max)),
    ],
)
def test_a_model_derives_what_was_noted_and_what_depends_on_it(is_incremental, model, reach, days):
    connection = duckdb.connect()
    connection.execute("create table noted (model varchar, first_day date, last_day date)")
    connection.executemany("insert into noted values (?, ?, ?)", [
        ("some", DAYS[5], DAYS[9]), ("some", DAYS[3], DAYS[3]), ("open", DAYS[3], None),
    ])  # fmt: skip
    dbt = SimpleNamespace(this=SimpleNamespace(identifier=model), is_incremental=is_incremental)
    assert partition.days_to_derive(connection.table("noted"), dbt, reach) == days


@pytest.mark.parametrize(("lasting", "derived"), [(0, 20), (9, 20), (11, 40), (200, 117)])
def test_days_are_derived_for_as_long_as_they_differ_and_are_carried_on_after_that(lasting, derived):
    """A change on the fourth day makes so many days after it say something else."""
    connection = duckdb.connect()
    connection.execute("create table known as select unnest($days) as partition_date, 'before' as said", {"days": DAYS})
    asked = []

    def derive(days: Days) -> pd.DataFrame:
        asked[:] = [day for day in DAYS if days.first <= day <= days.last]
        said = ["after" if day <= DAYS[3] + timedelta(lasting) else "before" for day in asked]
        return pd.DataFrame({"partition_date": pd.Series(asked, dtype=pd.ArrowDtype(pa.date32())), "said": said})

    found = partition.derive_on(derive, Days(DAYS[3], DAYS[3]), connection.table("known"), 10)

    said = {row["partition_date"]: row["said"] for row in found.to_pylist()}
    assert len(asked) == min(derived + 1, 117)
    assert said == {day: "after" if day <= DAYS[3] + timedelta(lasting) else "before" for day in DAYS[3:]}
    assert len(found) == len(said)


@pytest.fixture
def published(data_dir):
    """A copy of three days."""
    with open_warehouse() as connection:
        connection.execute(SCORES)
        connection.execute("comment on table marts.scores is 'Scores.'")
        append(connection, "marts.scores", [{"claim_id": str(d), "score": 1, "partition_date": d} for d in DAYS[:3]])
        append(connection, "ops.deliveries", [{"digest_date": DAYS[0], "recipient": "ann@x.org", "status": "sent"}])
    publication.publish(settings().warehouse, settings().published)
    return settings().published


def scores(copy) -> list[tuple]:
    with publication.open_copy(copy) as connection:
        return connection.execute("select partition_date, score from marts.scores order by all").fetchall()


def test_of_a_mart_the_days_that_are_noted_are_brought_into_the_copy_and_no_other(published):
    with open_warehouse() as connection:
        connection.execute("update marts.scores set score = 2")
        noted(connection, ("copy of scores", DAYS[1]), ("int_other", DAYS[1]))
    publication.publish(settings().warehouse, published)

    assert scores(published) == [(DAYS[0], 1), (DAYS[1], 2), (DAYS[2], 1)]
    with open_warehouse() as connection:
        assert connection.execute("select model from raw.days_to_derive").fetchall() == [("int_other",)]


def test_a_table_of_which_the_copy_lacks_rows_or_columns_is_copied_whole(published):
    with open_warehouse() as connection:
        append(connection, "marts.scores", [{"claim_id": "new", "score": 3, "partition_date": DAYS[9]}])
        connection.execute("update marts.scores set score = 2 where score = 1")
    publication.publish(settings().warehouse, published)
    assert scores(published) == [*((day, 2) for day in DAYS[:3]), (DAYS[9], 3)]

    with open_warehouse() as connection:
        connection.execute("alter table marts.scores add column why varchar; update marts.scores set score = 5")
    publication.publish(settings().warehouse, published)
    assert {score for _, score in scores(published)} == {5}
    with publication.open_copy(published) as connection:
        comment = "select comment from duckdb_tables() where table_name = 'scores'"
        assert connection.execute(comment).fetchall() == [("Scores.",)]


def test_after_a_full_refresh_every_table_is_copied_whole(published):
    with open_warehouse() as connection:
        connection.execute("update marts.scores set score = 2")
        append(connection, "raw.days_to_derive", [{"model": "copy of everything"}])
    publication.publish(settings().warehouse, published)
    assert scores(published) == [(day, 2) for day in DAYS[:3]]


def test_the_operations_tables_in_the_copy_are_what_they_are_now_without_addresses(published):
    with open_warehouse() as connection:
        connection.execute("update ops.deliveries set status = 'refused'")
    publication.publish(settings().warehouse, published)
    with publication.open_copy(published) as connection:
        found = connection.execute("select recipient, status from ops.deliveries").fetchall()
    assert found == [("a***@x.org", "refused")]


def test_a_table_that_is_gone_is_gone_from_the_copy(published):
    with open_warehouse() as connection:
        connection.execute("drop table marts.scores")
    publication.publish(settings().warehouse, published)
    with publication.open_copy(published) as connection:
        gone = "select count(*) from duckdb_tables() where table_name = 'scores'"
        assert connection.execute(gone).fetchone() == (0,)
