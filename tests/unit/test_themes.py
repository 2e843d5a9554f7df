"""How claims become themes: by what they say, in date order, the same in whatever order they come."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from include.local import theme_files
from include.models.meaning import claim_encoder, specificity, windows
from include.themes.grouping import ALONE, IN_CONTEXT, SAME_SHOW, Claims, Criterion, assign, derive, likeness
from include.themes.rare_words import rare_words, rare_words_of

SEED = Path(__file__).resolve().parents[3] / "shared" / "seed"
NOBODY = Claims((), (), (), np.zeros((0, 8), dtype=np.float32))
WORDS = [["halmstad", "lithium"], ["lithium", "vessels"], [], ["sourdough"], ["halmstad", "retrofitting", "uv"]]
PLAIN = "Ferry operators in Halmstad electrify vessels by retrofitting lithium batteries"


def needed(criterion: Criterion = ALONE) -> float:
    """The cosine from which two claims without rare words share a theme, where there are few."""
    return criterion.like_enough + criterion.crowding


def pointing(*angles: float) -> np.ndarray:
    """Unit vectors in one plane, so that the cosine of two is that of the angle between them, in degrees."""
    turned = np.radians(angles)
    vectors = np.zeros((len(angles), 8), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(turned), np.sin(turned)
    return vectors


def some(
    ids: list[str],
    embeddings: np.ndarray,
    shows: list[str] | None = None,
    texts: list[str] | None = None,
    words: list[list[str]] | None = None,
) -> Claims:
    return Claims(ids, texts or [PLAIN] * len(ids), words or [[]] * len(ids), embeddings, shows or ())


def frame(rows: list[tuple[str, str, str]], embeddings: np.ndarray) -> pd.DataFrame:
    """Claims as (id, date, show)."""
    ids, days, shows = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "claim_id": ids,
            "partition_date": pd.to_datetime(list(days)),
            "show_id": shows,
            "episode_id": [f"{show} of {day}" for _, day, show in rows],
            "words": [WORDS[int(claim_id[1:]) % len(WORDS)] for claim_id in ids],
            "text": [PLAIN] * len(ids),
            "embedding": list(embeddings),
        }
    )


def grouped(claims: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Claims with what was found of them."""
    return claims.assign(theme_id=found["theme_id"].to_numpy(), looseness=found["looseness"].to_numpy())


def test_claims_that_say_the_same_share_a_theme_and_others_do_not():
    themes = assign(some(["c1", "c2", "c3"], pointing(0, 20, 90)), NOBODY, ())
    assert themes == ["t1", "t1", "t3"]


def test_a_theme_is_named_after_the_smallest_claim_of_its_first_date():
    new = some(["c9", "c4", "c7"], pointing(0, 10, 20))
    assert assign(new, NOBODY, ()) == ["t4", "t4", "t4"]
    assert assign(some(["c1"], pointing(5)), new, ["t4", "t4", "t4"]) == ["t4"]


def test_the_order_of_claims_within_a_date_changes_nothing():
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"c{number:02}" for number in range(60)]
    there = dict(zip(ids, assign(some(ids, vectors), NOBODY, ()), strict=True))
    shuffled = rng.permutation(60)
    again = assign(some([ids[i] for i in shuffled], vectors[shuffled]), NOBODY, ())
    assert [there[ids[i]] for i in shuffled] == again
    assert 1 < len(set(again)) < 60


def test_claims_of_one_date_are_grouped_by_average_linkage():
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(90, 8)).astype(np.float32) + rng.normal(size=(12, 8)).repeat(8, axis=0)[:90]
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    claims = some([f"c{number:02}" for number in range(90)], vectors)
    themes = assign(claims, NOBODY, ())
    apart = 2 - likeness(claims, ALONE)[np.triu_indices(90, 1)]
    expected = fcluster(linkage(apart, "average"), 2 - ALONE.like_enough, "distance")
    groups = pd.Series(range(90)).groupby(list(themes)).apply(frozenset)
    assert set(groups) == set(pd.Series(range(90)).groupby(expected).apply(frozenset))
    assert 5 < len(groups) < 60


