"""Transcripts that are cut short, stuck, too long or of another language earn a mark; whole ones earn none."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from include.local.sample.server import FOLDER
from include.transcripts import formats
from include.transcripts.checks import MARKS, check
from include.transcripts.segment import Segment

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "episodes"
STUCK = {"480-narwhals"}
"""Real captions that do end with a hundred times "bye"."""

ENGLISH = (
    "It was the third winter in which the harbour paid more for waiting than for moving anything at all, and so they"
)
GERMAN = "Es war der dritte Winter, in dem der Hafen mehr für das Warten als für die Fahrt bezahlt hat, und wir haben"
SPANISH = (
    "Fue el tercer invierno en el que el puerto pagó más por esperar que por mover la carga, y no es lo que se cree"
)
RUSSIAN = "Это была третья зима, когда порт платил за ожидание больше, чем за движение, и никто этого не ожидал вовсе"
CHINESE = "这是港口第三个冬天为等待付出的钱比为运输付出的还要多没有人预料到会这样"


def spoken(*texts: str, timed: bool = True, pace: float = 150) -> list[Segment]:
    """Lines said one after another at a pace in words a minute."""
    segments, at = [], 0.0
    for index, text in enumerate(texts):
        end = at + len(text.split()) * 60 / pace
        segments.append(Segment(index, text, None, at if timed else None, end if timed else None))
        at = end
    return segments


def talk(minutes: float, timed: bool = True) -> list[Segment]:
    """So many minutes of talk at 150 words a minute, no line like another."""
    return spoken(*(f"{ENGLISH} counted {n} ships in queue {n * 7}" for n in range(int(minutes * 6))), timed=timed)


def length(segments: Sequence[Segment]) -> float:
    return max(segment.end_seconds or 0.0 for segment in segments)


def moved(segments: Sequence[Segment], seconds: float) -> list[Segment]:
    return [
        Segment(s.index, s.text, None, (s.start_seconds or 0.0) + seconds, (s.end_seconds or 0.0) + seconds)
        for s in segments
    ]


@pytest.mark.parametrize("timed", [True, False])
def test_a_whole_transcript_earns_no_mark(timed: bool):
    assert check(talk(30, timed), length(talk(30)), "en-US") == ()


def test_music_at_the_end_and_advertisements_that_were_put_in_earn_no_mark():
    segments = talk(30)
    assert check(segments, length(segments) + 80, "en") == ()
    assert check(moved(segments, 240), length(segments) + 240, "en") == ()


def test_what_is_not_known_is_not_checked():
    assert check(talk(1), None, None) == ()
    assert check(spoken(*[f"{GERMAN} {n}" for n in range(9)]), None, None) == ()


@pytest.mark.parametrize("text", [None, "", " … ", "♪"])
def test_a_transcript_without_words_is_empty(text: str | None):
    assert check([Segment(0, text)] if text is not None else [], 600, "en") == ("empty",)


@pytest.mark.parametrize("minutes", [20, 240])
def test_a_transcript_that_breaks_off_is_truncated(minutes: int):
    whole = talk(minutes)
    for share in (0.5, 0.85):
        assert "truncated" in check(whole[: int(len(whole) * share)], length(whole), "en")


def test_ten_minutes_that_are_missing_at_the_end_of_four_hours_are_noticed():
    assert check(talk(240), length(talk(240)) + 615, "en") == ("truncated",)


def test_with_a_time_only_here_and_there_the_words_after_the_last_one_count():
    sparse = [s if s.index % 40 == 0 else Segment(s.index, s.text) for s in talk(60)]
    sparse = [Segment(s.index, s.text, None, s.start_seconds) for s in sparse]
    assert check(sparse, 3600, "en") == ()
    assert "truncated" in check(sparse[:200], 3600, "en")


def test_without_times_half_a_transcript_has_too_few_words():
    assert check(talk(30, timed=False)[:90], length(talk(30)), "en") == ("few_words",)


def test_a_transcript_twice_as_long_as_can_be_said_has_too_many_words():
    assert "many_words" in check(talk(30, timed=False), 900, "en")


def test_a_long_stretch_without_words_is_a_hole():
    whole = talk(30)
    segments = whole[:60] + whole[110:]
    assert check(segments, length(whole), "en") == ("holes",)
    assert "holes" in check(moved(talk(10), 900), 1500, "en")


@pytest.mark.parametrize(
    "stuck",
    [
        ["Thank you."] * 30,
        ["so " * 60],
        ["the end of the world and " * 8],
        ["We will be back.", "Stay with us."] * 9,
        [f"{ENGLISH} counted {n} ships" for n in range(12)] * 2,
    ],
    ids=["one line", "one word", "a phrase in one line", "two lines by turns", "all of it twice"],
)
def test_a_stuck_speech_model_is_noticed_whatever_it_repeats(stuck: list[str]):
    assert "repeated" in check(spoken(*(s.text for s in talk(1)), *stuck), None, "en")


def test_people_who_agree_at_length_are_not_stuck():
    nods = ["Yeah.", "Right.", "Yeah, yeah, yeah.", "No, no, no, no, no.", "Exactly."] * 4
    assert check(spoken(*(s.text for s in talk(5)), *nods), None, "en") == ()


@pytest.mark.parametrize(
    ("text", "language", "other"),
    [
        (ENGLISH, "en", False),
        (ENGLISH, "EN_gb", False),
        (GERMAN, "de-AT", False),
        (SPANISH, "es", False),
        (RUSSIAN, "ru", False),
        (CHINESE, "zh", False),
        (GERMAN, "en", True),
        (SPANISH, "en", True),
        (RUSSIAN, "en", True),
        (CHINESE, "en", True),
        (ENGLISH, "de", True),
        (ENGLISH, "fi", True),
        (SPANISH, "fi", False),
    ],
)
def test_a_transcript_in_another_language_is_noticed(text: str, language: str, other: bool):
    segments = spoken(*(f"{text} {number}" for number in range(20)))
    assert ("other_language" in check(segments, None, language)) == other


def test_languages_without_spaces_are_not_short_of_words():
    lines = [f"{CHINESE}{number}" for number in range(40)]
    segments = [Segment(n, line, None, n * 9.0, n * 9.0 + 9) for n, line in enumerate(lines)]
    assert check(segments, 360, "zh") == ()


def test_every_mark_is_said_in_words():
    assert all(text and text[0].islower() for text in MARKS.values())


@pytest.mark.parametrize("file", sorted((FOLDER / "transcripts").rglob("*.*")), ids=lambda file: file.name)
def test_the_samples_transcripts_earn_no_mark(file: Path):
    segments = formats.parse(file.read_bytes(), file.suffix[1:].replace("txt", "text"))
    assert check(segments, None, "en") == ()


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the real corpus is not here")
def test_real_transcripts_earn_no_mark_but_the_one_that_is_stuck():
    marked = {}
    for file in sorted(CORPUS.glob("*/*.json")):
        rows = json.loads(file.read_text(encoding="utf-8"))["segments"]
        segments = [Segment(n, row["text"], row["speaker"], row["start"], row["end"]) for n, row in enumerate(rows)]
        duration = max((segment.end_seconds or 0.0 for segment in segments), default=0.0) or None
        if marks := check(segments, duration, "en"):
            marked[file.stem] = marks
        if duration:
            assert "truncated" in check(segments[: len(segments) // 2], duration, "en"), file
    assert {name[:12] for name in marked} == STUCK
    assert set(marked.values()) == {("repeated",)}
