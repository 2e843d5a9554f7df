"""Reading transcripts for claims and scoring them: nothing twice, nothing lost, one failure stops nobody else."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from include.claims import embeddings, extraction, scoring
from include.claims.claim import UNRATED, Claim, DroppedClaim, Extraction, Score
from include.models.questions import UnusableModel
from include.warehouse.database import append, open_warehouse, records

DAY = date(2026, 1, 15)
QUOTES = ("Piers cost more than they earn in a year.", "Harbours sink by one centimetre every year.")


class Reader:
    """An extractor whose answer is given by a function of the episode's id."""

    name = "reader"
    version = "1"

    def __init__(self, answer):
        self.answer = answer
        self.read: list[str] = []

    def extract(self, episode, segments):
        self.read.append(episode.episode_id)
        return self.answer(episode.episode_id)


class Meaning:
    name = "test"

    def encode(self, texts):
        return np.tile(np.eye(1, 4, dtype=np.float32), (len(texts), 1))


class Judge:
    name = "judge"
    version = "1"

    def __init__(self, score):
        self.given = score

    def score(self, day):
        return [[self.given for _ in read.claims] for read in day]


def claim(quote: str) -> Claim:
    return Claim(quote, "Piers do not pay", quote, "Ada", 0, 0, 1.0)


def both(_: str) -> Extraction:
    return Extraction(tuple(map(claim, QUOTES)))


@pytest.fixture
def warehouse(tmp_path):
    with open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        for name in ("e1", "e2"):
            common = {"episode_id": name, "partition_date": DAY}
            append(connection, "raw.episodes", [{**common, "show_title": "Harbour", "title": name, "persons": []}])
            append(connection, "raw.transcripts", [{**common, "status": "ok", "content_hash": name}])
            append(
                connection,
                "raw.transcript_segments",
                [{**common, "segment_index": 0, "speaker": "Ada", "text": " ".join(QUOTES)}],
            )
        yield connection


def run(warehouse, reader, docs) -> extraction.Extracted:
    results = extraction.read_all(extraction.to_read(warehouse, DAY, reader), reader)
    landed = extraction.land(warehouse, DAY, results, docs)
    embeddings.land(warehouse, DAY, embeddings.embed(embeddings.found(results, DAY), Meaning()))
    return landed


def test_a_transcript_is_read_once_by_the_same_version_of_an_extractor(warehouse, tmp_path):
    reader = Reader(both)
    extracted = run(warehouse, reader, tmp_path)
    assert (extracted.transcripts, extracted.claims) == (2, 4)
    assert run(warehouse, reader, tmp_path) == extracted
    assert reader.read == ["e1", "e2"]
    newer = Reader(both)
    newer.version = "2"
    run(warehouse, newer, tmp_path)
    assert newer.read == ["e1", "e2"]
    assert {row["prompt_version"] for row in records(warehouse, "select prompt_version from raw.claims")} == {"2"}


def test_a_transcript_that_cannot_be_read_is_recorded_and_stops_nobody_else(warehouse, tmp_path):
    def answer(episode_id):
        if episode_id == "e1":
            raise ValueError("no sense in it")
        return both(episode_id)

    extracted = run(warehouse, Reader(answer), tmp_path)
    assert (extracted.failed, extracted.claims) == (1, 2)
    (failed,) = records(warehouse, "select episode_id, status, error from raw.extractions where error is not null")
    assert failed == {"episode_id": "e1", "status": "failed", "error": "ValueError: no sense in it"}
    again = Reader(both)
    assert run(warehouse, again, tmp_path).failed == 0
    assert again.read == ["e1"]


def test_what_was_read_in_part_keeps_its_claims_and_is_read_again(warehouse, tmp_path):
    part = Extraction((claim(QUOTES[0]),), (DroppedClaim("", "skipped_budget", "segments 4 to 9"),))
    extracted = run(warehouse, Reader(lambda _: part), tmp_path)
    assert (extracted.claims, extracted.failed) == (2, 2)
    again = Reader(both)
    assert run(warehouse, again, tmp_path).claims == 4
    assert again.read == ["e1", "e2"]


