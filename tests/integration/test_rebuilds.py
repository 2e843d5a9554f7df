"""A build that fails while it derives days again, or never begins, leaves nothing behind that the next one, of whatever
day, does not put right."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper
from dbt.cli.main import dbtRunner

from include.claims import embeddings, extraction, scoring
from include.claims.claim import Claim, Score
from include.claims.embeddings import Embedded
from include.claims.extraction import Read
from include.models.meaning import ClaimEncoder
from include.settings import PROJECT, settings
from include.sources import episodes, feeds
from include.sources.episodes import FeedReading
from include.transcripts import landing as transcripts
from include.transcripts.landing import Transcript
from include.transcripts.segment import Segment
from include.warehouse.database import append, noting_changes, open_warehouse, transaction
from tests import chain

FIRST, SECOND, LAST = DAYS = [date(2026, 1, 13) + timedelta(number) for number in range(3)]
SCHEMAS = ("raw", "ops", "staging", "intermediate", "marts")
INCREMENTAL = (
    "int_claim_words",
    "int_claim_repetition",
    "int_episode_names",
    "int_claim_themes",
    "int_theme_dissent",
    "int_daily_five",
    "int_related_claims",
)
EARLIER_ITEM = b"""
<rss version="2.0"><channel><title>Show 1</title><item><title>Before</title><guid>before</guid>
<pubDate>Fri, 02 Jan 2026 00:00:00 GMT</pubDate><enclosure url="http://e131.example/2.mp3" type="audio/mpeg"/></item>
</channel></rss>
"""


def build(day: date, *choice: str) -> None:
    """Builds the models, all of them or some, without their tests. Raises AssertionError with what failed."""
    dbt_build(day, *choice, "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


def run_tests(day: date) -> None:
    """Runs the tests of a build of the day. Raises AssertionError with what failed."""
    dbt_build(day, "--resource-type", "test")


def dbt_build(day: date, *arguments: str) -> None:
    target = str(settings().data_dir / "dbt")
    folders = ["--project-dir", f"{PROJECT}/dbt", "--profiles-dir", f"{PROJECT}/dbt", "--target-path", target]
    days = ["--vars", f"{{partition_date: {day}}}"]
    result = dbtRunner().invoke(["--quiet", "--log-path", target, "build", *folders, *arguments, *days])
    failed = [r for r in result.result or [] if r.status not in ("success", "skipped", "pass")]
    assert result.success, "; ".join(f"{r.node.name}: {r.message}" for r in failed) or result.exception


def tell(day: date, show: int) -> None:
    """Lands an episode of a show that tells two stories: one that all shows tell, and one of its own."""
    episode = {"episode_id": f"e{day.day}{show}", "partition_date": day}
    shared = np.array([1.0, 0.1 * show, 0.05 * day.day, 0.0])
    own = np.array([0.0, 0.0, 0.1 * day.day, 1.0 + show])
    months = 5 + show
    stories = [
        (f"The Pellan plant stays shut for {months} months", shared),
        (f"Harbour {show} sinks by {day.day} centimetres", own),
    ]
    claims, embeddings, scores, segments = [], [], [], []
    for number, (text, vector) in enumerate(stories):
        claim = {"claim_id": f"c{day.day}{show}{number}", "partition_date": day}
        quote = f"{text}, said somebody who had seen it."
        told = {"headline": text, "insight": f"{text}, and nobody had reckoned with it.", "quote": quote}
        where = {"first_segment": number, "last_segment": number, "start_seconds": 600.0 * number}
        claims.append({**episode, **claim, **told, **where, "kind": "fact", "extractor": "test"})
        embeddings.append(
            {**claim, "model": ClaimEncoder.name, "embedding": (vector / np.linalg.norm(vector)).tolist()}
        )
        scores.append({**claim, "scorer": "test", "score": 2.0 + number + 0.1 * show})
        segments.append({**episode, "segment_index": number, "text": quote})
    published = {"show_id": f"s{show}", "show_title": f"Show {show}", "title": episode["episode_id"]}
    landed = ("raw.episodes", "raw.transcripts", "raw.claims", "raw.claim_scores")
    with open_warehouse() as connection, transaction(connection), noting_changes(connection, day, *landed):
        append(
            connection,
            "raw.episodes",
            [{**episode, **published, "published_at": datetime.combine(day, datetime.min.time())}],
        )
        append(connection, "raw.transcripts", [{**episode, "status": "ok", "source": "publisher"}])
        append(connection, "raw.transcript_segments", segments)
        append(connection, "raw.claims", claims)
        append(connection, "raw.claim_embeddings", embeddings)
        append(connection, "raw.claim_scores", scores)


@pytest.fixture(scope="module")
def changed(tmp_path_factory) -> Path:
    """A warehouse of three days; after they were built, the first got one more episode."""
    folder = tmp_path_factory.mktemp("changed")
    with chain.environment(folder):
        for day in DAYS:
            for show in (1, 2):
                tell(day, show)
        build(FIRST)
        tell(FIRST, 3)
    return folder


@pytest.fixture
def data(changed, tmp_path):
    """A copy of that warehouse, which the settings point at."""
    shutil.copytree(changed, tmp_path / "data")
    with chain.environment(tmp_path / "data"):
        yield tmp_path / "data"


def tables(data: Path) -> dict[str, list]:
    """All tables; of what is noted, what is not built yet, not what the analysts' copy does not have yet."""
    found = chain.tables(data / "warehouse.duckdb", SCHEMAS)
    found["raw.days_to_derive"] = [row for row in found["raw.days_to_derive"] if "'copy of " not in row]
    return found


