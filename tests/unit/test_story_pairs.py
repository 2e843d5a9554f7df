"""Which pairs of claims a chat model is asked about, and that the order of days changes nothing."""

import itertools
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from include.themes.judge import Comparison, Judged
from include.themes.pairs import (
    DAYS_BACK,
    LIKE_ENOUGH,
    LIKEST,
    VERY_LIKE,
    Candidate,
    Pair,
    comparisons,
    land,
    likest_pairs,
    unjudged,
)
from include.warehouse.database import append, open_warehouse, records, transaction

TODAY = date(2026, 1, 15)


class Judge:
    """Stands for a chat model by its name and version; who tells the same is decided by the tests."""

    def __init__(self, version: str = "one"):
        self.name, self.version = "provider:model", version


def unit(*numbers: float) -> np.ndarray:
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def told(claim_id: str, days_ago: int = 0, episode: str = "", degrees: float = 0.0) -> Candidate:
    """A claim of an episode of its own, unless told otherwise."""
    angle = np.radians(degrees)
    vector = unit(np.cos(angle), np.sin(angle))
    return Candidate(claim_id, episode or claim_id, TODAY - timedelta(days_ago), f"Text of {claim_id}.", vector)


def pairs(*claims: Candidate, first: date = date.min) -> list[tuple[str, str]]:
    return [(pair.claim_id, pair.other_claim_id) for pair in likest_pairs(claims, first)]


def test_a_claim_is_held_against_earlier_ones_and_the_smaller_ids_of_its_own_day():
    assert pairs(told("c2"), told("c1"), told("c9", days_ago=3)) == [("c1", "c9"), ("c2", "c9"), ("c2", "c1")]
    assert pairs(told("c2"), told("c9", days_ago=3), first=TODAY) == [("c2", "c9")]
    assert pairs() == []


def test_of_claims_of_one_episode_the_two_that_are_very_like_are_compared():
    spoken = [told(f"c{number}", episode="e", degrees=10 * number) for number in range(4)]
    own = [("c1", "c0"), ("c2", "c0"), ("c2", "c1"), ("c3", "c1"), ("c3", "c2")]
    assert pairs(*spoken) == own
    edge = float(np.degrees(np.arccos(VERY_LIKE)))
    assert pairs(told("c1", episode="e"), told("c2", episode="e", degrees=edge - 1)) == [("c2", "c1")]
    assert pairs(told("c1", episode="e"), told("c2", episode="e", degrees=edge + 1)) == []


def test_what_was_said_more_than_30_days_before_is_not_compared():
    assert pairs(told("c1", days_ago=DAYS_BACK), told("c2"), first=TODAY) == [("c2", "c1")]
    assert pairs(told("c1", days_ago=DAYS_BACK + 1), told("c2"), first=TODAY) == []


def test_only_the_likest_are_compared_and_only_what_is_alike():
    others = [told(f"c{number:02}", days_ago=1, degrees=number) for number in range(LIKEST + 3)]
    likest = [("z", f"c{number:02}") for number in range(LIKEST)]
    assert sorted(pairs(told("z"), *others, first=TODAY)) == likest
    edge = float(np.degrees(np.arccos(LIKE_ENOUGH)))
    assert pairs(told("c1"), told("c2", degrees=edge - 1)) == [("c2", "c1")]
    assert pairs(told("c1"), told("c2", degrees=edge + 1)) == []


def test_the_likest_pairs_are_asked_about_first():
    found = [Pair("c1", "c9", TODAY, 0.5), Pair("c1", "c8", TODAY, 0.4), Pair("c2", "c9", TODAY, 0.7)]
    asked = comparisons(found, [replace(told(name), text=name.upper()) for name in ("c1", "c2", "c8", "c9", "other")])
    assert asked == [
        Comparison("c2", "c9", "C2", "C9"),
        Comparison("c1", "c9", "C1", "C9"),
        Comparison("c1", "c8", "C1", "C8"),
    ]


# In the warehouse

DAYS = [TODAY - timedelta(2), TODAY - timedelta(1), TODAY]


def put(connection, day: date, scorer: str | None = "provider:model", embedded_by: str = "m") -> None:
    """Lands the claims of a day: twelve of six episodes, more than can all be held against one another. With a scorer
    they have their scores, 0.0 to 1.1."""
    rng = np.random.default_rng(day.day)
    rows, vectors, scores = [], [], []
    for number in range(12):
        claim_id = f"c{day.day:02}{number:02}"
        text = {"headline": f"Headline {number}", "insight": f"Insight of {day}."}
        found = {"episode_id": f"{day} {number // 2}", "partition_date": day}
        scores.append({"claim_id": claim_id, "partition_date": day, "scorer": scorer, "score": number / 10})
        rows.append({"claim_id": claim_id, **found, **text})
        vector = unit(1.0, *rng.normal(scale=0.4, size=5))
        vectors.append(
            {"claim_id": claim_id, "partition_date": day, "model": embedded_by, "embedding": vector.tolist()}
        )
    with transaction(connection):
        append(connection, "raw.claims", rows)
        append(connection, "raw.claim_embeddings", vectors)
        append(connection, "raw.claim_scores", scores if scorer else [])