def test_a_model_that_cannot_be_used_stops_the_day_instead_of_failing_each_transcript(warehouse, tmp_path):
    def answer(_):
        raise UnusableModel("no key")

    with pytest.raises(UnusableModel, match="no key"):
        run(warehouse, Reader(answer), tmp_path)


def test_the_same_words_found_twice_are_one_claim(warehouse, tmp_path):
    twice = Extraction((claim(QUOTES[0]), claim(QUOTES[0].upper())))
    assert run(warehouse, Reader(lambda _: twice), tmp_path).claims == 2
    assert records(warehouse, "select count(*) as n from raw.claim_embeddings") == [{"n": 2}]


def test_dropped_claims_can_be_queried_with_their_reason(warehouse, tmp_path):
    dropped = Extraction((), (DroppedClaim("Nobody said this.", "quote_not_found"),))
    run(warehouse, Reader(lambda _: dropped), tmp_path)
    rows = records(warehouse, "select quote, reason, extractor from ops.dropped_claims order by all")
    assert rows == [{"quote": "Nobody said this.", "reason": "quote_not_found", "extractor": "reader"}] * 2


def test_a_row_that_was_set_aside_can_be_queried_until_its_transcript_is_read_again(warehouse, tmp_path):
    nameless = Extraction((claim(QUOTES[0]), replace(claim(QUOTES[1]), headline="")))

    def set_aside() -> list[str]:
        rows = records(warehouse, "select json_extract_string(\"row\", '$.episode_id') as id from ops.rejected_rows")
        return [row["id"] for row in rows]

    reader = Reader(lambda episode_id: nameless if episode_id == "e1" else both(episode_id))
    assert run(warehouse, reader, tmp_path).set_aside == 1
    run(warehouse, reader, tmp_path)
    assert set_aside() == ["e1"]
    newer = Reader(both)
    newer.version = "2"
    run(warehouse, newer, tmp_path)
    assert set_aside() == []


def test_claims_go_with_the_episode_they_came_from(warehouse, tmp_path):
    run(warehouse, Reader(both), tmp_path)
    warehouse.execute("delete from raw.transcripts where episode_id = 'e1'")
    run(warehouse, Reader(both), tmp_path)
    assert records(warehouse, "select distinct episode_id from raw.claims") == [{"episode_id": "e2"}]
    assert records(warehouse, "select count(*) as n from raw.claim_embeddings") == [{"n": 2}]


def test_a_day_is_scored_as_a_whole_and_once(warehouse, tmp_path):
    reader, judge = Reader(both), Judge(Score(3.0, "says a number"))
    run(warehouse, reader, tmp_path)
    work = scoring.unscored(warehouse, DAY, reader, judge)
    scored = scoring.land(warehouse, DAY, scoring.score_all(work, judge), judge, tmp_path)
    assert scored.claims == 4
    assert scoring.unscored(warehouse, DAY, reader, judge) == []
    better = Judge(Score(4.0, "says a number"))
    better.version = "2"
    assert sum(len(entry.claim_ids) for entry in scoring.unscored(warehouse, DAY, reader, better)) == 4


def test_a_claim_that_was_not_rated_has_no_score_and_is_scored_another_time(warehouse, tmp_path):
    reader, judge = Reader(both), Judge(Score(0.0, f"{UNRATED}: the budget was spent"))
    run(warehouse, reader, tmp_path)
    work = scoring.unscored(warehouse, DAY, reader, judge)
    assert scoring.land(warehouse, DAY, scoring.score_all(work, judge), judge, tmp_path).claims == 0
    assert scoring.unscored(warehouse, DAY, reader, judge) != []


def test_the_figures_of_a_claim_are_kept_for_whoever_asks_why(warehouse, tmp_path):
    weighed = Claim(QUOTES[0], "Piers do not pay", QUOTES[0], "Ada", 0, 0, features={"numbers": 2.0})
    run(warehouse, Reader(lambda _: Extraction((weighed,))), tmp_path)
    (row, _) = records(warehouse, "select features from raw.claims")
    assert json.loads(row["features"]) == {"numbers": 2.0}
