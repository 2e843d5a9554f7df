"""What analysts rely on, with the sample's three days: they read while a backfill runs, and what the docs say is so."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml

from include.local.parquet_files import write_days
from include.local.sample import server as sample
from include.settings import PROJECT
from include.warehouse.publication import open_copy
from tests import chain
from tests.answers import PAGE, answered

DAYS = ("2026-01-13", "2026-01-14", "2026-01-15")

STATE = """
select
    (select count(*) from marts.episodes), (select count(*) from marts.claims), (select count(*) from marts.segments),
    (select count(*) from marts.top_insights), (select count(*) from ops.feed_status)
"""

SESSION = f'''
import json, os, sys, time, duckdb

os.nice(15)
copy, stop = sys.argv[1:]
seen = set()
while not os.path.exists(stop):
    with duckdb.connect(copy, read_only=True) as connection:
        state = connection.execute("""{STATE}""").fetchone()
        rows = connection.execute("select a.text || b.text from marts.segments as a, marts.segments as b, range(100)")
        until = time.time() + 4
        while time.time() < until:
            assert rows.fetchmany(50)
            time.sleep(0.1)
        (strangers,) = connection.execute("""
            select count(*) from marts.top_insights anti join marts.claims using (claim_id)
            union all select count(*) from marts.claims anti join marts.episodes using (episode_id)
            union all select count(*) from marts.claims anti join marts.themes using (theme_id)
            order by all desc limit 1
        """).fetchone()
        assert not strangers, strangers
        assert connection.execute("""{STATE}""").fetchone() == state
        seen.add(state)
print(json.dumps(sorted(seen)))
'''
"""A session after another, each with a query that takes seconds, and the same state before and after it."""


def state_of(copy: Path) -> tuple:
    with open_copy(copy) as connection:
        return connection.execute(STATE).fetchone()


@pytest.fixture(scope="module")
def backfill(tmp_path_factory):
    """A data directory whose first day is there before twenty sessions open its copy, and whose three days are run
    while they read; with what each session saw, and the states that were published."""
    folder = tmp_path_factory.mktemp("analysts")
    copy, stop = folder / "published" / "podcasts.duckdb", folder / "stop"
    with sample.serve(port=0) as address:
        feeds = {"PODCAST_FEEDS": f"{address}/feeds.txt", "PODCAST_ALLOW_HOSTS": address.removeprefix("http://")}
        with chain.environment(folder, **feeds):
            chain.run_day(DAYS[0])
            published = [state_of(copy)]
            command = [sys.executable, "-c", SESSION, str(copy), str(stop)]
            sessions = [
                subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(20)
            ]
            try:
                for day in DAYS:
                    chain.run_day(day)
                    published.append(state_of(copy))
            finally:
                stop.touch()
                said = [session.communicate() for session in sessions]
            yield folder, [(session.returncode, *out) for session, out in zip(sessions, said, strict=True)], published


@pytest.fixture
def copy(backfill):
    with open_copy(backfill[0] / "published" / "podcasts.duckdb") as connection:
        yield connection


def dbt(*arguments: str) -> list[str]:
    """Runs dbt on the backfill's warehouse; what it answers, of `ls` the names."""
    from dbt.cli.main import dbtRunner

    target = Path(chain.settings().data_dir / "dbt")
    folders = ["--project-dir", str(PROJECT / "dbt"), "--profiles-dir", str(PROJECT / "dbt")]
    places = [*folders, "--target-path", str(target), "--log-path", str(target)]
    result = dbtRunner().invoke(["--quiet", *arguments, *places])
    assert result.success, result.exception or [(r.node.name, r.message) for r in result.result]
    return [one if isinstance(one, str) else f"{one.node.name} {one.status}" for one in result.result]


def test_twenty_sessions_read_through_a_backfill_and_each_sees_one_state_that_was_published(backfill):
    _, sessions, published = backfill
    assert [(code, err) for code, _, err in sessions if code or err] == []
    # Above what a session says may stand DuckDB's progress bar.
    seen = [{tuple(state) for state in json.loads(out.splitlines()[-1])} for _, out, _ in sessions]
    assert all(states and states <= set(published) for states in seen)
    assert len(set.union(*seen)) > 1


