"""Headlines name what a passage is about, and state only what stands alone."""

from collections import Counter

import numpy as np
import pytest

from include.claims.claim import Episode
from include.claims.offline.headlines import headline
from include.claims.offline.names import Names
from include.claims.offline.statements import LONGEST
from include.models.embedding import bundled_encoder
from include.words import words

TOLD = (
    "Do they want to take it from the seniors, so that the nursing homes of Ostrey lose 800 million crowns? It makes "
    "it worse, and this is what the harbour council never asked."
)
BEFORE = "The heating allowance was cut in spring. We said that the heating allowance would go."


def line(told: str, before: str = "", near: str | None = None, title: str = "", spoken: str = "") -> str:
    names = Names(Episode("e", "Harbour Talk", title), [spoken or f"{before} {told}"])
    near = f"{before} {told}" if near is None else near
    return headline(told, before, Counter(words(near)), names, meaning(told))


def meaning(told: str) -> np.ndarray:
    return bundled_encoder().encode([told])[0]


def test_a_topic_line_names_people_things_and_figures_of_the_passage_and_asserts_nothing():
    found = line(TOLD, BEFORE)
    topic, _, details = found.partition(": ")
    assert topic
    assert "800 million crowns" in details
    assert "makes" not in found


@pytest.mark.parametrize(
    "told",
    [
        TOLD,
        "You know, it is what it is, and they told us that the transformers would be late again, again and again.",
        "The council says 99 of the 120 ferries, which were built in the yard, need engines, horns, lamps and bolts.",
    ],
)
def test_a_headline_is_short_and_all_of_them_were_said(told):
    found = line(told, BEFORE)
    assert len(found.split()) <= LONGEST
    assert set(words(found)) <= set(words(f"{BEFORE} {told}"))


def test_a_topic_is_what_is_said_again_and_again_around_the_passage():
    told = "And did the keepers find a crack, so that the grain waits for the tide at the ferry?"
    near = f"{told} The ferry was built in June. Who pays for the ferry? The ferry is old."
    assert line(told, near=near).startswith("Ferry")


def test_a_topic_of_the_title_is_preferred():
    told = "They carried the turbines, and then it came with invoices."
    assert line(told, title="Who pays for invoices").startswith("Invoices")


def test_where_the_passage_names_little_its_topic_is_taken_from_just_before():
    before = "The pension fund of Ostrey lost money. Who looks after the pension fund? The pension fund does."
    assert line("They just put it all on one thing, and that was the problem with it.", before).startswith(
        "Pension fund"
    )


def test_a_name_is_told_in_full_where_the_episode_has_it_in_full():
    told = "They met Varga there, and it was about the tariff."
    assert "Ilona Varga" in line(told, spoken=f"Ilona Varga came. We asked Ilona Varga. {told}")


@pytest.mark.parametrize(
    ("told", "stated"),
    [
        ("And the tariff of Ostrey doubled in June.", "The tariff of Ostrey doubled in June"),
        ("Grain prices rose by 40 percent in a week.", "Grain prices rose by 40 percent in a week"),
        ("For instance, grain prices rose by 40 percent.", "Grain prices rose by 40 percent"),
        ("I think that grain prices rose by 40 percent.", "Grain prices rose by 40 percent"),
        ("It turns out that grain prices rose by 40 percent.", "Grain prices rose by 40 percent"),
        ("We paid more, because grain prices rose by 40 percent.", "Grain prices rose by 40 percent"),
        ("Ostrey lost its grain to a leak, which we all knew.", "Ostrey lost its grain to a leak"),
        (
            "The Ostrey Times of last Sunday, in a report on the mills and the harbours of the whole coast, reported "
            "that grain prices rose by 40 percent.",
            "Ostrey Times: Grain prices rose by 40 percent",
        ),
    ],
)
def test_a_clause_that_stands_alone_is_stated_without_what_leads_into_it_or_only_adds(told, stated):
    assert line(told) == stated


