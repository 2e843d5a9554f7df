"""Quotes are found where they were said, and what nobody said is noticed."""

import random

import pytest

from include.claims.facts import spellings, unsupported
from include.claims.grounding import WordIndex, matching_speaker
from include.transcripts.segment import Segment
from include.words import words

TALK = [
    Segment(0, "Welcome back to the workshop.", "Mara Voss", 0.0),
    Segment(1, "So, um, we rebuilt the kiln last spring. The new lining cut our gas bill by forty percent, you know, "
               "which nobody on the team expected. And it paid for itself in eleven weeks.", "Theo Lindqvist", 12.5),
    Segment(2, "Eleven weeks? That is faster than the brochure says.", "Mara Voss"),
    Segment(3, "It surprised Harrow & Sons too, who sold it to us.", "Theo Lindqvist"),
    Segment(4, "And it paid for itself in eleven weeks, he said, and I wrote that down.", "Mara Voss", 61.0),
]  # fmt: skip


@pytest.fixture(scope="module")
def talk() -> WordIndex:
    return WordIndex(TALK)


def test_a_quote_is_found_whatever_its_case_spacing_and_punctuation(talk):
    passage = talk.locate("THE NEW LINING — cut our gas  bill, by forty percent")
    assert passage.quote == "The new lining cut our gas bill by forty percent"
    assert (passage.first_segment, passage.last_segment, passage.likeness) == (1, 1, 100)


def test_a_passage_knows_its_speaker_and_the_last_time_before_it(talk):
    passage = talk.locate("It surprised Harrow & Sons too, who sold it to us.")
    assert passage.speakers == ("Theo Lindqvist",)
    assert passage.start_seconds == 12.5


def test_a_transcript_without_times_gives_none():
    passage = WordIndex([Segment(0, "We never looked back after that winter.")]).locate(
        "we never looked back after that"
    )
    assert passage.start_seconds is None
    assert passage.speakers == ()


def test_a_quote_may_run_over_several_segments_and_names_the_one_who_says_most_first(talk):
    passage = talk.locate("it paid for itself in eleven weeks. Eleven weeks? That is faster than the brochure says.")
    assert (passage.first_segment, passage.last_segment) == (1, 2)
    assert passage.speakers == ("Mara Voss", "Theo Lindqvist")
    assert "\n" not in passage.quote


def test_of_two_places_the_one_that_was_named_wins(talk):
    quote = "And it paid for itself in eleven weeks"
    assert talk.locate(quote).first_segment == 1
    assert talk.locate(quote, around=(4, 4)).first_segment == 4
    assert talk.locate(quote, around=(3, 4)).first_segment == 4


def test_a_close_copy_is_snapped_to_the_words_that_were_said(talk):
    passage = talk.locate("the new lining cut our gas bill by forty percent, which nobody in the team had expected")
    assert (
        passage.quote
        == "The new lining cut our gas bill by forty percent, you know, which nobody on the team expected."
    )
    assert 85 <= passage.likeness < 100


@pytest.mark.parametrize(
    "quote",
    [
        "we rebuilt the roof last autumn and the new tiles doubled what we pay for heating every year",
        "it paid the bill",
        "the lining of the new kiln saved us so much gas that we could hire two more people in spring",
        "",
        "…?!",
    ],
)
def test_what_was_not_said_is_not_found(talk, quote):
    assert talk.locate(quote) is None


def test_every_quote_found_is_made_of_the_transcripts_own_words(talk):
    spoken = " ".join(talk.words)
    for segment in TALK:
        for cut in range(3):
            shortened = " ".join(segment.text.split()[cut : len(segment.text.split()) - cut])
            passage = talk.locate(shortened)
            if passage is not None:
                assert f" {' '.join(words(passage.quote))} " in f" {spoken} "


def test_words_are_the_same_as_those_that_claims_are_compared_by():
    text = "Don’t — it’s “naïve”: 3.5x İstanbul’s e\u200bmission, snake_case and ΑΒΓ."
    assert WordIndex([Segment(0, text)]).words == words(text)


def test_hidden_characters_reach_no_quote():
    said = "The \u202efirst\u202c reactor ran\u200b for ninety\u2066 days\u2069 without a single fault\u0007 at all."
    passage = WordIndex([Segment(0, said)]).locate("the first reactor ran for ninety days without a single fault")
    assert passage.quote == "The first reactor ran for ninety days without a single fault"


def test_a_quote_is_completed_to_whole_sentences(talk):
    passage = talk.whole_sentences(talk.locate("lining cut our gas bill by forty percent, you know, which nobody"))
    assert passage.quote.startswith("The new lining")
    assert passage.quote.endswith("on the team expected.")