def test_an_earlier_theme_counts_with_all_its_claims():
    known = some(["c1", "c2", "c3"], pointing(0, 0, 90))
    new = some(["c4"], pointing(80))
    assert assign(new, known, ["t1", "t1", "t1"]) == ["t1"]
    assert assign(new, known, ["t1", "t1", "t3"]) == ["t3"]
    assert assign(some(["c4"], pointing(100)), known, ["t1", "t1", "t1"]) == ["t4"]


def test_a_chain_of_neighbours_does_not_become_one_theme():
    themes = assign(some([f"c{number}" for number in range(7)], pointing(*range(0, 210, 30))), NOBODY, ())
    assert themes[0] == themes[1]
    assert themes[0] != themes[-1]


def test_two_earlier_themes_are_never_joined():
    known = some(["c1", "c2"], pointing(0, 60))
    assert assign(some(["c3"], pointing(29)), known, ["t1", "t2"]) == ["t1"]


def test_of_earlier_themes_that_fit_equally_the_smaller_id_takes_the_claim():
    for ids in (["t1", "t2"], ["t2", "t1"]):
        assert assign(some(["c3"], pointing(30)), some(["c1", "c2"], pointing(0, 60)), ids) == ["t1"]


def test_a_claim_between_an_earlier_theme_and_one_of_today_goes_where_it_fits_best():
    known = some(["c1"], pointing(0))
    assert assign(some(["c2", "c3"], pointing(60, 110)), known, ["t1"]) == ["t2", "t2"]


def test_claims_that_a_chat_model_says_tell_the_same_story_share_a_theme():
    claims = some(["c1", "c2", "c3"], pointing(0, 70, 170))
    assert assign(claims, NOBODY, ()) == ["t1", "t2", "t3"]
    assert assign(claims, NOBODY, (), verdicts={("c2", "c1"): "same", ("c3", "c2"): "related"}) == ["t1", "t1", "t3"]


@pytest.mark.parametrize("verdict", ["related", "different"])
def test_claims_that_a_chat_model_says_tell_two_stories_are_kept_apart(verdict):
    claims = some(["c1", "c2"], pointing(0, float(np.degrees(np.arccos(needed() + 0.1)))))
    assert assign(claims, NOBODY, ()) == ["t1", "t1"]
    assert assign(claims, NOBODY, (), verdicts={("c1", "c2"): verdict}) == ["t1", "t2"]


def test_a_claim_joins_the_earlier_theme_that_a_chat_model_sees_its_story_in():
    known, new = some(["c1", "c2"], pointing(0, 140)), some(["c3"], pointing(70))
    assert assign(new, known, ["t1", "t2"]) == ["t3"]
    assert assign(new, known, ["t1", "t2"], verdicts={("c3", "c2"): "same", ("c3", "c1"): "different"}) == ["t2"]


def test_one_verdict_does_not_outweigh_a_whole_theme_that_a_claim_is_unlike():
    known, new = some(["c1", "c2", "c3", "c4"], pointing(0, 0, 0, 0)), some(["c5"], pointing(70))
    themes = ["t1"] * 4
    assert assign(new, known, themes, verdicts={("c5", "c1"): "same"}) == ["t5"]
    assert assign(new, known, themes, verdicts={("c5", claim): "same" for claim in known.claim_ids}) == ["t1"]


def test_a_theme_takes_in_no_claim_that_is_said_to_tell_another_story_than_most_of_it():
    known, new = some(["c1", "c2", "c3"], pointing(0, 0, 0)), some(["c4"], pointing(30))
    said = {("c4", "c1"): "same", ("c4", "c2"): "related", ("c4", "c3"): "different"}
    assert assign(new, known, ["t1"] * 3) == ["t1"]
    assert assign(new, known, ["t1"] * 3, verdicts=said) == ["t4"]
    assert assign(new, known, ["t1"] * 3, verdicts=said | {("c4", "c2"): "same"}) == ["t1"]


