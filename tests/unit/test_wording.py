"""Spoken passages made readable: what goes, and that nothing changes its meaning."""

import pytest

from include.claims.offline.wording import readable


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("And, um, the pier, you know, costs more than it earns", "The pier costs more than it earns."),
        ("the the pier costs more", "The pier costs more."),
        ("Yeah, right, the pier is closed.", "The pier is closed."),
        ("No step of the law asks for a pier.", "No step of the law asks for a pier."),
        ("Now rents are twice what they were.", "Now rents are twice what they were."),
        ("And so far the pier is closed", "So far the pier is closed."),
        ("So many piers are closed.", "So many piers are closed."),
        ("Well-known piers close first.", "Well-known piers close first."),
        ("So-called piers close first.", "So-called piers close first."),
        ("It dates from twenty twenty-one.", "It dates from twenty twenty-one."),
        ("It dates from twenty twenty.", "It dates from twenty twenty."),
        ("The pier is old, right? And it costs a lot.", "The pier is old. And it costs a lot."),
        ("The pier is old. Anyway, I- And the pier is closed.", "The pier is old. And the pier is closed."),
        ("The pier is old and you know we like it.", "The pier is old and we like it."),
        ("They ask what you know about the pier.", "They ask what you know about the pier."),
        ("[laughter] The pier is closed.", "The pier is closed."),
        ("When we -- obviously, we at Ostrey own a pier, it pays.", "When we at Ostrey own a pier, it pays."),
    ],
)
def test_what_speech_leaves_behind_goes_and_meaning_stays(spoken, written):
    assert readable(spoken) == written


def test_nods_between_sentences_go():
    assert readable("The pier is closed. Yeah. Oh, that's pretty interesting. It was sold.") == (
        "The pier is closed. It was sold."
    )


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        (
            "Check this out. Doctors Without Borders. The pier of Ostrey was sold to its fishermen for a single crown, "
            "and it earns more than it did. Maybe.",
            "The pier of Ostrey was sold to its fishermen for a single crown, and it earns more than it did.",
        ),
        ("> The pier of Ostrey was sold. > > It was cheap.", "The pier of Ostrey was sold. It was cheap."),
        ("Out of my way. The pier is closed.", "Out of my way. The pier is closed."),
    ],
)
def test_what_says_nothing_at_either_end_goes_where_enough_is_left(spoken, written):
    assert readable(spoken) == written


def test_a_first_sentence_that_leans_on_what_is_not_told_goes_where_the_next_stands_alone():
    rest = (
        "The pier of Ostrey was sold to its fishermen for a single crown in the spring of that year, and it earns more "
        "than it did when the town still owned it and paid for its repair."
    )
    assert readable(f"Also being compatible with all of that has been hard. {rest}") == rest
    assert readable(f"That has been hard. It was. {rest}").startswith("That has been hard.")
    assert readable("That has been hard for all of us. The pier is closed.").startswith("That has been hard")