@pytest.fixture(scope="module")
def undisturbed(changed, tmp_path_factory) -> dict[str, list]:
    """The tables after the first day was built again in peace, and then the last."""
    folder = tmp_path_factory.mktemp("undisturbed") / "data"
    shutil.copytree(changed, folder)
    with chain.environment(folder):
        before = tables(folder)
        build(FIRST)
        build(LAST)
        after = tables(folder)
    assert [name for name in INCREMENTAL if after[f"intermediate.{name}"] == before[f"intermediate.{name}"]] == []
    return after


def differences(one: dict[str, list], other: dict[str, list]) -> set[str]:
    return {table for table in {*one, *other} if one.get(table) != other.get(table)}


@pytest.mark.parametrize("model", INCREMENTAL)
def test_a_rebuild_that_fails_within_a_model_is_made_up_by_the_next_days_build(model, data, undisturbed, monkeypatch):
    execute = DuckDBCursorWrapper.execute
    before = tables(data)

    def failing(self, sql, bindings=None):
        if "insert into" in sql and f'"{model}"' in sql:
            raise RuntimeError("the disk is full")
        return execute(self, sql, bindings)

    monkeypatch.setattr(DuckDBCursorWrapper, "execute", failing)
    with pytest.raises(AssertionError, match="the disk is full"):
        build(FIRST)
    monkeypatch.undo()
    assert tables(data)[f"intermediate.{model}"] == before[f"intermediate.{model}"]
    build(LAST)

    assert differences(tables(data), undisturbed) == set()


def test_a_digest_that_was_not_built_after_its_claims_were_is_made_up_by_a_later_days_build(data, undisturbed):
    build(FIRST, "--selector", "claims")
    build(LAST, "--selector", "claims")
    build(LAST, "--selector", "digest")

    assert differences(tables(data), undisturbed) == set()


def test_a_digest_that_is_built_between_a_failed_rebuild_and_its_repair_is_put_right(data, undisturbed):
    # The part of a build of claims that is done when it fails: the models that read staging alone.
    build(FIRST, "--select", "int_claim_words int_claim_repetition int_episode_names segments")
    build(SECOND, "--selector", "digest")
    build(LAST, "--selector", "claims")
    build(LAST, "--selector", "digest")

    assert differences(tables(data), undisturbed) == set()


