"""A quote is shown in its place: two sentences before and after it, whoever said them."""

import pytest
from invented_days import SAID

from include.pages.passage import LONGEST_SIDE, Turn, passage

QUOTE = "once thirty-one in a hundred boxes leave empty I ring my brother and tell him to stop ordering"


def test_a_quote_stands_between_two_sentences_of_its_speaker_as_the_transcript_has_it():
    assert passage([(speaker, text) for _, speaker, text in SAID], QUOTE) == [
        Turn(
            "Marit Oosterhuis",
            "I count boxes. Every night, the empty ones by themselves.",
            "Once thirty-one in a hundred boxes leave empty, I ring my brother and tell him to stop ordering.",
            "He sells garden chairs. He has never thanked me.",
        )
    ]


def test_what_another_speaker_said_before_and_after_is_theirs():
    said = [("A", "First of all, hello there. Why is that so?"), ("B", "Because it rains."), ("C", "Oh. It does not.")]
    assert passage(said, "because it rains") == [
        Turn("A", "First of all, hello there. Why is that so?", "", ""),
        Turn("B", "", "Because it rains.", ""),
        Turn("C", "", "", "Oh. It does not."),
    ]


def test_a_quote_of_two_speakers_is_marked_in_both_turns():
    said = [("A", "We sold the boat"), ("B", "and the oars. Then we walked.")]
    assert passage(said, "sold the boat and the oars") == [
        Turn("A", "We", "sold the boat", ""),
        Turn("B", "", "and the oars.", "Then we walked."),
    ]


def test_the_rest_of_the_sentence_that_a_quote_is_cut_from_comes_besides():
    said = [
        (None, "One is here now. Two is here now. Three is here now. But I say it rains, and that is so. Five is here.")
    ]
    assert passage(said, "it rains") == [
        Turn(None, "Two is here now. Three is here now. But I say", "it rains,", "and that is so. Five is here.")
    ]


def test_captions_without_sentences_are_cut_at_a_length():
    said = [(None, f"word{i} " * 5) for i in range(60)] + [(None, "the quoted words")] + [(None, "after it")]
    (turn,) = passage(said, "the quoted words")
    assert turn.before.split()[0] == "…"
    assert turn.before.split()[1:] == " ".join(f"word{i} " * 5 for i in range(60)).split()[-LONGEST_SIDE:]
    assert turn.after == "after it"


@pytest.mark.parametrize("said", [[], [("A", None)], [("A", "Something else.")]])
def test_a_quote_that_is_not_there_is_shown_nowhere(said):
    assert passage(said, "it rains") == []
    assert passage(said, "") == []


def test_control_characters_and_markup_of_a_transcript_are_text():
    (turn,) = passage([("A\n<b>", "<script>x</script> It\u202e rains.\x00 Yes, it does.")], "it rains")
    assert turn == Turn("A <b>", "<script>x</script>", "It rains.", "Yes, it does.")
