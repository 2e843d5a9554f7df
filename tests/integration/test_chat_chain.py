"""A day of the sample through the whole chain with a chat model over HTTP, from transcripts to themes and scores."""

import duckdb
import pytest

from include.local.sample import server as sample
from include.warehouse.database import open_warehouse, records
from tests import chain
from tests.doubles.chat_server import Asked, ChatServer, Reply, answer, compared, lines_of, passage, rated

DAY = "2026-01-15"
SCHEMAS = ("raw", "staging", "intermediate", "marts")


def scripted(asked: Asked) -> Reply:
    """A model that takes a long line out of each window, rates everything alike, and sees one story wherever two claims
    name Nimbrel."""
    if asked.form == "ChosenPassages":
        long = [(n, text, speaker) for n, speaker, text in lines_of(asked) if 25 <= len(text.split()) <= 80]
        named = [line for line in long if "Nimbrel" in line[1]]
        return answer({"claims": [passage(*line, headline=line[1][:80]) for line in (*named[:3], *long[:2])]})
    if asked.form == "RatingsOfAll":
        return rated(asked, lambda text: 3.0)
    if asked.form == "ComparedWithAll":
        return compared(asked, lambda one, other: "same" if "Nimbrel" in one and "Nimbrel" in other else "different")
    return answer({"items": []})


@pytest.fixture(scope="module")
def asked_and_built(tmp_path_factory):
    """The requests of a first run, those of a second, and the tables after each."""
    folder = tmp_path_factory.mktemp("it's a día, [1] & ~")
    with sample.serve(port=0) as feeds, ChatServer(scripted) as server:
        settings = {
            "PODCAST_FEEDS": f"{feeds}/feeds.txt",
            "PODCAST_ALLOW_HOSTS": feeds.removeprefix("http://"),
            "PODCAST_LLM_MODEL": "openai:gpt-4o-mini",
            "OPENAI_API_KEY": "sk-test-0123456789abcdef",
            "OPENAI_BASE_URL": server.url,
            "PODCAST_TRANSCRIBER": "publisher",
        }
        with chain.environment(folder, **settings):
            chain.run_day(DAY)
            first, before = list(server.asked), chain.tables(folder / "warehouse.duckdb", SCHEMAS)
            chain.run_day(DAY)
            again, after = server.asked[len(first) :], chain.tables(folder / "warehouse.duckdb", SCHEMAS)
            yield folder, server, first, again, before, after


def test_claims_that_the_chat_model_says_tell_one_story_share_a_theme_and_others_do_not(asked_and_built):
    folder, _, first, *_ = asked_and_built
    with duckdb.connect(str(folder / "published" / "podcasts.duckdb"), read_only=True) as connection:
        pairs = records(
            connection,
            """
            select pairs.verdict, one.theme_id = other.theme_id as together, count(*) as pairs
            from ops.story_pairs as pairs
            inner join marts.claims as one on pairs.claim_id = one.claim_id
            inner join marts.claims as other on pairs.other_claim_id = other.claim_id
            group by all
            """,
        )
    counts = {(row["verdict"], row["together"]): row["pairs"] for row in pairs}
    assert {asked.form for asked in first} >= {"ChosenPassages", "RatingsOfAll", "ComparedWithAll"}
    assert counts["same", True] > counts.get(("same", False), 0)
    assert counts["different", False] > 20 * counts.get(("different", True), 0)


def test_a_second_run_asks_nothing_and_changes_no_row(asked_and_built):
    *_, again, before, after = asked_and_built
    assert again == []
    assert before == after


def test_a_day_that_is_read_anew_asks_nothing_either(asked_and_built):
    folder, server, *_, after = asked_and_built
    asked = len(server.asked)
    with open_warehouse(folder / "warehouse.duckdb") as connection:
        connection.execute("update raw.extractions set error = 'read in part'")
    chain.run_day(DAY)
    assert len(server.asked) == asked
    assert chain.tables(folder / "warehouse.duckdb", SCHEMAS) == after
