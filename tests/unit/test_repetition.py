"""What a show says nearly word for word in several of its episodes."""

from datetime import date, timedelta

import pytest

from include.claims.repetition import COLUMNS, DAYS_COMPARED, derive, repeated, runs, share_repeated

DAY = date(2026, 1, 15)
READ = (
    "This show is made possible by Voltly, who cut the time that your team needs for permits by half, because they "
    "fill in every form for you before anybody asks."
)
SAID = (
    "The queue for large transformers has grown in every country that we looked at this year, and most utilities order "
    "twice what they need and cancel later."
)


def talk(number: int, words: int = 200) -> str:
    """Talk that has no run of words in common with that of another number."""
    return " ".join(f"word{number}x{i}" for i in range(words))


def episode(number: int, *said: str, days_ago: int = 0, show: str = "s1") -> dict:
    text = " ".join([talk(number), *said, talk(number + 1000)])
    return {"show_id": show, "partition_date": DAY - timedelta(days_ago), "episode_id": f"e{number}", "said": text}


def repeats(*episodes: dict, quotes: tuple[str, ...] = (READ, SAID)) -> list[bool]:
    """Whether each quote of the last episode is repeated."""
    of_last = {episodes[-1]["episode_id"]: [(f"c{number}", quote) for number, quote in enumerate(quotes)]}
    ordered = sorted(episodes, key=lambda one: (one["show_id"], one["partition_date"], one["episode_id"]))
    return derive(ordered, of_last)["is_repeated"].tolist()


def test_a_read_that_an_earlier_episode_of_the_show_has_too_is_repeated_and_a_point_is_not():
    assert repeats(episode(1, READ, days_ago=7), episode(2, READ, SAID)) == [True, False]


def test_a_read_is_known_again_where_a_few_words_of_it_differ():
    other = READ.replace("by half", "by a third").replace("This show", "Today's show")
    assert repeats(episode(1, other, days_ago=7), episode(2, READ, SAID)) == [True, False]


def test_what_other_shows_say_is_not_compared():
    assert repeats(episode(1, READ, days_ago=7, show="s0"), episode(2, READ, SAID)) == [False, False]


@pytest.mark.parametrize(
    ("days_ago", "found"), [(0, False), (1, True), (DAYS_COMPARED, True), (DAYS_COMPARED + 1, False), (-1, False)]
)
def test_only_the_thirty_days_before_are_compared_never_the_day_itself_or_a_later_one(days_ago, found):
    assert repeats(episode(1, READ, days_ago=days_ago), episode(2, READ), quotes=(READ,)) == [found]


def test_an_episode_that_is_published_again_repeats_nothing():
    again = episode(2, READ, SAID)
    first = again | {"episode_id": "e1", "partition_date": DAY - timedelta(3)}
    assert repeats(first, again) == [False, False]
    assert repeats(first, episode(3, READ, days_ago=2), again) == [True, False]


def test_each_claim_asked_for_has_a_row_with_the_share_of_its_words():
    table = derive([episode(1, READ, days_ago=1), episode(2, READ)], {"e2": [("c1", READ + " " + READ), ("c2", "Hm.")]})
    assert list(table.columns) == list(COLUMNS)
    assert table["claim_id"].tolist() == ["c1", "c2"]
    assert table["repeated_share"].tolist() == [1.0, 0.0]
    assert table["partition_date"].tolist() == [DAY, DAY]


def test_no_claims_make_an_empty_table_of_the_same_columns():
    assert list(derive([], {}).columns) == list(COLUMNS)


def test_the_share_counts_words_in_runs_of_seven():
    again = repeated(runs("a b c d e f g h " + talk(1)), [runs("a b c d e f g " + talk(2))])
    assert share_repeated("a b c d e f g and h i j k l m", again) == 0.5
    assert share_repeated("a b c d e f", again) == 0.0
