"""What an episode's notes call the matters that it speaks of."""

import numpy as np
import pytest

from include.claims.claim import Episode
from include.claims.offline.extractor import OfflineExtractor
from include.claims.offline.notes import Chapter, Notes, chapters
from include.claims.offline.passages import sentences
from include.models.embedding import bundled_encoder
from include.transcripts.segment import Segment

LISTED = (
    "Ada talks with Ben Osei. (0:00) Intro (1:30) Why the ferries of Ostrey are late (20:05) Ad Break "
    "(21:00) Harbour fees, Part 2 (1:02:10) Tool: Tide tables Follow us: https://harbour.example"
)
FERRIES = "The yard has three ferries to mend and two welders, so nobody crosses the strait before June."


def notes(description: str = "", title: str = "") -> Notes:
    return Notes(Episode("e", "Harbour Talk", title, description))


def meaning(text: str) -> np.ndarray:
    return bundled_encoder().encode([text])[0]


def test_a_description_lists_its_chapters_by_their_times():
    assert chapters(LISTED) == [
        Chapter(0, "Intro"),
        Chapter(90, "Why the ferries of Ostrey are late"),
        Chapter(1205, "Ad Break", sells=True),
        Chapter(1260, "Harbour fees, Part 2"),
        Chapter(3730, "Tool: Tide tables"),
    ]


@pytest.mark.parametrize(
    "description",
    [
        "",
        "We meet at 9:30 and at 10:15.",
        "The trains leave at 18:05, 17:30 and 17:10.",
        "The tide turns at 4:10, 10:25 and 16:40.",
    ],
)
def test_times_of_day_are_no_chapters(description):
    assert chapters(description) == []


def test_a_passage_is_named_by_its_chapter():
    assert notes(LISTED).matter(95.0, meaning(FERRIES)) == "Why the ferries of Ostrey are late"
    assert notes(LISTED).matter(1300.0, meaning(FERRIES)) == "Harbour fees"
    assert notes(LISTED).matter(4000.0, meaning(FERRIES)) == "Tide tables"


def test_a_chapter_that_says_nothing_or_sells_names_nothing():
    for seconds in (10.0, 1230.0, None):
        assert notes(LISTED).matter(seconds, meaning(FERRIES)) == ""
    guest = "0:00 Ben Osei 1:00 Pilots 2:00 Harbour fees"
    assert notes(guest, "Ben Osei on the strait and its winter storms").matter(5.0, meaning("Nobody pays.")) == ""


def test_of_a_long_chapter_the_part_names_a_passage_that_is_like_it():
    long = "0:00 Start 1:00 Ferries late in Ostrey again; Fees at the fish market; Who pays the harbour pilots 9:00 End"
    assert notes(long).matter(70.0, meaning(FERRIES)) == "Ferries late in Ostrey again"


def test_without_chapters_a_part_of_the_title_names_what_is_like_it():
    title = "Fees at the fish market, Ferries late in Ostrey, with Ben Osei"
    assert notes(title=title).matter(None, meaning(FERRIES)) == "Ferries late in Ostrey"
    assert notes(title=title).matter(None, meaning("My sourdough needs a day to rise.")) == ""


def test_a_chapter_is_a_part_of_the_talk():
    talk = [Segment(i, "The ferry waits for the tide.", None, i * 60.0) for i in range(4)]
    parts = [sentence.part for sentence in notes("0:00 Intro 1:00 Ferries 3:00 Fees").parted(sentences(talk))]
    assert parts == [1, 2, 2, 3]


def test_what_lies_in_a_chapter_of_a_sponsor_is_no_claim():
    said = f"{FERRIES} Crossings fell by forty percent because the two welders were lent to the navy for a year."
    talk = [Segment(i, said.replace("June", month), None, i * 60.0) for i, month in enumerate(("May", "July", "March"))]
    episode = Episode("e", "Harbour Talk", "Ferries", "0:00 Ferries 1:00 Sponsors: Voltly 2:00 Fees")
    found = OfflineExtractor().extract(episode, talk)
    assert not any("July" in claim.quote for claim in found.claims)
    assert any("July" in one.quote for one in found.dropped if one.reason == "advertisement")