def test_a_transcript_without_punctuation_is_left_as_it_is():
    said = "so the thing is that we measured it twice and both times the pump used less power than the lamp next to it"
    transcript = WordIndex([Segment(0, "and " * 20 + said + " and" * 20)])
    assert transcript.whole_sentences(transcript.locate(said)).quote == said


def test_an_overlong_quote_is_cut_at_a_sentences_end():
    sentence = "This is the {} sentence about the same long matter of bridges and their hidden joints."
    said = " ".join(sentence.format(i) for i in range(20))
    transcript = WordIndex([Segment(0, said)])
    passage = transcript.whole_sentences(transcript.locate(said))
    assert len(words(passage.quote)) <= 120
    assert passage.quote.endswith("joints.")


def test_a_long_transcript_is_indexed_once_and_then_searched_quickly():
    source = random.Random(7)
    vocabulary = [f"word{i}" for i in range(4000)]
    segments = [Segment(i, " ".join(source.choices(vocabulary, k=60))) for i in range(1000)]
    transcript = WordIndex(segments)
    assert len(transcript.words) == 60_000
    for position in source.sample(range(1000), 50):
        taken = segments[position].text.split()
        copied = " ".join(taken[5:25] + taken[27:45])
        passage = transcript.locate(copied)
        assert (passage.first_segment, passage.last_segment) == (position, position)


# Facts


def missing(text: str, source: str):
    return unsupported(text, source, spellings(source))


@pytest.mark.parametrize(
    ("claimed", "said"),
    [
        ("It cost 45,000 dollars.", "it cost forty-five thousand dollars"),
        ("It cost 45k.", "it cost 45,000"),
        ("A $1.5 trillion offering.", "one point five trillion dollars"),
        ("Built in 1998.", "back in nineteen ninety-eight"),
        ("Due in 2024.", "in twenty twenty four"),
        ("It took 250 people.", "two hundred and fifty people"),
        ("Three million users.", "3 million users"),
        ("A 40% drop.", "a forty percent drop"),
        ("The 10th attempt.", "our tenth attempt"),
        ("Growth of 2.5x.", "two point five x"),
        ("About 1,200 tonnes.", "about twelve hundred tonnes"),
        ("It ran for zero cost and one reason.", "it ran"),
        ("Forty-two and 42 agree.", "forty two"),
    ],
)
def test_a_number_is_the_same_in_digits_and_in_words(claimed, said):
    assert not missing(claimed, said).numbers


@pytest.mark.parametrize(
    ("claimed", "said", "stray"),
    [
        ("It cost 46,000 dollars.", "it cost forty-five thousand dollars", "46,000"),
        ("It grew by 4%.", "it grew by forty percent", "4"),
        ("It lasted three years.", "it lasted two years", "three"),
        ("A $15 billion deal.", "a forty-five billion dollar deal over years", "15 billion"),
        ("Founded in 2012.", "founded a while ago", "2012"),
    ],
)
def test_a_number_that_nobody_said_is_noticed(claimed, said, stray):
    assert missing(claimed, said).numbers == (stray,)


@pytest.mark.parametrize(
    ("claimed", "said"),
    [
        ("The maker OpenAI agreed.", "open AI agreed"),
        ("A Kafka-style log helps.", "we have a log like kafka"),
        ("In the U.S. it failed.", "in the US it failed"),
        ("There, Voss's kiln won.", "and voss won"),
        ("They sold to Harrow & Sons.", "Harrow and sons: Harrow & Sons"),
        ("Copying the leader is a way to lose.", "nothing of the kind"),
        ("Rust's users agree.", "the rust users"),
        ("Why Chinese lenders stay.", "China lends on"),
        ("What Israel asks for.", "the Israelis ask"),
        ("Du'An Lightfoot and Sandra O’Connor agree.", "Du'An Lightfoot met Sandra O'Connor."),
    ],
)
def test_a_name_is_the_same_in_other_spellings(claimed, said):
    assert not missing(claimed, said).names


@pytest.mark.parametrize(
    ("claimed", "said", "stray"),
    [
        ("The maker Anthropic agreed.", "the maker agreed", "Anthropic"),
        ("OpenAI agreed.", "the maker agreed", "OpenAI"),
        ("It happened on a Tuesday in October.", "it happened", "Tuesday"),
        ("Read more at evil.example.com today.", "read more", "evil.example.com"),
    ],
)
def test_a_name_that_nobody_said_is_noticed(claimed, said, stray):
    assert stray in missing(claimed, said).names


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("Mara Voss", "Mara Voss"),
        ("mara", "Mara Voss"),
        ("Dr. Theo Lindqvist", "Theo Lindqvist"),
        ("Voss Lindqvist", None),
        ("Somebody", None),
        ("", None),
    ],
)
def test_a_speaker_is_known_by_the_name_or_a_part_of_it(named, found):
    assert matching_speaker(named, ["Mara Voss", "Theo Lindqvist"]) == found