@pytest.mark.parametrize(
    "told",
    [
        "They doubled the tariff of Ostrey in June.",
        "Did the tariff of Ostrey double in June?",
        "The tariff of Ostrey doubled after that vote.",
        "Because the tariff of Ostrey doubled in June.",
        'The mayor of Ostrey said "tariffs double in June".',
        "What the mayor of Ostrey wants is a tariff.",
        "The tariff of Ostrey doubled in June. No, it did not.",
        "I don't think that the tariff of Ostrey doubled in June.",
        "If the mayor goes, I think the tariff of Ostrey doubled in June.",
        "Our tariff for Ostrey doubled in June.",
        "The mayor bought it from Ostrey in June.",
        "the tariff of Ostrey doubled in June and",
    ],
)
def test_what_leans_asks_quotes_breaks_off_hangs_on_a_condition_or_is_denied_is_not_stated(told):
    stated, _, _ = line(told).partition("“")
    assert "doubled" not in stated
    assert "bought" not in stated


def test_a_condition_stays_with_what_it_bears_on():
    told = "If the council of Ostrey closes the mill, the grain millers lose 800 million crowns."
    assert line(told) == told.strip(".")


def test_of_several_statements_the_one_most_like_the_passage_is_told():
    told = (
        "The mayor of Ostrey wore a hat from Lissary. The grain silo lost 40 percent of its grain to weevils. Weevils "
        "eat grain in every silo of the harbour, and the grain was stored for a winter."
    )
    assert "weevils" in line(told).lower()
    assert "hat" not in line(told)


def test_what_is_said_of_something_named_elsewhere_is_quoted_with_its_topic():
    told = "Does nobody know the harbour ferry of Ostrey? It carries 900 tonnes of grain across the estuary."
    topic, _, quoted = line(told).partition(": ")
    assert "ferry" in topic.lower()
    assert quoted == "“It carries 900 tonnes of grain across the estuary”"


def test_what_points_at_something_is_not_quoted_without_its_topic():
    told = "Does the harbour ferry of Ostrey leak? You can't mend it with grain and bolts. Do bolts rust, the bolts?"
    topic, _, quoted = line(told).partition(": ")
    assert "“" not in topic
    assert quoted


def test_what_somebody_does_is_quoted_under_the_last_name_before_it_or_not_at_all():
    told = "Does Mayor Ada Osei know the harbour ferry of Ostrey? She sold 900 tonnes of grain to the estuary mills."
    assert "“" not in line(told), "the last name is a place"
    told = "Is the harbour ferry of Ostrey known to Ada Osei? She sold 900 tonnes of grain to the estuary mills."
    assert line(told) == "Ada Osei: “She sold 900 tonnes of grain to the estuary mills”"


def test_what_the_speakers_say_of_themselves_is_not_hung_on_somebody_they_name():
    told = "Does Ada Osei know the harbour ferry of Ostrey? We sold 900 tonnes of grain to the estuary mills."
    assert "“" not in line(told)


def test_what_points_at_two_unnamed_things_is_not_quoted():
    assert "“" not in line("Does nobody know the harbour ferry of Ostrey? It makes it worse for grain and for them.")


def test_that_something_is_there_is_no_statement():
    told = "There have been tests at Harrow and Sons. Mara Voss found that wet clay cracks at nine hundred degrees."
    assert line(told) == "Mara Voss found that wet clay cracks at nine hundred degrees"
    assert "There" not in line("There have been experiments done at the kilns of Harrow and Sons in Skagen.")


def test_a_denial_stays_with_what_it_denies():
    assert "no evidence" in line("There is no evidence for a leak.").lower()


def test_figures_keep_what_they_count():
    found = line("The ministry of Ostrey counts 200 leaking hulls. They want to repair it with that.")
    assert "200 leaking hulls" in found


def test_what_names_nothing_has_no_headline_of_its_own():
    assert line("It is what it is, and they do that.") == ""


def test_nothing_is_stated_of_talk_whose_stops_are_guessed():
    told = "The tariff of Ostrey doubled in June."
    names = Names(Episode("e", "Harbour Talk", ""), [told])
    assert headline(told, "", Counter(words(told)), names, meaning(told), [" ".join(words(told))]) == told.strip(".")
    assert words(headline(told, "", Counter(words(told)), names, meaning(told), [])) != words(told)


def test_a_report_is_not_headed_by_its_reporter():
    names = Names(Episode("e", "Lissary News", ""), [])
    told = "Lissary's Ada Osei has more, and they found the turbines in a warehouse of the harbour."
    assert "Osei" not in headline(told, "", Counter(words(told)), names, meaning(told))