def test_a_day_added_at_the_end_derives_nothing_of_the_days_before(data):
    build(FIRST)
    tell(LAST, 3)
    build(LAST, "--selector", "claims")

    with open_warehouse() as connection:
        noted = "select distinct first_day, last_day from raw.days_to_derive where starts_with(model, 'int_')"
        left_to_the_digest = connection.execute(noted).fetchall()
    assert left_to_the_digest == [(LAST, LAST)]


def test_a_change_is_derived_on_for_as_long_as_it_matters_and_no_further(data):
    build(FIRST)
    far, near = FIRST + timedelta(200), FIRST + timedelta(20)
    for day in (near, far):
        tell(day, 1)
        build(day)
    with open_warehouse() as connection:
        for table, column in (("intermediate.int_claim_themes", "theme_id"), ("marts.claims", "headline")):
            connection.execute(f"update {table} set {column} = 'as it was' where partition_date in (?, ?)", [near, far])
    tell(SECOND, 3)
    build(SECOND)

    with open_warehouse() as connection:
        left_alone = "select distinct partition_date from {} where {} = 'as it was'"
        themes = connection.execute(left_alone.format("intermediate.int_claim_themes", "theme_id")).fetchall()
        claims = connection.execute(left_alone.format("marts.claims", "headline")).fetchall()
    assert themes == claims == [(far,)]


def test_a_daily_build_tests_what_it_changed_and_one_for_a_sunday_everything(data):
    build(FIRST)
    with open_warehouse() as connection:
        connection.execute("update marts.top_insights set rank = 4 where digest_date = $day", {"day": FIRST})

    run_tests(LAST)
    for day in (FIRST, LAST + timedelta(3)):
        with pytest.raises(AssertionError, match="assert_ranks_of_a_digest_run_from_one_without_a_gap"):
            run_tests(day)


def claims_are_landed(connection, docs):
    claim = Claim(
        "Harbour 1 sinks by 40 centimetres a year.", "Harbour 1 sinks", "Harbour 1 sinks ever faster.", None, 1, 1
    )
    read = Read("e131", "key", "test", "1", (claim,))
    extraction.land(connection, FIRST, [read], docs)
    (found,) = embeddings.found([read], FIRST)
    vector = (0.0, 0.6, 0.8, 0.0)
    embeddings.land(connection, FIRST, [Embedded(found.claim_id, FIRST, ClaimEncoder.name, vector)])


def scores_are_landed(connection, docs):
    scores = [(f"c13{show}0", Score(5.0, "it weighs more than anything else")) for show in (1, 2, 3)]
    scoring.land(connection, FIRST, scores, SimpleNamespace(name="test", version="2"), docs)


def transcripts_are_landed(connection, docs):
    spoken = "The Pellan plant at Nordhaven stays shut, and Pellan Mutual pays for it all."
    transcript = Transcript("e131", "ok", "publisher", segments=(Segment(0, spoken),))
    transcripts.land(connection, FIRST, [transcript], docs)


def feeds_are_landed(connection, docs):
    """An episode was withdrawn from its feed."""
    connection.execute("update raw.episodes set feed_url = 'http://' || episode_id || '.example/feed'")
    url, read_at = "http://e131.example/feed", datetime(2026, 1, 16, tzinfo=UTC)
    episodes.land(connection, FIRST, [FeedReading(url, 200, read_at, feeds.parse(EARLIER_ITEM, url))], docs)


@pytest.mark.parametrize("landing", [claims_are_landed, scores_are_landed, transcripts_are_landed, feeds_are_landed])
def test_what_was_landed_and_never_built_is_made_up_by_the_next_build_of_another_day(landing, data):
    build(FIRST)
    before = tables(data)
    with open_warehouse() as connection:
        landing(connection, data / "docs")
    build(SECOND, "--selector", "digest")
    build(LAST)
    made_up = tables(data)
    build(FIRST)

    assert differences(made_up, before) & {f"intermediate.{name}" for name in INCREMENTAL}
    assert differences(made_up, tables(data)) == set()
