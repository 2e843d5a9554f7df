"""Transcripts: the five published formats, and documents that are not what they say."""

import json

import pytest

from include.sources.feeds import OfferedTranscript
from include.transcripts import formats

VTT = """WEBVTT

NOTE made by hand

00:00:01.000 --> 00:00:04.000
<v Ada Pell>Piers cost more
than they earn.

00:00:04.500 --> 00:00:06.000
<v Ben Orr>All &amp; always?
"""
SRT = """1
00:00:01,000 --> 00:00:04,000
Ada Pell: Piers cost more
than they earn.

2
00:00:04,500 --> 00:00:06,000
Ben Orr: All & always?
"""
JSON = json.dumps(
    {
        "version": "1.0.0",
        "segments": [
            {"startTime": 1, "endTime": 4.0, "speaker": "Ada Pell", "body": "Piers cost more\nthan they earn."},
            {"startTime": 4.5, "endTime": 6.0, "speaker": "Ben Orr", "body": "All & always?"},
        ],
    }
)
HTML = """<html><head><title>Nothing said</title></head><body>
<cite>Ada Pell:</cite><time>0:01</time><p>Piers cost more<br>than they earn.</p>
<cite>Ben Orr:</cite><time>00:00:04.5</time><p>All &amp; always?</p><script>steal()</script></body></html>"""
TEXT = """[0:01] Ada Pell: Piers cost more
than they earn.

Ben Orr: [00:00:04.5] All & always?
"""


@pytest.mark.parametrize(
    ("kind", "content"), [("vtt", VTT), ("srt", SRT), ("json", JSON), ("html", HTML), ("text", TEXT)]
)
def test_every_format_gives_the_same_words_speakers_and_times(kind, content):
    segments = formats.parse(content.encode(), kind)
    assert [(s.index, s.speaker, s.text) for s in segments] == [
        (0, "Ada Pell", "Piers cost more than they earn."),
        (1, "Ben Orr", "All & always?"),
    ]
    assert [s.start_seconds for s in segments] == [1.0, 4.5]


def test_a_transcript_without_times_or_speakers_says_so_by_none():
    (segment,) = formats.parse(b"Nobody in particular said this.", "text")
    assert (segment.speaker, segment.start_seconds) == (None, None)


def test_a_name_in_srt_holds_until_the_next_one():
    content = "1\n00:00:01,000 --> 00:00:02,000\nAda: One.\n\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n"
    assert [s.speaker for s in formats.parse(content.encode(), "srt")] == ["Ada", "Ada"]


def test_a_colon_in_a_sentence_makes_no_speaker():
    (segment,) = formats.parse(b"one thing is certain: piers cost more.", "text")
    assert segment.speaker is None


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("json", b"{not json"),
        ("json", b'{"segments": [{"startTime": 1}]}'),
        ("json", b"[]"),
        ("vtt", b"<html>Not found</html>"),
        ("srt", b"no cue at all"),
        ("html", b"<html><body></body></html>"),
        ("text", b" \n \n"),
    ],
)
def test_a_document_without_speech_is_refused_with_its_format(kind, content):
    with pytest.raises(formats.UnreadableTranscript, match=kind):
        formats.parse(content, kind)


def test_formats_with_times_and_speakers_are_asked_for_first():
    offers = [
        OfferedTranscript("https://h.example/1.html", "text/html"),
        OfferedTranscript("https://h.example/1.pdf", "application/pdf"),
        OfferedTranscript("https://h.example/1.de.json", "application/json", "de"),
        OfferedTranscript("https://h.example/1.srt", ""),
        OfferedTranscript("https://h.example/1.json", "application/json; charset=utf-8", "en-gb"),
    ]
    assert [(kind, offer.language) for kind, offer in formats.best_first(offers)] == [
        ("json", "en-gb"),
        ("srt", None),
        ("html", None),
        ("json", "de"),
    ]