def test_where_claims_of_a_date_were_compared_only_verdicts_join():
    known, new = some(["c1", "c2"], pointing(0, 180)), some(["c3", "c4"], pointing(10, 190))
    assert assign(new, known, ["t1", "t2"]) == ["t1", "t2"]
    assert assign(new, known, ["t1", "t2"], verdicts={("c3", "c2"): "different"}) == ["t3", "t4"]
    assert assign(new, known, ["t1", "t2"], verdicts={("c3", "c1"): "same"}) == ["t1", "t4"]
    of_another_date = {("c8", "c9"): "same"}
    assert assign(new, known, ["t1", "t2"], verdicts=of_another_date) == ["t1", "t2"]


def test_the_words_around_two_points_of_one_show_on_one_day_count_for_nothing():
    words = [["halmstad", "lithium"]] * 2

    def themes(likeness: float, shows: list[str]) -> int:
        vectors = pointing(0, float(np.degrees(np.arccos(likeness))))
        return len(set(assign(some(["c1", "c2"], vectors, shows, words=words), NOBODY, ())))

    assert themes(needed() - 0.3, ["one", "other"]) == 1
    assert themes(needed() - 0.3, ["one", "one"]) == 2
    assert themes(needed() - SAME_SHOW + 0.01, ["one", "one"]) == 1


def test_loose_talk_must_be_more_alike_than_specific_claims():
    near = float(np.degrees(np.arccos(needed(IN_CONTEXT) + 0.05)))
    loose = "And so that is what we do, and it is a thing that you can do as well if you want to do it."
    assert specificity(loose) < specificity(PLAIN)
    assert len(set(assign(some(["c1", "c2"], pointing(0, near)), NOBODY, (), IN_CONTEXT))) == 1
    assert len(set(assign(some(["c1", "c2"], pointing(0, near), texts=[loose, loose]), NOBODY, (), IN_CONTEXT))) == 2


def test_claims_that_share_rare_words_need_be_less_alike():
    far = float(np.degrees(np.arccos(needed() - 0.3)))
    named, other = ["halmstad", "lithium"], ["sourdough", "utrecht"]
    assert len(set(assign(some(["c1", "c2"], pointing(0, far), words=[named, other]), NOBODY, ()))) == 2
    assert len(set(assign(some(["c1", "c2"], pointing(0, far), words=[named, named]), NOBODY, ()))) == 1
    known = some(["c1"], pointing(0), words=[named])
    assert assign(some(["c2"], pointing(far), words=[named]), known, ["t1"]) == ["t1"]


def test_a_word_counts_for_less_the_more_episodes_hold_it():
    far = float(np.degrees(np.arccos(needed() - 0.18)))
    pair = [["vessels", "lithium", "harbour"], ["vessels", "retrofitting", "sound"]]
    strangers = np.roll(pointing(*[0] * 30), 4, axis=1)

    def themes(elsewhere: list[str]) -> list[str]:
        known = some([f"d{i}" for i in range(30)], strangers, words=[elsewhere] * 30)
        return assign(some(["c1", "c2"], pointing(0, -far), words=pair), known, ["td"] * 30)

    assert len(set(themes(["sourdough"]))) == 1
    assert len(set(themes(["sourdough", "vessels"]))) == 2


def test_rare_words_are_the_names_and_terms_of_a_text():
    said = "I don't think Ryan Dahl's point is Node.js, and Oracle owns the trademark: free-threaded builds in 3.13."
    assert rare_words(said) == [
        "3.13",
        "builds",
        "dahl",
        "free-threaded",
        "node.js",
        "oracle",
        "owns",
        "ryan",
        "trademark",
    ]
    assert rare_words("") == rare_words("So that is what we do with it.") == []


