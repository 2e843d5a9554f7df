"""How a transcript becomes sentences and passages."""

import numpy as np
import pytest

from include.claims.offline import signals
from include.claims.offline.passages import LONGEST, LONGEST_SENTENCE, SHORTEST, leans, passages, sentences
from include.transcripts.segment import Segment
from include.words import words

LONG = "The grid operator pays for every new transformer and gets nothing for the repair of an old one. "


def talk(*lines: tuple[str | None, str]) -> list[Segment]:
    return [Segment(i, text, speaker) for i, (speaker, text) in enumerate(lines)]


def captions(*texts: str, step: float = 3.0) -> list[Segment]:
    return [Segment(i, text, None, i * step, i * step + 2.5) for i, text in enumerate(texts)]


def test_a_sentence_runs_on_over_the_cues_of_a_caption_file():
    spoken = sentences(
        captions("Every ship that waits at the lock", "costs nine thousand a day. And they", "all wait.")
    )
    assert [s.text for s in spoken] == [
        "Every ship that waits at the lock costs nine thousand a day.",
        "And they all wait.",
    ]
    assert [(s.first_segment, s.last_segment) for s in spoken] == [(0, 1), (1, 2)]


def test_a_sentence_takes_the_time_known_nearest_before_it():
    lines = [Segment(0, "First.", "Ada", 5.0), Segment(1, "Second.", "Ada"), Segment(2, "Third.", "Ben", 9.0)]
    assert [s.start_seconds for s in sentences(lines)] == [5.0, 5.0, 9.0]


def test_no_time_is_made_up_before_the_first_known_one():
    lines = [Segment(0, "First.", "Ada"), Segment(1, "Second.", "Ada", 4.0)]
    assert [s.start_seconds for s in sentences(lines)] == [None, 4.0]


def test_titles_and_initials_end_no_sentence():
    spoken = sentences(talk(("Ada", "Dr. Osei met J. Smith at the plant. They agreed.")))
    assert [s.text for s in spoken] == ["Dr. Osei met J. Smith at the plant.", "They agreed."]


def test_text_without_full_stops_is_cut_where_sentences_are_likely_to_end():
    spoken = sentences(captions(*["the operator said the line was full and nobody had asked the regulator"] * 20))
    assert len(spoken) > 5
    assert all(s.size <= LONGEST_SENTENCE for s in spoken)
    assert all(s.first_segment <= s.last_segment for s in spoken)


def test_one_endless_line_is_cut_too_and_loses_no_word():
    text = " ".join(f"word{i}" for i in range(500))
    spoken = sentences(talk((None, text)))
    assert all(s.size <= LONGEST_SENTENCE for s in spoken)
    assert " ".join(s.text for s in spoken) == text


def test_passages_are_whole_sentences_of_one_speaker_between_twenty_and_a_hundred_words():
    spoken = sentences(talk(("Ada", LONG * 6), ("Ben", LONG * 6)))
    found = passages(spoken)
    assert found
    for passage in found:
        assert SHORTEST <= passage.size <= LONGEST
        assert len({spoken[i].speaker for i in range(passage.first, passage.last + 1)}) == 1
        assert passage.text == " ".join(s.text for s in spoken[passage.first : passage.last + 1])


def test_a_break_parts_what_one_speaker_says_before_and_after_it():
    spoken = sentences(talk(("Ada", LONG * 2), ("Break", "[BREAK]"), ("Ada", LONG * 2)))
    assert {s.part for s in spoken} == {0, 1}
    assert all(spoken[p.first].part == spoken[p.last].part for p in passages(spoken))


def test_no_passage_opens_in_the_middle_of_an_argument_where_its_beginning_is_near():
    spoken = sentences(talk(("Ada", "Nuclear plants are slow to build. But they run for eighty years. " + LONG * 3)))
    openings = {spoken[p.first].text for p in passages(spoken)}
    assert "Nuclear plants are slow to build." in openings
    assert "But they run for eighty years." not in openings


def test_a_nod_opens_no_passage():
    spoken = sentences(talk(("Ada", "Yeah, right. " + LONG * 3)))
    assert all(spoken[p.first].text != "Yeah, right." for p in passages(spoken))


def test_a_barred_sentence_is_in_no_passage():
    spoken = sentences(talk(("Ada", LONG * 8)))
    assert all(not p.first <= 3 <= p.last for p in passages(spoken, {3}))
    assert any(p.first > 3 for p in passages(spoken, {3}))


def test_words_that_point_back_lean():
    assert leans("And that is why")
    assert leans("It's slower")
    assert not leans("Transformers are slower")


def test_every_word_of_a_transcript_is_in_its_sentences_in_order():
    lines = talk(("Ada", "Well... so it goes! " + LONG), (None, ">> Who is that? me"), ("Ben", "  "), ("Ben", "No"))
    heard = [w for s in sentences(lines) for w in words(s.text)]
    assert heard == [w for line in lines for w in words(line.text)]


@pytest.mark.parametrize("stop", ["", "."])
def test_fifty_thousand_segments_of_three_words_become_sentences_and_passages(stop):
    said = f"The harbour board paid nine million for the repair of a lock that nobody had asked about{stop}".split()
    every = said * (150_000 // len(said) + 1)
    segments = captions(*(" ".join(every[i : i + 3]) for i in range(0, 150_000, 3)), step=1.2)
    spoken = sentences(segments)
    assert sum(s.size for s in spoken) == 150_000
    assert (spoken[0].first_segment, spoken[-1].last_segment) == (0, 49_999)
    assert all(s.start_seconds == pytest.approx(1.2 * s.first_segment) for s in spoken)
    assert len(passages(spoken)) > 5_000


def test_of_very_many_passages_each_is_compared_with_some_and_what_is_said_often_still_stands_out(monkeypatch):
    rare, often = np.eye(400, 384, dtype=np.float32), np.zeros((400, 384), dtype=np.float32)
    often[:, 0] = 1
    vectors = np.concatenate([rare, often])
    density = signals.LIKENESS.index("density")
    at, about = 40.0 * np.arange(800), vectors[:3]
    whole = signals.likeness(vectors, about, at)[:, density]
    monkeypatch.setattr(signals, "MOST_COMPARED", 100)
    sampled = signals.likeness(vectors, about, at)[:, density]
    assert whole[1:380].max() < 0.2 < 0.9 < whole[400:].min()
    assert sampled[1:380].max() < 0.2 < 0.9 < sampled[400:].min()
