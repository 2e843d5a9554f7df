"""What a day is about: the names that shows speak of together and did not before, and the claims that tell it."""

from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest

from include.themes.names import names_of_episodes, names_said
from include.themes.stories import Story, derive, told_by_claims

TODAY = date(2026, 1, 15)
FILLER = "And so we went on to talk about the weather and about what people do with it when it rains. "


def said(text: str, **of: str) -> list[str]:
    return [one.name for one in names_said(text, **of)]


def test_a_word_is_a_name_where_it_is_written_large_inside_a_sentence():
    text = "Sourdough is what Halmstad bakes. Nobody bakes sourdough like Halmstad's mayor, Greta Lindqvist, does."
    assert said(text) == ["greta", "halmstad", "lindqvist"]


def test_dates_common_words_and_the_name_of_the_show_are_no_names():
    assert said("They said that on Monday the Harbour Hour would go to Good Skagen.", show_title="Harbour Hour") == [
        "skagen"
    ]


def test_a_name_comes_with_the_whole_that_it_is_most_often_part_of_and_the_passages_that_say_it():
    text = f"They met Greta Lindqvist. {FILLER * 5} There Lindqvist spoke, and Greta Lindqvist left. {FILLER * 9}"
    greta, lindqvist = names_said(text)
    assert (greta.written, lindqvist.written) == ("Greta Lindqvist", "Greta Lindqvist")
    assert lindqvist.passages == (0, 1)


def test_captions_without_capitals_have_the_names_of_their_description():
    text = "so then skagen yard sold the boats to halmstad and skagen kept two"
    assert said(text) == []
    assert said(text, description="How the yard in Skagen came to sell its boats to Halmstad.") == [
        "halmstad",
        "skagen",
    ]


def test_an_episode_speaks_most_of_what_its_title_names():
    text = FILLER * 30 + "It was Skagen that Halmstad sold to. " + FILLER * 20 + "They mean Skagen and Halmstad."
    telling = {one.name: one.telling for one in names_said(text, title="Why Skagen pays")}
    assert telling["skagen"] == 0.8 > telling["halmstad"] > 0


def test_names_of_episodes_are_a_table_of_the_right_types_even_without_episodes():
    nothing = duckdb.from_arrow(names_of_episodes([]))
    assert [str(kind) for kind in nothing.types] == ["VARCHAR", "VARCHAR", "VARCHAR", "INTEGER[]", "DOUBLE", "DATE"]


def told(*rows: tuple[int, str, str], telling: float = 0.7) -> pd.DataFrame:
    """Names in passages of episodes: (days ago, show, names apart by spaces, all said in the same passages)."""
    names = []
    for ago, show, words in rows:
        for word in words.split():
            day = TODAY - timedelta(days=ago)
            names.append((f"{show}{ago}", show, pd.Timestamp(day), word, word.title(), [1, 2, 3], telling))
    columns = ["episode_id", "show_id", "partition_date", "name", "written", "passages", "telling"]
    return pd.DataFrame(names, columns=columns)


USUAL = [(ago, show, f"weather {show}host sponsor") for ago in range(3, 15) for show in ("a", "b", "c", "d")]
BREAKING = [(0, show, f"skagen halmstad weather {show}host sponsor") for show in ("a", "b")]


def of_today(names: pd.DataFrame) -> list[str]:
    found = derive(names, TODAY)
    return found["story"].tolist()


def test_what_several_shows_speak_of_together_and_did_not_before_is_the_story():
    found = derive(told(*USUAL, *BREAKING), TODAY)
    assert found["story"].tolist() == ["Halmstad, Skagen"]
    assert found["show_count"].tolist() == [2]
    assert found["partition_date"].tolist() == [TODAY]


def test_what_shows_always_speak_of_is_no_story():
    assert of_today(told(*USUAL, *[(0, show, f"weather {show}host sponsor") for show in ("a", "b", "c")])) == []


def test_names_that_shows_do_not_say_together_are_no_story():
    apart = told(*USUAL, (0, "a", "skagen"), (0, "b", "skagen"), (0, "a", "halmstad"), (0, "b", "halmstad"))
    assert of_today(apart) == ["Halmstad, Skagen"]
    elsewhere = apart["name"] == "halmstad"
    apart.loc[elsewhere, "passages"] = pd.Series([[40, 41]] * int(elsewhere.sum()), index=apart.index[elsewhere])
    assert of_today(apart) == []


def test_distinct_shows_count_and_not_how_often_one_says_it():
    often = told(*USUAL, *[(ago, "a", "skagen halmstad") for ago in (0, 1, 2)])
    assert of_today(often) == []
    strength = [derive(told(*USUAL, *[(0, show, "skagen halmstad") for show in shows]), TODAY)["strength"].sum()
                for shows in ("ab", "abc", "abcd")]  # fmt: skip
    assert strength[0] < strength[1] < strength[2]


