"""Transcripts of strangers: each is parsed in a process that may die, hang or swell, and costs itself alone."""

import json
from datetime import date

import pytest

from include.sources import workers
from include.sources.feeds import OfferedTranscript
from include.transcripts import process
from include.transcripts.landing import Wanted, read_published
from include.transcripts.process import Unparsed, read_all
from tests.doubles.hostile_server import answer, serving

SOUND = Unparsed(b"1\n00:00:01,000 --> 00:00:03,000\nAda Pell: Piers cost more.\n", "srt")
ENDLESS = b"Ada Pell: " + b"(" * 200_000 + b"\n\n"


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setattr(workers, "SECONDS", 8.0)
    monkeypatch.setattr(workers, "PROCESSES", 1)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"[" * 500_000, "json"),
        (json.dumps({"segments": [{"startTime": 1, "body": "x"}]}).replace("1", "9" * 400).encode(), "json"),
        (b"<div>" * 200_000 + b"<p>", "html"),
        (b"<cite>" * 200_000, "html"),
        (b"<b>a" * 100_000, "html"),
        (b"00:00:01.000 --> 00:00:02.000\n" * 50_000, "vtt"),
        (b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n" + b"<v a" * 100_000, "vtt"),
        (b"a " * 100_000 + b":", "text"),
        (b"A" * 1_000_000 + b": b", "text"),
        (ENDLESS, "text"),
        (b"\xff\xfe" + b"\xd8" * 99_999, "text"),
        (b"", "vtt"),
    ],
)
def test_a_hostile_transcript_is_read_or_said_to_be_unreadable_and_the_next_one_is_read(content, kind):
    hostile, sound = read_all([Unparsed(content, kind), SOUND])
    assert not isinstance(sound, str)
    assert [s.speaker for s in sound.segments] == ["Ada Pell"]
    assert hostile


def test_a_process_that_dies_is_said_and_replaced(monkeypatch):
    monkeypatch.setattr(process, "__name__", "tests.doubles.spoilt_parser")
    said = read_all([Unparsed(b"die", "text"), Unparsed(b"hang", "text"), Unparsed(b"swell", "text")])
    assert said == [
        "the document made its parser crash",
        "the document could not be parsed within 8 s",
        "the document made its parser crash",
    ]


def test_the_process_has_none_of_the_tasks_secrets(monkeypatch):
    monkeypatch.setattr(process, "__name__", "tests.doubles.spoilt_parser")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://user:secret@mail.example")
    (seen,) = read_all([Unparsed(b"environment", "text")])
    assert "PATH" in seen
    assert "secret" not in seen


def test_a_transcript_is_read_in_the_encoding_that_its_answer_names():
    said = "Ada Pell: Żółć rośnie."
    tricks = {
        "named": answer(said.encode("iso-8859-2"), "text/plain; charset=ISO-8859-2"),
        "wrong": answer(said.encode(), "text/plain; charset=undefined"),
    }
    with serving(tricks) as host:
        wanted = [
            Wanted(
                episode_id=name,
                partition_date=date(2026, 1, 15),
                title="Dues",
                offers=(OfferedTranscript(f"http://{host}/{name}", "text/plain"),),
                feed_url=f"http://{host}/feed.xml",
            )
            for name in tricks
        ]
        read = read_published(wanted, frozenset({host}))
    assert [(s.speaker, s.text) for transcript in read for s in transcript.segments] == [
        ("Ada Pell", "Żółć rośnie.")
    ] * 2