def test_rare_words_of_a_table_keep_its_rows_and_its_types():
    import duckdb

    said = pd.DataFrame({"claim_id": ["c1", "c2"], "partition_date": [date(2026, 1, 14)] * 2, "said": [PLAIN, "so"]})
    found = duckdb.from_df(rare_words_of(said))
    assert [str(kind) for kind in found.types] == ["VARCHAR", "VARCHAR[]", "DATE"]
    assert [row[1] for row in found.fetchall()] == [rare_words(PLAIN), []]
    assert [str(kind) for kind in duckdb.from_df(rare_words_of(said[:0])).types] == ["VARCHAR", "VARCHAR[]", "DATE"]


def test_more_is_asked_for_where_much_is_alike():
    near = float(np.degrees(np.arccos(needed() + 0.1)))
    field = pointing(*np.linspace(-60, 60 + near, 120))
    strangers = np.roll(pointing(*np.linspace(0, 360, 120)), 4, axis=1)

    def themes(others: np.ndarray) -> int:
        ids = ["c1", "c2", *(f"d{i:03}" for i in range(120))]
        return len(set(assign(some(ids, np.vstack([pointing(0, near), others])), NOBODY, ())[:2]))

    assert themes(strangers) == 1
    assert themes(field) == 2


@pytest.mark.parametrize("in_arrow", [False, True])
def test_days_derived_one_by_one_or_together_give_the_same_themes(in_arrow):
    rng = np.random.default_rng(11)
    vectors = rng.normal(size=(80, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [(f"c{i:02}", f"2026-01-1{i % 4}", f"show{i % 5}") for i in range(80)]
    claims = frame(rows, vectors)
    pairs = [(f"c{i:02}", f"c{j:02}") for i in range(80) for j in range(i)]
    drawn = [pairs[i] for i in rng.permutation(len(pairs))[:90]]
    said = dict(zip(drawn, ["same", "related", "different"] * 30, strict=True))
    together = derive(claims, verdicts=said)
    assert not together.equals(derive(claims))
    days = [today for _, today in claims.groupby("partition_date")]
    settled = grouped(days[0], derive(days[0], verdicts=said))
    for today in days[1:]:
        shuffled = settled.sample(frac=1, random_state=3)
        found = derive(today, pa.Table.from_pandas(shuffled) if in_arrow else shuffled, said)
        settled = pd.concat([settled, grouped(today, found)])
    assert dict(zip(settled["claim_id"], settled["theme_id"], strict=True)) == dict(
        zip(together["claim_id"], together["theme_id"], strict=True)
    )


def test_a_day_added_at_the_end_changes_no_earlier_theme():
    claims = frame(
        [("c1", "2026-01-13", "a"), ("c2", "2026-01-14", "b"), ("c0", "2026-01-15", "c")], pointing(0, 15, 5)
    )
    before = derive(claims[:2])
    after = derive(claims)
    assert after[:2].equals(before)
    assert after["theme_id"].tolist() == ["t1", "t1", "t1"]
    assert after["partition_date"].tolist()[2] == date(2026, 1, 15)


def test_what_was_told_more_than_a_month_ago_is_another_story():
    claims = frame([("c1", "2026-01-13", "a"), ("c2", "2026-02-12", "b"), ("c3", "2026-03-15", "c")], pointing(0, 0, 0))
    told = derive(claims)
    assert told["theme_id"].tolist() == ["t1", "t1", "t3"]
    settled = grouped(claims[:2], told[:2])
    assert derive(claims[2:], settled)["theme_id"].tolist() == ["t3"]
    assert derive(claims[2:], settled[:0])["theme_id"].tolist() == ["t3"]


def test_a_day_without_claims_gives_a_table_of_the_right_types():
    import duckdb

    nothing = derive(frame([("c1", "2026-01-13", "a")], pointing(0))[:0])
    assert nothing.empty
    assert [str(kind) for kind in duckdb.from_df(nothing).types] == ["VARCHAR", "DATE", "VARCHAR", "DOUBLE"]


@pytest.mark.parametrize("in_arrow", [False, True])
def test_embeddings_of_two_models_are_refused_with_what_to_do(in_arrow):
    claims = frame([("c1", "2026-01-13", "a"), ("c2", "2026-01-14", "b")], pointing(0, 15))
    settled = claims[:1].assign(theme_id="t1", looseness=0.1, embedding=[np.ones(3, dtype=np.float32)])
    with pytest.raises(ValueError, match=r"3 and 8 dimensions.*different models.*embed them all again"):
        derive(claims[1:], pa.Table.from_pandas(settled) if in_arrow else settled)


def test_a_story_in_different_words_is_one_theme_and_its_neighbours_are_not():
    ferries = [
        "Halmstad's harbour ferries run on batteries now, and the crossing costs forty per cent less than on diesel.",
        "Swapping diesel engines for lithium packs paid back in six years at the Halmstad ferry line.",
        "A battery ferry in Halmstad saves so much fuel that the operator wants four more electric vessels.",
    ]
    libraries = [
        "Public libraries in Utrecht lend out drills and sewing machines, and each drill replaces thirty purchases.",
        "Utrecht found that a borrowed sewing machine at the library is used eleven times as much as one at home.",
    ]
    alone = ["Sourdough starters from different continents share nearly the same bacteria after a year in one kitchen."]
    texts = ferries + libraries + alone
    themes = [f"t{name[1:]}" for name in theme_files.group([str(i) for i in range(len(texts))], texts)]
    assert themes == ["t0", "t0", "t0", "t3", "t3", "t5"]


@pytest.mark.skipif(not SEED.is_dir(), reason="needs the seed document, ../shared/seed, which is not here")
def test_the_eleven_insights_of_the_seed_are_one_theme():
    texts = next(SEED.glob("*.txt")).read_text(encoding="utf-8").splitlines()[1:]
    assert len(texts) == 11
    assert set(theme_files.group([f"{i:02}" for i in range(len(texts))], texts)) == {"t00"}


def test_a_claims_vector_depends_on_its_text_alone():
    long = " ".join(["Ferries across the sound run on batteries charged by wind turbines at night."] * 4)
    encoder = claim_encoder()
    together, alone = encoder.encode([PLAIN, long, ""]), encoder.encode([PLAIN])
    np.testing.assert_allclose(together[0], alone[0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_windows_overlap_and_cover_every_word():
    words = [f"w{number}" for number in range(19)]
    pieces = windows(" ".join(words))
    assert all(len(piece.split()) <= 8 for piece in pieces)
    assert set(" ".join(pieces).split()) == set(words)
    assert windows("short one") == ["short one"]


def test_themes_of_a_file_come_out_in_its_order(tmp_path, capsys):
    source, target = tmp_path / "claims.jsonl", tmp_path / "themes.jsonl"
    texts = {
        "b": "Halmstad's ferries run on batteries and save forty per cent of the diesel cost.",
        "x": "Sourdough starters share nearly the same bacteria after a year in one kitchen.",
        "a": "Battery ferries in Halmstad save the diesel and cost forty per cent less to run.",
    }
    source.write_text("".join(json.dumps({"id": i, "show": "s", "text": t}) + "\n" for i, t in texts.items()))
    assert theme_files.main([str(source), str(target)]) == 0
    themes = [json.loads(line) for line in target.read_text().splitlines()]
    assert themes == [{"id": "b", "theme": "ta"}, {"id": "x", "theme": "tx"}, {"id": "a", "theme": "ta"}]
    assert "3 claims in 2 themes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ('{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}\n', "line 2: the id a occurs twice"),
        ('{"id": "a", "text": "x"}\nnot json\n', "line 2: not JSON"),
        ('{"id": "a"}\n', "line 1: wants an object"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line_and_nothing_is_written(tmp_path, capsys, lines, complaint):
    source, target = tmp_path / "claims.jsonl", tmp_path / "themes.jsonl"
    source.write_text(lines)
    assert theme_files.main([str(source), str(target)]) == 2
    assert complaint in capsys.readouterr().err
    assert not target.exists()
