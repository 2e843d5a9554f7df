"""Sentence ends in talk that was written down without stops."""

from itertools import pairwise

from include.claims.offline.borders import LONGEST, SHORTEST, ends
from include.words import words

TALK = (
    "i think the council should have asked the keepers about it i don't know why nobody did that you know the "
    "problem is that the lock was never built for ships of this size and there are a lot of people who told them "
    "so what happened was that they closed it"
)


def pieces(text: str) -> list[str]:
    starts = [0, *ends(text), len(text)]
    return [text[a:b] for a, b in pairwise(starts)]


def test_a_sentence_ends_where_the_words_around_the_gap_say_so():
    assert "should have asked the keepers about it " in pieces(TALK)
    assert pieces(TALK)[-1] == "so what happened was that they closed it"


def test_no_word_is_lost_and_no_sentence_is_longer_than_forty_words():
    endless = " ".join(f"word{i}" for i in range(300))
    for text in (TALK, endless, f"{TALK} {endless}"):
        assert "".join(pieces(text)) == text
        assert all(SHORTEST <= len(words(piece)) <= LONGEST for piece in pieces(text))


def test_a_few_words_are_one_sentence():
    assert ends("we asked the keepers about it") == []
    assert ends("") == []


def test_talk_that_says_the_same_fifty_thousand_times_is_cut_as_well():
    text = "piers cost more " * 50_000
    assert "".join(pieces(text)) == text
    assert max(len(words(piece)) for piece in pieces(text)) <= LONGEST