def test_a_story_of_yesterday_counts_for_less_today_and_one_that_nobody_tells_today_not_at_all():
    rows = [(0, "a", "skagen halmstad"), (1, "b", "skagen halmstad")]
    today = derive(told(*USUAL, (0, "a", "skagen halmstad"), (0, "b", "skagen halmstad")), TODAY)["strength"][0]
    assert 0 < derive(told(*USUAL, *rows), TODAY)["strength"][0] < today
    assert of_today(told(*USUAL, (1, "a", "skagen halmstad"), (1, "b", "skagen halmstad"), (0, "c", "weather"))) == []


def test_on_a_first_day_nothing_is_known_to_be_new():
    assert of_today(told(*BREAKING)) == []


def test_a_story_that_one_show_tells_so_far_is_one_where_others_have_spoken_of_it_before():
    known = [(20, "b", "skagen halmstad"), (21, "c", "skagen halmstad")]
    head = told((0, "a", "skagen halmstad"), telling=0.9)
    assert of_today(pd.concat([told(*USUAL, *known), head], ignore_index=True)) == ["Halmstad, Skagen"]
    assert of_today(pd.concat([told(*USUAL), head], ignore_index=True)) == []
    assert of_today(told(*USUAL, *known, (0, "a", "skagen halmstad"))) == []


def test_the_order_of_names_changes_nothing_and_days_one_by_one_are_those_derived_together():
    names = told(*USUAL, *BREAKING, (1, "a", "lund skagen"), (1, "c", "lund skagen"), (2, "b", "lund"))
    together = derive(names)
    assert len(together) > 1
    assert derive(names.sample(frac=1, random_state=3, ignore_index=True)).equals(together)
    days = sorted(set(names["partition_date"]))
    by_day = [derive(names[names["partition_date"] <= day], day.date()) for day in days]
    assert pd.concat([found for found in by_day if len(found)], ignore_index=True).equals(together)


def test_a_day_added_at_the_end_changes_no_story_before_it():
    before = derive(told(*USUAL, (1, "a", "lund skagen"), (1, "c", "lund skagen")))
    after = derive(told(*USUAL, (1, "a", "lund skagen"), (1, "c", "lund skagen"), *BREAKING))
    assert after[: len(before)].equals(before)


def test_without_names_there_is_a_table_of_the_right_types():
    kinds = [str(kind) for kind in duckdb.from_df(derive(told())).types]
    assert kinds == ["DATE", "INTEGER", "VARCHAR", "DOUBLE", "INTEGER", "VARCHAR[]", "DOUBLE[]"]


STORY = Story("Skagen, Halmstad", 3.0, 3, ("skagen", "halmstad", "lund"), (4.0, 3.0, 1.0))


@pytest.mark.parametrize(
    ("text", "around", "telling"),
    [
        ("Skagen sold Halmstad's boats to Lund.", "", 1.0),
        ("Skagen sold its boats.", "", 0.5),
        ("Skagen sold its boats.", "Halmstad wanted them.", 0.6875),
        ("It sold its boats.", "Skagen wanted to, and Halmstad, and Lund.", 0.5),
        ("It rains.", "", 0.0),
    ],
)
def test_a_claim_tells_so_much_of_a_story_as_it_says_of_its_names(text, around, telling):
    assert STORY.told_by(text, around) == telling


def test_claims_that_tell_a_story_of_their_own_day_are_found():
    found = derive(told(*USUAL, *BREAKING), TODAY)
    rows = [
        ("c1", TODAY, "Skagen sold its boats to Halmstad.", ""),
        ("c2", TODAY, "It rains.", "Skagen"),
        ("c3", TODAY - timedelta(days=1), "Skagen sold its boats to Halmstad.", ""),
    ]
    claims = pd.DataFrame(rows, columns=["claim_id", "partition_date", "text", "said"])
    telling = told_by_claims(claims, found)
    assert telling[["claim_id", "story", "telling"]].values.tolist() == [["c1", "Halmstad, Skagen", 1.0]]
    kinds = [str(kind) for kind in duckdb.from_df(told_by_claims(claims[:0], found)).types]
    assert kinds == ["VARCHAR", "DATE", "VARCHAR", "DOUBLE", "DOUBLE", "INTEGER"]


def test_a_day_whose_first_story_no_claim_tells_has_those_that_touch_it():
    found = derive(told(*USUAL, *BREAKING), TODAY)
    rows = [("c1", TODAY, "They sold their boats.", "Skagen"), ("c2", TODAY, "It rains.", "")]
    claims = pd.DataFrame(rows, columns=["claim_id", "partition_date", "text", "said"])
    assert told_by_claims(claims, found)[["claim_id", "telling"]].values.tolist() == [["c1", 0.25]]
