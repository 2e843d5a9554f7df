"""What is told of a passage begins where its subject is named and ends with the thought."""

import numpy as np
import pytest

from include.claims.offline.passages import Passage, Sentence, sentences
from include.claims.offline.telling import GAP, Told, one_matter, told
from include.models.embedding import bundled_encoder
from include.transcripts.segment import Segment
from include.words import words

LOCK = "The northern lock of Ostrey was closed by the harbour council for the whole winter."
COST = "It costs every grain ship nine thousand crowns a day, and the shippers pay for all of it."
WHY = "The council saves money on repairs, because the lock keepers earn by the hour."


def telling(text: str, first: int, last: int) -> str:
    spoken = sentences([Segment(0, text, None)])
    vectors = bundled_encoder().encode([s.text for s in spoken])
    run = spoken[first : last + 1]
    passage = Passage(first, last, " ".join(s.text for s in run), sum(s.size for s in run))
    return told(spoken, vectors, passage, np.full(vectors.shape[1], 0.01)).text(spoken)


def test_a_passage_that_stands_is_told_as_it_is():
    assert telling(f"{LOCK} {COST} {WHY}", 0, 2) == f"{LOCK} {COST} {WHY}"


def test_a_passage_that_begins_with_it_is_told_from_where_its_subject_is_named():
    assert telling(f"Hello. {LOCK} {COST} {WHY}", 2, 3).startswith(LOCK)


def test_a_subject_named_further_off_is_brought_before_it_and_the_gap_is_marked():
    between = "And they asked for it again and again, and it was never heard by them. " * 4
    cost = "It costs every ship at the closed lock nine thousand crowns a day."
    pay = "They close it for the winter and they pay for it in grain and crowns."
    found = telling(f"{LOCK} {between}{cost} {pay}", 5, 6)
    assert found.startswith(LOCK + GAP)


@pytest.mark.parametrize(
    "dangling", ["So what do the shippers say?", "Yeah, right.", "We'll be right back.", "And then the keepers of..."]
)
def test_what_belongs_to_the_next_thought_is_not_told(dangling):
    assert telling(f"{LOCK} {COST} {dangling} {WHY}", 0, 2) == f"{LOCK} {COST}"


def test_talk_without_stops_is_told_with_stops_and_capitals_and_its_own_words():
    said = "and the lock was closed for the winter " * 3 + "so we asked the council What they would do and they told us"
    found = telling(f"{said} {said} {said}", 0, 1)
    assert found[0].isupper()
    assert found.endswith(".")
    assert " What " not in found
    assert words(found) == words(said)[: len(words(found))]


def test_a_stop_is_written_only_where_a_sentence_clearly_ends():
    def written(before: str, after: str) -> str:
        spoken = [Sentence(text, None, 0, 0, 0, len(words(text)), 0, 0, None) for text in (before, after)]
        return Told(0, 1).text(spoken)

    assert written("the lock was closed for the winter", "so we asked the council") == (
        "The lock was closed for the winter. So we asked the council."
    )
    assert written("these are tests and lab tests", "You can run to find the crack") == (
        "These are tests and lab tests you can run to find the crack."
    )


def test_the_talk_turns_where_it_says_so():
    spoken = sentences(
        [Segment(0, f"{LOCK} {WHY} Meanwhile, the tram company of Lissary sold nine trams. {COST}", None)]
    )
    vectors = bundled_encoder().encode([s.text for s in spoken])
    assert (0, 1) in one_matter(spoken, vectors, 0, 3)


def test_the_talk_turns_after_a_report_is_signed_off():
    spoken = sentences([Segment(0, f"{LOCK} {WHY} Ada Osei, Harbour News, Ostrey. {COST}", None)])
    vectors = bundled_encoder().encode([s.text for s in spoken])
    assert (0, 2) in one_matter(spoken, vectors, 0, 3)
