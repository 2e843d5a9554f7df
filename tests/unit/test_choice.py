"""Which insights a day's digest brings, and which it leaves out."""

from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from include.digest.choice import FLOOR, RESERVE, choose, derive
from include.digest.seats import DAYS_REMEMBERED, SEATS, seat_claims
from include.settings import OFFLINE, PROJECT

TODAY = date(2026, 1, 15)
NOTHING_SENT = pd.DataFrame(columns=["digest_date", "theme_id", "insight", "embedding"])


def vector(number: int, of: int = 40) -> np.ndarray:
    """A direction of its own for each number."""
    return np.eye(of, dtype=np.float32)[number]


def day(*claims: dict, on: date = TODAY) -> pd.DataFrame:
    """Claims of one date: unless told otherwise each has a theme, a show and a direction of its own, and scores 3."""
    rows = []
    for number, claim in enumerate(claims):
        own = {
            "partition_date": pd.Timestamp(on),
            "claim_id": f"c{number}",
            "theme_id": f"t{number}",
            "show_id": f"show{number}",
            "episode_id": f"e{number}",
            "headline": f"Point {number}",
            "insight": f"Point {number} was made.",
            "extractor": "openai:reader",
            "start_seconds": 30.0,
            "embedding": vector(number),
            "score": 3.0,
            "show_count": 1,
        }
        rows.append({**own, **claim})
    return pd.DataFrame(rows)


def sent(*insights: dict, days_ago: int = 1) -> pd.DataFrame:
    rows = [{"digest_date": TODAY - timedelta(days=days_ago), "embedding": vector(30), **one} for one in insights]
    return pd.DataFrame(rows)


