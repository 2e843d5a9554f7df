"""The quality measures, by hand and against the published scorer where it is at hand."""

import importlib.util
import json
import random

import pytest

from tests.evals.material import SHARED, bundled_gold, shared_gold
from tests.evals.measures import MEASURES, Marked, Spoken, gain, measure

TEXTS = [f"w{i}a w{i}b w{i}c w{i}d w{i}e w{i}f w{i}g w{i}h w{i}i w{i}j" for i in range(12)]
SPOKEN = Spoken.of(TEXTS)
MARKED = Marked.of(
    {
        "insights": [
            {"first_segment": 0, "last_segment": 0, "quote": TEXTS[0], "overall": 4.0},
            {"first_segment": 1, "last_segment": 1, "quote": TEXTS[1], "overall": 2.0},
        ],
        "acceptable": [{"first_segment": 2, "last_segment": 2, "overall": 3.0}],
        "ads": [{"first_segment": 3, "last_segment": 3}],
        "not_insights": [{"first_segment": 4, "last_segment": 4}],
    },
    SPOKEN,
)


def test_the_best_picks_in_the_best_order_score_full():
    figures = measure(SPOKEN, MARKED, [TEXTS[0], TEXTS[1], TEXTS[2]])
    assert figures["ndcg@10"] == pytest.approx(1, abs=0.03)
    assert figures["r@10"] == 1
    assert figures["gold@5"] == pytest.approx(2 / 5)


def test_an_insight_may_be_told_by_its_first_and_last_word():
    by_quote = {"first_segment": 1, "last_segment": 1, "quote": " ".join(TEXTS[1].split()[2:5]), "overall": 2.0}
    by_words = {"first_segment": 1, "last_segment": 1, "first_word": 12, "last_word": 14, "overall": 2.0}
    assert Marked.of({"insights": [by_words]}, SPOKEN) == Marked.of({"insights": [by_quote]}, SPOKEN)


def test_an_insight_counts_once_however_often_it_is_picked():
    once = measure(SPOKEN, MARKED, [TEXTS[0]])
    assert measure(SPOKEN, MARKED, [TEXTS[0]] * 4)["r@10"] == once["r@10"] == 0.5
    assert measure(SPOKEN, MARKED, [TEXTS[0]] * 4)["ndcg@10"] == once["ndcg@10"]


def test_advertising_and_dullness_are_counted_as_shares_of_the_picks():
    figures = measure(SPOKEN, MARKED, [TEXTS[3], TEXTS[4], TEXTS[5], TEXTS[6]])
    assert (figures["ads@10"], figures["dull@10"]) == (0.25, 0.25)


def test_a_quote_that_nobody_said_is_not_grounded():
    assert measure(SPOKEN, MARKED, [TEXTS[0], "never said"])["grounded"] == 0.5


def test_an_episode_without_picks_scores_nothing():
    assert set(measure(SPOKEN, MARKED, []).values()) == {0.0}


def test_what_a_pick_is_worth_alone():
    assert gain(SPOKEN.segments(0, 0), MARKED) == 4.0
    assert gain(SPOKEN.segments(2, 2), MARKED) == pytest.approx(1.8)
    assert gain(SPOKEN.segments(3, 3), MARKED) == -0.5


def test_the_bundled_gold_has_its_transcripts_and_its_quotes_are_in_them():
    material = bundled_gold()
    assert len(material) >= 14
    for one in material:
        assert one.marked.insights
        assert one.hours > 0.05


@pytest.mark.skipif(
    not (SHARED / "tools" / "score_insights.py").exists(),
    reason="the published scorer (../shared/tools/score_insights.py) is not here",
)
def test_the_measures_agree_with_the_published_scorer_to_three_decimals():
    spec = importlib.util.spec_from_file_location("score_insights", SHARED / "tools" / "score_insights.py")
    published = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(published)
    dice = random.Random(7)
    for one in shared_gold()[::9]:
        gold = json.loads((SHARED / "gold" / "dev" / f"{one.slug}.json").read_text())
        texts = [s.text for s in one.segments]
        quotes = [" ".join(texts[i : i + 4]) for i in dice.sample(range(len(texts) - 4), 8)] + [
            gold["insights"][0]["quote"]
        ]
        theirs = published.score(published.Episode({"segments": [{"text": t} for t in texts]}), gold, quotes)
        mine = measure(one.spoken, one.marked, quotes)
        assert {m: round(mine[m], 3) for m in MEASURES} == {m: round(theirs[m], 3) for m in MEASURES}