def run(connection, day: date, judge: Judge, answers: float = 1.0) -> list[tuple[str, str]]:
    """Asks what is to be asked about a day, of which a share is answered, and lands it; gives what was asked."""
    unsaid = unjudged(connection, day, judge, "m")
    asked = [(one.claim_id, one.other_claim_id) for one in unsaid]
    answered = asked[: round(answers * len(asked))]
    verdicts = ("same", "related", "different")
    judged = [Judged(*pair, verdicts[sum(map(ord, "".join(pair))) % 3]) for pair in answered]
    land(connection, day, unsaid, judged, judge, "m")
    return asked


@pytest.fixture
def connection(tmp_path):
    with open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        yield connection


def kept(connection) -> list[tuple]:
    return sorted(tuple(row.values()) for row in records(connection, "select * from raw.story_pairs"))


@pytest.mark.parametrize("order", list(itertools.permutations(DAYS)))
def test_the_pairs_and_their_verdicts_are_the_same_whatever_the_order_of_days(connection, tmp_path, order):
    with open_warehouse(tmp_path / "in order.duckdb") as other:
        for day in DAYS:
            put(other, day)
            run(other, day, Judge())
        expected = kept(other)
    for day in order:
        put(connection, day)
        run(connection, day, Judge())
    assert kept(connection) == expected
    assert len(expected) > 150
    assert {row[4] for row in expected} == {"same", "related", "different"}


def test_a_pair_is_asked_about_once_and_again_where_nobody_answered(connection):
    for day in DAYS:
        put(connection, day)
    first = run(connection, DAYS[0], Judge(), answers=0.5)
    assert set(run(connection, DAYS[0], Judge())) == set(first[round(0.5 * len(first)) :])
    assert run(connection, DAYS[0], Judge()) == []
    assert None not in {row[4] for row in kept(connection)}


def test_verdicts_that_are_new_have_the_day_derived_again_and_the_same_ones_do_not(connection):
    put(connection, TODAY)
    run(connection, TODAY, Judge())
    noted = "select model, first_day from raw.days_to_derive"
    assert connection.execute(noted).fetchall() == [("raw.story_pairs", TODAY)]
    run(connection, TODAY, Judge())
    assert connection.execute(noted).fetchall() == [("raw.story_pairs", TODAY)]


def test_another_judge_or_another_version_asks_for_itself(connection):
    put(connection, TODAY)
    asked = run(connection, TODAY, Judge())
    assert run(connection, TODAY, Judge("two")) == asked
    assert {row[6] for row in kept(connection)} == {"two"}


def test_what_one_judge_said_stands_until_another_one_says_something(connection):
    put(connection, TODAY)
    run(connection, TODAY, Judge())
    before = kept(connection)
    run(connection, TODAY, Judge("two"), answers=0)
    assert kept(connection) == before


def test_what_was_said_of_two_texts_is_not_asked_again_when_their_claims_were_landed_anew(connection):
    for day in DAYS[:2]:
        put(connection, day)
        run(connection, day, Judge())
    before = kept(connection)
    for table in ("raw.claims", "raw.claim_embeddings", "raw.claim_scores", "raw.story_pairs"):
        connection.execute(f"delete from {table} where partition_date = $day", {"day": DAYS[1]})
    put(connection, DAYS[1])
    assert run(connection, DAYS[1], Judge()) == []
    assert kept(connection) == before


def test_each_pair_of_claims_that_say_the_same_words_has_its_verdict(connection):
    put(connection, TODAY)
    before = len(likest_of(connection))
    connection.execute("update raw.claims set headline = 'Headline', insight = 'Insight.'")
    run(connection, TODAY, Judge())
    assert len(kept(connection)) == before
    assert None not in {row[4] for row in kept(connection)}


def likest_of(connection) -> list[tuple]:
    """The pairs of a day that has been run."""
    run(connection, TODAY, Judge())
    return kept(connection)


def test_a_claim_that_no_reader_will_see_is_compared_only_with_those_that_may_be_seen(connection, monkeypatch):
    monkeypatch.setattr("include.themes.pairs.SEEN", 2)
    put(connection, TODAY)
    asked = run(connection, TODAY, Judge())
    best = {f"c{TODAY.day:02}{number}" for number in (10, 11)}
    assert len(asked) >= LIKEST
    assert all(best & set(pair) for pair in asked)


def test_claims_that_nobody_has_scored_yet_are_left_to_the_run_that_scores_them(connection):
    put(connection, TODAY, scorer=None)
    assert run(connection, TODAY, Judge()) == []


def test_claims_of_later_days_that_another_model_scored_are_left_to_their_own_run(connection):
    put(connection, DAYS[1], scorer="offline")
    put(connection, DAYS[0])
    run(connection, DAYS[0], Judge())
    assert {row[2] for row in kept(connection)} == {DAYS[0]}
    run(connection, DAYS[1], Judge())
    both = kept(connection)
    assert {row[2] for row in both} == {DAYS[0], DAYS[1]}
    run(connection, DAYS[0], Judge())
    assert kept(connection) == both


def test_claims_that_different_models_embedded_are_not_compared(connection):
    put(connection, DAYS[0], embedded_by="another")
    put(connection, DAYS[1])
    run(connection, DAYS[1], Judge())
    assert {row[1][:3] for row in kept(connection)} == {f"c{DAYS[1].day:02}"}
