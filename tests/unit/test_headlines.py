"""Headlines are cut out of what was said, and a cut never says anything else."""

import re

import pytest

from include.claims.offline.headlines import LONGEST, headline

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


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (
            "The lamps make the quay of the harbour of Ostrey in the north way, way brighter than the old "
            "ones ever did.",
            "The lamps make the quay of the harbour of Ostrey…",
        ),
        (
            "The way the council runs the port is through fees, I'm. They sold it.",
            "The way the council runs the port is through fees…",
        ),
        (
            "In many harbours, even a hundred lamps may not be enough to light all of the piers that the "
            "town has built "
            "in the north.",
            "In many harbours, even a hundred lamps may not be enough to light…",
        ),
        (
            "The skippers drink tea with the keepers of the northern lock or repair the gate with tools from the old "
            "shipyard.",
            "The skippers drink tea with the keepers of the northern lock…",
        ),
        ("The lock closed for good in June, something like that.", "The lock closed for good in June"),
        ("The northern gate is closed at noon, it takes two pilots to open it.", "The northern gate is closed at noon"),
        (
            "At least sixty boats, I think, last time I counted them in Ostrey.",
            "At least sixty boats, I think, last time I counted them in Ostrey",
        ),
        (
            "A different kind of ferry, because those are night ferries, and we are talking about boats "
            "that sail by day.",
            "Those are night ferries",
        ),
        (
            "The lamps that we had - no wait, the piers of Ostrey need forty lamps. The gate needs nine pilots.",
            "The gate needs nine pilots",
        ),
        (
            "Taking a lamp from the pier and selling it to the yard is really difficult.",
            "Taking a lamp from the pier and selling it…",
        ),
        ("The lamps of Ostrey cost the town a crown... It is dark.", "The lamps of Ostrey cost the town a crown"),
        (
            "They sold it to the northern bank, literally the one that owns the yard.",
            "They sold it to the northern bank, the one that owns the yard",
        ),
        (
            "The council would like to buy it, even though the bank of Ostrey refuses the loan for the ferry.",
            "The bank of Ostrey refuses the loan for the ferry",
        ),
        (
            'We said "oh, the pier is closed for the winter" to them.',
            'We said "the pier is closed for the winter" to them',
        ),
    ],
)
def test_a_headline_begins_and_ends_where_a_part_of_the_claim_does(passage, expected):
    assert headline(passage) == expected


def test_the_numerals_of_a_list_are_left_out_and_other_numbers_stay():
    listed = "We wrote three rules. 1. Every boat pays at the gate 2. Every skipper signs the book 3. It closes at noon"
    assert headline(listed) == "Every boat pays at the gate"
    assert headline("The yard builds nothing but Ferry 2. It sails at noon.") == "The yard builds nothing but Ferry 2"
    assert headline("In the north the ferry takes you to pier 9. From there you walk to pier 10.").endswith("pier 9")


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (
            "So far, the council of Ostrey has paid for nothing but the pier.",
            "So far, the council of Ostrey has paid for nothing but the pier",
        ),
        (
            "The pilots never really trusted the gate of the northern lock.",
            "The pilots never really trusted the gate of the northern lock",
        ),
        ("I thought the gate was free of charge for boats.", "I thought the gate was free of charge for boats"),
        ("You say the northern gate is closed for repair.", "You say the northern gate is closed for repair"),
        (
            "We think maybe one or two percent of skippers who start in Ostrey are going to sail all the "
            "way to the end.",
            "We think maybe one or two percent of skippers who start…",
        ),
        (
            "If the tide is low and the wind comes from the north, the pilots of Ostrey refuse every ship. It is fine.",
            "If the tide is low and the wind comes from the north…",
        ),
        (
            "If the tide is low, the pilots of Ostrey wait for an hour, and the northern gate stays shut for everybody "
            "who lives there.",
            "If the tide is low, the pilots of Ostrey wait for an hour…",
        ),
        (
            "Ferries stop if the wind from the north is strong and the lamps on the pier are out for more "
            "than an hour.",
            "Ferries stop if the wind from the north is strong…",
        ),
        (
            "Nobody repairs the boats of the northern harbour on Sundays or feast days with the old tools of the yard.",
            "Nobody repairs the boats of the northern harbour on Sundays or feast days…",
        ),
        (
            "We sail the new ferries at night using the lamps of the northern pier and the horn of the old gate at the "
            "mouth of the lock.",
            "We sail the new ferries at night using the lamps of the northern pier…",
        ),
        (
            "If the council of Ostrey refuses the loan for the new pier, I think the northern yard will close in June.",
            "If the council of Ostrey refuses the loan for the new pier…",
        ),
        (
            "The result would be that the bank of Ostrey loses nine million crowns.",
            "The result would be that the bank of Ostrey loses nine million crowns",
        ),
        (
            "The ferries of Ostrey carried 900 more people compared to the year before.",
            "The ferries of Ostrey carried 900 more people compared to the year before",
        ),
    ],
)
def test_what_is_left_out_never_makes_more_of_a_claim_than_was_said(passage, expected):
    assert headline(passage) == expected


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (
            "So the reason I brought it up is ferries halved the price of bread for the islands in the north.",
            "Ferries halved the price of bread for the islands in the north",
        ),
        ("The reason is that the keepers had no tools. It was cold that winter.", "The keepers had no tools"),
        ("The thing needs nine pilots. You need nine pilots at the lock.", "You need nine pilots at the lock"),
        ("Some fishermen might see this like, oh, it just means a second pier.", "It means a second pier"),
        (
            "I was in the shipyard of Ostrey for six years as a welder. You can build a ferry there.",
            "You can build a ferry there",
        ),
        (
            'The northern pier is a ruin of Ostrey." We sold it to nine fishermen for a crown.',
            "We sold it to nine fishermen for a crown",
        ),
        (
            "Cheaper orders saved the town 900 crowns. So from April, the harbour must try one more lamp.",
            "Cheaper orders saved the town 900 crowns",
        ),
        ("That they sold the pier is a shame. It's dear to repair it.", "That they sold the pier is a shame"),
    ],
)
def test_the_clause_that_says_what_it_is_about_is_preferred(passage, expected):
    assert headline(passage) == expected


def test_a_question_is_no_headline_where_anything_else_is_said():
    passage = "Would the town sell its pier and lamps to nine fishermen? Because of the price of lamps."
    assert headline(passage) == "Because of the price of lamps"


def test_a_passage_without_a_statement_gives_its_opening_words_and_says_that_they_break_off():
    assert headline(
        "Over sixty boats a month, which, at the prices of that year and with the crews they had, more"
    ).endswith("…")