def test_the_ten_questions_are_answered_as_the_page_says(copy):
    page = PAGE.read_text()
    assert page.count("```sql") == 10
    assert answered(page, copy) == page


def test_no_table_and_no_column_of_the_copy_is_without_a_description(copy):
    assert not copy.execute(
        """
        select schema_name, table_name, null from duckdb_tables() where coalesce(comment, '') = ''
        union all
        select schema_name, table_name, column_name from duckdb_columns()
        where not internal and coalesce(comment, '') = ''
        """
    ).fetchall()


def test_what_was_said_around_a_claim_can_be_read(copy):
    assert (
        copy.execute(
            """
        select count(*), count(*) filter (contains(said, left(quote, 30)))
        from (
            select claim_id, quote, string_agg(text, ' ' order by segment_index) as said
            from marts.claims join marts.segments using (partition_date, episode_id)
            where segment_index between first_segment and last_segment
            group by all
        )
        """
        ).fetchone()
        == copy.execute("select count(*), count(*) from marts.claims").fetchone()
    )


def test_every_rule_in_sql_holds_in_its_unit_test(backfill):
    outcomes = [line.split()[-1] for line in dbt("test", "--select", "test_type:unit")]
    assert outcomes.count("pass") >= 10
    assert set(outcomes) <= {"pass", "success"}


@pytest.mark.parametrize("selector", ["claims", "digest"])
def test_a_build_of_a_day_runs_no_unit_test(backfill, selector):
    assert dbt("ls", "--selector", selector, "--resource-type", "model")
    assert dbt("ls", "--selector", selector, "--resource-type", "unit_test") == []


def test_what_was_just_read_is_fresh(backfill):
    assert "feed_fetches pass" in dbt("source", "freshness", "--select", "source:raw.feed_fetches")


def test_every_mart_is_exposed_or_measured_and_every_exposure_is_of_what_is_there():
    folder = PROJECT / "dbt" / "models"
    exposures = yaml.safe_load((folder / "exposures.yml").read_text())["exposures"]
    marts = {model["name"] for model in yaml.safe_load((folder / "marts" / "marts.yml").read_text())["models"]}
    used = {name.split("'")[1] for exposure in exposures for name in exposure["depends_on"] if name.startswith("ref")}
    assert used == marts


def test_the_days_are_the_same_in_parquet(backfill, copy, tmp_path):
    folder = tmp_path / "it's parquet"
    published = backfill[0] / "published" / "podcasts.duckdb"
    write_days(published, folder)
    for table in ("claims", "segments", "top_insights"):
        files = str(folder / "marts" / table / "*" / "*.parquet")
        there = copy.execute(f"from marts.{table} order by all")
        columns, rows = ", ".join(f'"{column[0]}"' for column in there.description), there.fetchall()
        read = copy.execute(f"select {columns} from read_parquet($1, hive_partitioning = true) order by all", [files])
        assert read.fetchall() == rows
    assert copy.execute("select count(*) from read_parquet($1)", [str(folder / "marts/themes.parquet")]).fetchone()[0]


def test_parquet_of_a_day_replaces_that_day_and_takes_away_what_is_no_more(backfill, tmp_path):
    published = backfill[0] / "published" / "podcasts.duckdb"
    day, other = date(2026, 1, 14), date(2026, 1, 15)
    gone = tmp_path / "marts/claims/partition_date=2026-01-16/rows.parquet"
    gone.parent.mkdir(parents=True)
    gone.touch()
    write_days(published, tmp_path, day, day)
    assert [file.name for file in (tmp_path / "marts/claims").iterdir()].count("partition_date=2026-01-14") == 1
    assert gone.exists()
    write_days(published, tmp_path, other)
    assert not gone.exists()
    assert len(list(tmp_path.rglob("*.partial"))) == 0


def test_the_notebook_draws_its_charts_from_the_copy(backfill):
    pytest.importorskip("marimo", reason="marimo is no part of the installation; docs/analysts.md says how to have it")
    done = subprocess.run([sys.executable, PROJECT / "notebooks" / "themes.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
