"""Where claims contradict each other: what is plain is found, and nothing is called a dissent that is none."""

from datetime import date

import pandas as pd
import pytest

from include.themes.dissent import between, derive

CONTRADICTIONS = [
    ("number", "Ferries in Halmstad save 40 percent of the fuel.", "The ferries in Halmstad save 60% of the fuel."),
    ("number", "The Halmstad operator bought four vessels.", "Last spring the Halmstad operator bought nine vessels."),
    ("number", "The outage cost the airline $5 million.", "The outage cost the airline $20 million."),
    ("number", "The outage cost five million dollars.", "The outage cost the airline twenty million dollars."),
    ("polarity", "Intel will build the plant in Ohio.", "Intel will not build the plant in Ohio."),
    ("polarity", "Memory prices rise in the laptop market.", "Memory prices fall in the laptop market."),
    ("polarity", "Rewrites in Rust are safe for kernels.", "Rewrites in Rust are dangerous for kernels."),
]
AGREEMENTS = {
    "a bound": ("Ferries save 40 percent of the fuel cost.", "Ferries save more than 30 percent of the fuel cost."),
    "two years": ("In 2023 the firm sold four ferries.", "In 2024 the firm sold nine ferries."),
    "two places": ("The Halmstad firm bought four vessels.", "The Stockholm firm bought nine vessels."),
    "two markets": ("Memory prices rise in the laptop market.", "Memory prices fall in the phone market."),
    "a rounding": ("The outage cost the airline $5 million.", "The outage cost the airline $5.2 million."),
    "two measures": ("Ferries save 40 percent of fuel.", "Ferries save 9 tons of fuel."),
    "one and the other denied": ("Intel builds the plant.", "Intel does not expect that the plant in Ohio pays."),
    "two opposites that cancel": ("Prices will not rise this year.", "Prices fall this year."),
    "the same again": ("Memory prices rise in the laptop market.", "Memory prices rise in the laptop market."),
    "nothing": ("", "Memory prices rise."),
}


@pytest.mark.parametrize(("kind", "one", "other"), CONTRADICTIONS)
def test_a_plain_contradiction_is_found_whichever_claim_comes_first(kind, one, other):
    for found in (between(one, other), between(other, one)):
        assert found is not None
        assert found.kind == kind


@pytest.mark.parametrize("case", AGREEMENTS)
def test_what_can_both_be_true_is_no_dissent(case):
    one, other = AGREEMENTS[case]
    assert between(one, other) is None
    assert between(other, one) is None


def test_the_detail_names_both_sides_in_plain_words():
    assert between("The outage cost the airline $5 million.", "The outage cost the airline $20 million.").detail == (
        "One says $5 million, the other $20 million."
    )
    assert between(*CONTRADICTIONS[5][1:]).detail == "One says “rise”, the other “fall”."
    assert (
        between(*CONTRADICTIONS[4][1:]).detail == "One says “Intel will build the plant in Ohio”, the other denies it."
    )


def claims(*rows: tuple[str, str, str, str, str]) -> pd.DataFrame:
    columns = ["claim_id", "theme_id", "episode_id", "partition_date", "insight"]
    return pd.DataFrame(rows, columns=columns).astype({"partition_date": "datetime64[ns]"})


def test_claims_are_compared_within_a_theme_and_across_episodes_at_the_date_of_the_later_one():
    _, five, twenty = CONTRADICTIONS[2]
    found = derive(
        claims(
            ("c2", "t1", "e2", "2026-01-14", twenty),
            ("c1", "t1", "e1", "2026-01-13", five),
            ("c3", "t1", "e1", "2026-01-13", twenty),
            ("c4", "t2", "e4", "2026-01-14", five),
        )
    )
    assert found.to_dict("records") == [
        {
            "theme_id": "t1",
            "claim_id": "c2",
            "other_claim_id": "c1",
            "partition_date": date(2026, 1, 14),
            "kind": "number",
            "detail": "One says $20 million, the other $5 million.",
        }
    ]


def test_days_compared_one_by_one_give_the_same_as_all_together():
    _, five, twenty = CONTRADICTIONS[2]
    told = claims(
        ("c1", "t1", "e1", "2026-01-13", five),
        ("c2", "t1", "e2", "2026-01-14", twenty),
        ("c3", "t1", "e3", "2026-01-15", five),
    )
    by_day = [derive(told[:last], told["partition_date"][last - 1].date()) for last in (1, 2, 3)]
    assert [len(day) for day in by_day] == [0, 1, 1]
    assert pd.concat(by_day, ignore_index=True).equals(derive(told))


def test_a_day_without_dissent_gives_a_table_of_the_right_types():
    import duckdb

    nothing = derive(claims(("c1", "t1", "e1", "2026-01-13", "Prices rise.")))
    types = [str(kind) for kind in duckdb.from_df(nothing).types]
    assert types == ["VARCHAR", "VARCHAR", "VARCHAR", "DATE", "VARCHAR", "VARCHAR"]