def five(candidates: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """The digest alone, without those in line behind it."""
    line = choose(candidates, before)
    return line[line["rank"] <= SEATS]


def derive_five(*days: pd.DataFrame) -> pd.DataFrame:
    line = derive(*days)
    return line[line["rank"] <= SEATS]


def test_the_strongest_five_are_taken_in_order():
    picks = five(day(*({"score": score} for score in (2.0, 4.5, 3.0, 1.5, 4.0, 3.5, 1.2))), NOTHING_SENT)
    assert picks["claim_id"].tolist() == ["c1", "c4", "c5", "c2", "c0"]
    assert picks["rank"].tolist() == [1, 2, 3, 4, 5]


def test_a_theme_is_taken_once_by_its_strongest_claim():
    picks = five(day({"theme_id": "same", "score": 3.0}, {"theme_id": "same", "score": 4.0}, {}), NOTHING_SENT)
    assert picks["claim_id"].tolist() == ["c1", "c2"]


def test_two_claims_that_tell_one_story_in_different_themes_do_not_both_come():
    picks = five(day({"embedding": vector(1), "score": 4.0}, {"embedding": vector(1)}, {}), NOTHING_SENT)
    assert picks["claim_id"].tolist() == ["c0", "c2"]


def test_two_points_of_one_place_in_a_recording_do_not_both_come():
    talk = [{"episode_id": "e", "start_seconds": seconds} for seconds in (1330.0, 1371.0, 1400.0, None)]
    line = choose(day(*talk, {"start_seconds": 1330.0}), NOTHING_SENT)
    assert line["claim_id"].tolist() == ["c0", "c2", "c3", "c4", "c1"]
    assert line["same_story"].tolist() == [["c1"], ["c1"], [], [], ["c0", "c2"]]


def test_a_show_gets_two_places_at_most():
    claims = day(*({"show_id": "one", "score": 4.0 - number / 10} for number in range(4)), {"score": 2.0})
    assert five(claims, NOTHING_SENT)["claim_id"].tolist() == ["c0", "c1", "c4"]


def telling(share: float, **claim: object) -> dict:
    """A claim that tells a share of a story of strength 2, which three shows tell."""
    return {"story": "Norrfjord, Skagen", "telling": share, "story_strength": 2.0, "story_show_count": 3, **claim}


def test_what_the_day_is_about_is_among_the_five_and_says_so():
    claims = day(*({"score": 3.0} for _ in range(6)), telling(1.0, score=2.5))
    picks = five(claims, NOTHING_SENT)
    assert picks["claim_id"].tolist()[0] == "c6"
    assert picks["story"].tolist()[0] == "Norrfjord, Skagen"
    assert picks["story_lift"].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert picks["why"].tolist()[0] == (
        "What the day is about (Norrfjord, Skagen), told by 3 shows in three days; scored 2.5 of 5."
    )


def test_a_story_lifts_only_the_claim_that_tells_it_best():
    claims = day(telling(0.5, score=2.4), telling(1.0, score=2.2), telling(1.0, score=2.1), {"score": 2.6})
    picks = five(claims, NOTHING_SENT)
    assert picks["claim_id"].tolist() == ["c1", "c3", "c0", "c2"]
    assert picks["story_lift"].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_a_story_lifts_nothing_that_is_not_worth_sending_and_nothing_that_was_sent():
    before = sent({"theme_id": "t0", "insight": "Norrfjord Ferries runs four battery boats."})
    told = telling(1.0, insight="Norrfjord Ferries runs four battery boats.")
    picks = five(day(told, telling(1.0, score=0.9), telling(0.5, score=1.5)), before)
    assert picks["claim_id"].tolist() == ["c2"]
    assert picks["story_lift"].tolist() == [round(0.5**0.5, 6)]


def test_many_loose_mentions_do_not_outrank_one_strong_claim():
    assert five(day({"score": 2.5, "show_count": 40}, {"score": 3.0}), NOTHING_SENT)["claim_id"].tolist() == [
        "c1",
        "c0",
    ]


def test_of_equals_the_one_that_more_shows_tell_comes_first_then_the_smaller_id():
    picks = five(day({}, {}, {"show_count": 3}), NOTHING_SENT)
    assert picks["claim_id"].tolist() == ["c2", "c0", "c1"]


def test_the_order_in_which_candidates_come_changes_nothing():
    claims = day(*({"score": 2.0 + (number % 3), "theme_id": f"t{number % 7}"} for number in range(20)))
    there = five(claims, NOTHING_SENT)
    assert five(claims.sample(frac=1, random_state=5), NOTHING_SENT).equals(there)


def test_what_is_not_worth_sending_is_not_sent():
    assert five(day({"score": 0.4}, {"score": 3.0}), NOTHING_SENT)["claim_id"].tolist() == ["c1"]
    assert five(day({"score": FLOOR - 0.1}, {"score": 0.0}), NOTHING_SENT).empty


def test_dbt_and_python_know_of_the_same_number_of_seats():
    project = yaml.safe_load((PROJECT / "dbt" / "dbt_project.yml").read_text())
    assert project["vars"]["seats"] == SEATS


def test_a_story_that_was_sent_stays_away_when_it_says_nothing_new():
    before = sent({"theme_id": "t0", "insight": "Norrfjord Ferries runs four battery boats."})
    again = day({"insight": "Battery boats, four of them, are what Norrfjord Ferries runs now."}, {})
    assert five(again, before)["claim_id"].tolist() == ["c1"]


def test_a_story_that_was_sent_comes_back_with_new_facts_as_an_update_that_says_them():
    before = sent({"theme_id": "t0", "insight": "Norrfjord Ferries runs four battery boats."})
    picks = five(day({"insight": "Norrfjord Ferries will buy 12 more boats from Skagen Yard."}), before)
    assert picks["is_update"].tolist() == [True]
    assert picks["news"].tolist() == ["12 more boats, Skagen Yard"]
    assert picks["news_since"].tolist() == [TODAY - timedelta(days=1)]
    assert picks["why"].tolist() == ["The highest score of the day; back with news since 14 January."]


def test_a_paraphrase_of_what_was_sent_is_no_update_whatever_numbers_it_drops():
    before = sent({"theme_id": "t0", "insight": "Norrfjord Ferries runs four battery boats.", "embedding": vector(0)})
    assert five(day({"insight": "Norrfjord Ferries runs battery boats since 2024."}), before).empty


def test_a_sent_story_is_known_again_even_when_it_got_another_theme():
    likeness = 0.7 * vector(0) + np.sqrt(1 - 0.49) * vector(1)
    before = sent({"theme_id": "other", "insight": "Norrfjord Ferries runs battery boats.", "embedding": likeness})
    assert five(day({"insight": "Norrfjord Ferries runs battery boats."}), before).empty


def test_between_equals_a_new_story_goes_before_an_update():
    before = sent({"theme_id": "t0", "insight": "Norrfjord Ferries runs four battery boats."})
    picks = five(day({"insight": "Skagen Yard builds 12 more boats."}, {}), before)
    assert picks["claim_id"].tolist() == ["c1", "c0"]
    assert picks["is_update"].tolist() == [False, True]


def test_what_was_sent_of_a_claim_that_is_gone_is_not_told_again():
    before = sent({"theme_id": "t0", "insight": None, "embedding": None})
    assert five(day({"insight": "Skagen Yard builds 12 more boats."}), before).empty


def test_what_is_not_among_the_five_waits_in_line_by_strength():
    shows = [{"show_id": "one", "score": 4.0 - number / 10} for number in range(4)]
    line = choose(day(*shows, {"score": 2.0}, {"score": 0.5}), NOTHING_SENT)
    assert line[["rank", "claim_id"]].values.tolist() == [[1, "c0"], [2, "c1"], [3, "c4"], [6, "c2"], [7, "c3"]]


def test_the_line_is_no_longer_than_the_reserve_and_names_who_tells_the_same_story():
    many = choose(day(*({"theme_id": "same" if number < 2 else f"t{number}"} for number in range(40))), NOTHING_SENT)
    assert len(many) == SEATS + RESERVE
    told = dict(zip(many["claim_id"], many["same_story"], strict=True))
    assert (list(told["c0"]), list(told["c1"]), list(told["c10"])) == (["c1"], ["c0"], [])


def test_seats_taken_from_the_line_alone_are_those_of_the_digest():
    rng = np.random.default_rng(7)
    for _ in range(20):
        claims = day(
            *(
                {"theme_id": f"t{rng.integers(12)}", "show_id": f"s{rng.integers(5)}", "score": rng.uniform(0.5, 5)}
                for _ in range(40)
            )
        )
        line = choose(claims, NOTHING_SENT).merge(claims[["claim_id", "show_id"]], on="claim_id")
        line = line.sort_values(["strength", "claim_id"], ascending=[False, True])
        seated = seat_claims(line.itertuples(index=False), lambda one, other: one.claim_id in other.same_story)
        assert [claim.rank for claim in seated] == list(range(1, len(seated) + 1))


def test_the_reason_can_be_read_in_plain_words():
    picks = five(
        day({"score": 4.0, "show_count": 3}, {"score_reason": "gives numbers; names its source."}), NOTHING_SENT
    )
    assert picks["why"].tolist() == [
        "The highest score of the day; told by 3 shows so far.",
        "Scored 3.0 of 5 (gives numbers; names its source).",
    ]


def test_each_date_remembers_the_digests_of_the_days_before():
    claims = pd.concat(
        [
            day({"claim_id": "c1", "theme_id": "t"}),
            day({"claim_id": "c2", "theme_id": "t", "embedding": vector(9)}, on=TODAY + timedelta(days=1)),
            day(
                {"claim_id": "c3", "theme_id": "t", "embedding": vector(8)},
                on=TODAY + timedelta(days=DAYS_REMEMBERED + 1),
            ),
        ]
    )
    digests = derive_five(claims)
    assert digests["claim_id"].tolist() == ["c1", "c3"]
    assert digests["digest_date"].tolist() == [TODAY, TODAY + timedelta(days=DAYS_REMEMBERED + 1)]
    assert not digests["is_update"].any()


def test_dates_derived_one_by_one_or_together_give_the_same_digests():
    rng = np.random.default_rng(2)
    claims = pd.concat(
        day(
            *(
                {
                    "claim_id": f"c{on}{number}",
                    "theme_id": f"t{rng.integers(8)}",
                    "show_id": f"show{rng.integers(4)}",
                    "score": float(rng.uniform(0.5, 5)),
                    "headline": "A point",
                    "insight": f"Point {rng.integers(100)} was made at Skagen.",
                }
                for number in range(8)
            ),
            on=TODAY + timedelta(days=on),
        )
        for on in range(5)
    )
    together = derive(claims)
    settled = None
    for _, today in claims.groupby("partition_date"):
        until = claims[claims["partition_date"] <= today["partition_date"].max()]
        found = derive(until, settled)
        settled = found if settled is None else pd.concat([settled, found], ignore_index=True)
    assert settled.equals(together)
    assert derive(claims, together).empty


def test_a_digest_that_was_sent_stays_and_the_days_after_remember_it():
    first = day({"claim_id": "c1", "theme_id": "t", "score": 2.0}, {"claim_id": "c2", "score": 4.0})
    next_day = day({"claim_id": "c3", "theme_id": "t", "embedding": vector(9)}, on=TODAY + timedelta(days=1))
    frozen = derive(first[first["claim_id"] == "c1"])
    digests = derive(pd.concat([first, next_day]), frozen)
    assert digests.empty


def test_a_digest_sent_for_a_later_date_keeps_nothing_from_an_earlier_one():
    later = day({"claim_id": "c2", "theme_id": "t"}, on=TODAY + timedelta(days=1))
    frozen = derive(later)
    claims = pd.concat([day({"claim_id": "c1", "theme_id": "t"}), later])
    assert derive(claims, frozen)["claim_id"].tolist() == ["c1"]


NAMED = {"extractor": OFFLINE, "headline": "Ferries: battery boats, islands", "insight": "It runs four battery boats."}
STATED = {
    "extractor": OFFLINE,
    "headline": "Norrfjord Ferries runs four battery boats between the two islands",
    "insight": "That was in May. Norrfjord Ferries runs four battery boats between the two islands.",
}


def test_what_is_headed_by_what_it_names_alone_fills_no_seat_and_stands_in_no_line():
    line = choose(day(NAMED | {"score": 4.5}, STATED, {"score": 2.0}, NAMED), NOTHING_SENT)
    assert line["claim_id"].tolist() == ["c1", "c2"]


def test_what_tells_the_day_best_comes_whatever_heads_it():
    told = telling(1.0, **NAMED, score=2.0)
    assert five(day(STATED, told, {}, NAMED), NOTHING_SENT)["claim_id"].tolist() == ["c0", "c2", "c1"]


def test_a_day_that_has_hardly_anything_else_brings_two_whatever_heads_them():
    claims = day(*(NAMED | {"score": score} for score in (2.0, 2.2, 1.8)), STATED | {"score": 1.5})
    assert five(claims, NOTHING_SENT)["claim_id"].tolist() == ["c1", "c3"]
    assert five(claims[:3], NOTHING_SENT)["claim_id"].tolist() == ["c1", "c0"]


def test_a_sent_claim_counts_by_the_theme_that_it_has_now():
    frozen = derive(day({"claim_id": "c1", "theme_id": "old"}))
    claims = pd.concat(
        [
            day({"claim_id": "c1", "theme_id": "now"}),
            day({"claim_id": "c2", "theme_id": "now", "embedding": vector(9)}, on=TODAY + timedelta(days=1)),
        ]
    )
    assert derive(claims, frozen).empty


@pytest.mark.parametrize("claims", [day({"score": 0.1}), day({})[:0]])
def test_a_day_with_nothing_good_gives_a_table_of_the_right_types(claims):
    nothing = derive(claims)
    assert nothing.empty
    assert [str(kind) for kind in duckdb.from_df(nothing).types] == [
        "DATE",
        "INTEGER",
        "VARCHAR",
        "VARCHAR",
        "DOUBLE",
        "DOUBLE",
        "BOOLEAN",
        "DATE",
        "VARCHAR",
        "INTEGER",
        "VARCHAR",
        "VARCHAR",
        "DOUBLE",
        "VARCHAR[]",
    ]
