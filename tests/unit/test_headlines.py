"""Headlines are cut out of what was said, and a cut never says anything else."""

import re

import pytest

from include.claims.headlines import LONGEST, headline

PASSAGES = [
    "So one of the things we saw is that the inference costs of language models have dropped compared to last year.",
    "Startups keep their code closed, because clouds take what others built and sell it on, and nobody stops them.",
    "No step of the planning law in all of Ostrey asks whether a hall will keep its heat for the next sixty years.",
    "Well, you know, if the lock gate breaks again, the grain ships of three countries wait in the river for weeks.",
    "And the old plugins, even though they were written in a language that nobody teaches any more, might still work.",
    "Yeah, yeah. And the, um, the pier. Not a whole lot, really, of any of that stuff with the boats and so on.",
]


@pytest.mark.parametrize("passage", PASSAGES)
def test_a_headline_holds_words_of_the_passage_in_their_order_and_no_more_than_fourteen(passage):
    found = headline(passage)
    words = re.findall(r"[a-z']+", found.lower())
    spoken = iter(re.findall(r"[a-z']+", passage.lower()))
    assert words
    assert all(word in spoken for word in words)
    assert len(found.split()) <= LONGEST


@pytest.mark.parametrize(
    ("passage", "kept"),
    [
        ("I don't think that the helium plant will open again before the summer of next year.", "don't think"),
        ("If the tide is low, the gate cannot be opened by the people who work at the lock.", "if the tide is low"),
        ("The ministry says the lock was never inspected by its engineers, not once in ten years.", "never"),
        ("Unless the council votes for it, the hall will lose its heat in the coming winter.", "unless"),
    ],
)
def test_a_condition_a_denial_or_a_source_is_not_left_out(passage, kept):
    assert kept in headline(passage).lower()


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (PASSAGES[0], "The inference costs of language models have dropped compared to last year"),
        ("I think the lock gate costs two million crowns.", "The lock gate costs two million crowns"),
        ("They laid people off, because the cost of capital is much higher.", "The cost of capital is much higher"),
        (
            "Is that so? Would they? Grain prices rose by 40 percent in a week.",
            "Grain prices rose by 40 percent in a week",
        ),
    ],
)
def test_what_leads_into_a_statement_goes(passage, expected):
    assert headline(passage) == expected


def test_a_statement_about_things_is_preferred_to_one_about_it_or_them():
    passage = "It turned out badly for them. The transformers of Lissary had been repaired with parts from a tram."
    assert headline(passage) == "The transformers of Lissary had been repaired with parts from a tram"


def test_a_passage_without_a_statement_gives_its_opening_words_and_says_that_they_break_off():
    assert headline(
        "Over sixty boats a month, which, at the prices of that year and with the crews they had, more"
    ).endswith("…")
