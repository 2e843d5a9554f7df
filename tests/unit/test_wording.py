"""Spoken passages made readable: what goes, and that nothing changes its meaning."""

import pytest

from include.claims.wording import headline, readable


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("And, um, the pier, you know, costs more than it earns", "The pier costs more than it earns."),
        ("the the pier costs more", "The pier costs more."),
        ("Yeah, right, the pier is closed.", "The pier is closed."),
        ("No step of the law asks for a pier.", "No step of the law asks for a pier."),
        ("Now rents are twice what they were.", "Now rents are twice what they were."),
        ("It dates from twenty twenty-one.", "It dates from twenty twenty-one."),
        ("It dates from twenty twenty.", "It dates from twenty twenty."),
        ("[laughter] The pier is closed.", "The pier is closed."),
    ],
)
def test_what_speech_leaves_behind_goes_and_meaning_stays(spoken, written):
    assert readable(spoken) == written


def test_a_headline_is_the_opening_of_a_sentence_and_never_its_end():
    passage = "Startups keep their code closed, because clouds take what others built and sell it on."
    assert headline(passage) in passage
    assert not headline(passage).startswith("Clouds take")


def test_a_headline_has_at_most_twelve_words_and_keeps_a_no():
    found = headline("No step of the planning law in all of Ostrey asks whether a hall will keep its heat for long.")
    assert found.startswith("No step of the planning law")
    assert len(found.split()) <= 12
