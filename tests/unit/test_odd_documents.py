"""Transcripts and feeds as programs in the wild write them: kinds of oddity that people report, each read for what it
says."""

import json

import pytest

from include.sources import feeds
from include.transcripts import formats

TWO = [(1.0, "Piers rot."), (4.0, "Who pays?")]
CAPTIONS = {
    "a blank line between number and times": "1\n\n00:00:01,000 --> 00:00:03,000\nPiers rot.\n\n2\n\n"
    "00:00:04,000 --> 00:00:06,000\nWho pays?\n",
    "arrows made of dashes": "1\n00:00:01,000 –-> 00:00:03,000\nPiers rot.\n\n2\n"
    "00:00:04,000 –> 00:00:06,000\nWho pays?",
    "times without fractions": "1\n00:00:01 --> 00:00:03\nPiers rot.\n\n2\n00:00:04 --> 00:00:06\nWho pays?\n",
    "numbers from zero": "0\n00:00:01,000 --> 00:00:03,000\nPiers rot.\n\n1\n00:00:04,000 --> 00:00:06,000\nWho pays?",
    "seconds of one digit": "1\n00:00:1,000 --> 00:00:3,00\nPiers rot.\n\n2\n00:00:4,000 --> 00:00:6,00\nWho pays?\n",
    "styles with arrows and blank lines": "WEBVTT\n\nSTYLE\n::cue {\n  color: red;\n}\n/* --> */\n\nSTYLE\n"
    "::cue(b) {\n  color: blue;\n}\n\n00:01.000 --> 00:03.000\nPiers rot.\n\n00:04.000 --> 00:06.000\nWho pays?\n",
    "a map of times right above a cue": "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n"
    "00:00:01.000 --> 00:00:03.000\nPiers rot.\n\n00:00:04.000 --> 00:00:06.000\nWho pays?\n",
    "several files in one": "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nPiers rot.\n\nWEBVTT\n"
    "X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:00:04.000 --> 00:00:06.000\nWho pays?\n",
    "empty cues": "WEBVTT\n\n00:00.000 --> 00:01.000\n\n00:01.000 --> 00:03.000\nPiers rot.\n\n2\n"
    "00:03.000 --> 00:04.000\n\n3\n00:04.000 --> 00:06.000\nWho pays?\n\n00:07.000 --> 00:08.000\n",
    "a time for each word": "WEBVTT\nKind: captions\n\n00:00:01.000 --> 00:00:03.000 align:start position:0%\n"
    " \nPiers<00:00:01.389><c> rot.</c>\n\n00:00:04.000 --> 00:00:06.000\nWho<00:00:04.389><c> pays?</c>\n",
    "each word lit up in a cue of its own": "1\n00:00:01,000 --> 00:00:01,380\n"
    "<font color='#0f0'>Piers</font> rot.\n\n"
    "2\n00:00:01,380 --> 00:00:03,660\nPiers <font color='#0f0'>rot.</font>\n\n3\n00:00:04,000 --> 00:00:05,000\n"
    "<font color='#0f0'>Who</font> pays?\n\n4\n00:00:05,000 --> 00:00:06,000\nWho <font color='#0f0'>pays?</font>\n",
    "a mark at its head": "\ufeffWEBVTT\n\n00:01.000 --> 00:03.000\nPiers rot.\n\n00:04.000 --> 00:06.000\nWho pays?\n",
}  # fmt: skip


@pytest.mark.parametrize("oddity", CAPTIONS)
def test_captions_with_an_oddity_are_read_word_for_word(oddity):
    segments = formats.parse(CAPTIONS[oddity].encode(), "vtt")
    assert [(s.start_seconds, s.text) for s in segments] == TWO


@pytest.mark.parametrize(
    ("cue", "said"),
    [
        ("Piers rot.\n\n\nUnder water.", "Piers rot. Under water."),
        ("\n12", "12"),
        ("08:00 next Thursday, or 09:00", "08:00 next Thursday, or 09:00"),
        ("If 3 < 4 and 5 > 2, piers <inaudible> rot.", "If 3 < 4 and 5 > 2, piers rot."),
        ("Texas A&ampM, A&amp;M and AT&T rot &#39;til May.", "Texas A&M, A&M and AT&T rot 'til May."),
    ],
)
def test_what_is_said_in_a_cue_stays_whole(cue, said):
    content = f"1\n00:00:01,000 --> 00:00:03,000\n{cue}\n\n2\n00:00:04,000 --> 00:00:06,000\nWho pays?\n"
    assert [s.text for s in formats.parse(content.encode(), "srt")] == [said, "Who pays?"]


def test_chevrons_as_entities_begin_a_turn():
    content = (
        "WEBVTT\n\n00:01.000 --> 00:03.000\n&gt;&gt; ADA PELL: Piers rot.\n\n"
        "00:04.000 --> 00:06.000\n&gt;&gt; BEN ORR: Why?"
    )
    assert [(s.speaker, s.text) for s in formats.parse(content.encode(), "vtt")] == [
        ("ADA PELL", "Piers rot."),
        ("BEN ORR", "Why?"),
    ]


def test_cues_whose_times_leap_ahead_and_back_keep_their_words():
    content = (
        "1\n00:46:54,400 --> 00:48:43,290\nPiers rot.\n\n2\n00:48:43,290 --> 00:46:59,520\nWho pays?\n\n"
        "3\n00:46:59,520 --> 00:46:52,840\nThe dues do.\n"
    )
    read = formats.read(content.encode(), "srt")
    assert [(s.start_seconds, s.end_seconds) for s in read.segments] == [
        (2814.4, 2923.29),
        (2923.29, None),
        (2819.52, None),
    ]


@pytest.mark.parametrize("stray", [b"\x98", b"\xc3", b"\xe2\x80"])
def test_a_letter_cut_apart_makes_no_other_letter_unreadable(stray):
    cues = (f"00:{i:02d}:00.000 --> 00:{i:02d}:09.000\nThe café asks {i} euros – twice." for i in range(9))
    content = "\n\n".join(["WEBVTT", *cues]).encode() + b"\n\n00:09:00.000 --> 00:09:09.000\n" + stray + b"\n"
    segments = formats.parse(content, "vtt", "windows-1252")
    assert [s.text for s in segments] == [f"The café asks {i} euros – twice." for i in range(9)]
    rows = (
        b'{"segments": [{"start": 1, "text": "The caf\xc3\xa9 rots, says Andr\xc3\xa9."}, {"start": 4, "text": "%s"}]}'
    )
    (segment,) = formats.parse(rows % stray[:1], "json")
    assert segment.text == "The café rots, says André."


def test_a_text_of_another_encoding_is_not_taken_for_one_in_utf_8_with_stray_bytes():
    said = "Причалы стоят дороже, чем приносят. Кто за это платит? Портовые сборы, девять копеек с тонны."
    assert formats.parse(said.encode("cp1251"), "text", "windows-1251")[0].text == said
    latin = "Der Müller zahlt für die Brücke; größer wäre schöner."
    assert formats.parse(latin.encode("cp1252"), "text", "windows-1252")[0].text == latin


def heard(word: str, start: str, kind: str = "pronunciation") -> dict:
    times = {} if kind == "punctuation" else {"start_time": start, "end_time": f"{float(start) + 0.5}"}
    return {"type": kind, "alternatives": [{"confidence": "0.9", "content": word}], **times}


@pytest.mark.parametrize(
    "document",
    [
        [{"start": 1, "stop": 3.5, "text": "Piers rot."}, {"start": 4, "stop": 6, "text": "Who pays?"}],
        {
            "jobName": "dues",
            "results": {
                "transcripts": [{"transcript": "Piers rot. Who pays?"}],
                "items": [
                    heard("Piers", "1.0"),
                    heard("rot", "1.5"),
                    heard(".", "", "punctuation"),
                    heard("Who", "4.0"),
                    heard("pays", "4.5"),
                    heard("?", "", "punctuation"),
                ],
            },
        },
        {
            "results": [
                {"alternatives": [{"transcript": "Piers rot."}], "startTime": "1s"},
                {"alternatives": [{"transcript": "Who pays?"}, {"transcript": "Who plays?"}], "startTime": "4s"},
            ]
        },
        {
            "transcription": [
                {"offsets": {"from": 1000, "to": 500}, "text": " Piers rot."},
                {"offsets": {"from": 4000, "to": 6000}, "text": " Who pays?"},
            ]
        },
    ],
)
def test_the_json_of_further_services_is_read(document):
    segments = formats.parse(json.dumps(document).encode(), "json")
    assert [(s.start_seconds, s.text) for s in segments] == TWO


@pytest.mark.parametrize("media_type", ["application/srt", "text/srt", "Application/x-subrip", "plain/txt", ""])
def test_an_offer_of_captions_is_taken_up_under_each_name(media_type):
    assert formats.format_of(media_type, "https://quay.example/subtitles.srt?raw=1") in ("srt", formats.UNKNOWN)


HEAD = '<?xml version="1.0"?>'


def feed(date="Thu, 15 Jan 2026 10:00:00 GMT", title="Dues", head=HEAD, audio="1.mp3") -> str:
    return (
        f"{head}<rss version='2.0'><channel><title>Quay</title><item><title>{title}</title>"
        f"<guid>1</guid><pubDate>{date}</pubDate><enclosure url='https://quay.example/{audio}'/></item></channel></rss>"
    )


@pytest.mark.parametrize(
    ("date", "instant"),
    [
        ("Tue, 23 Nov 2021 15:38:00 PST", "2021-11-23T23:38:00+00:00"),
        ("Fri, 29 Oct 2021 10:02 EDT", "2021-10-29T14:02:00+00:00"),
        ("Fri, 2 May 2014 10:10 GMT", "2014-05-02T10:10:00+00:00"),
        ("  Thu ,  03  Jun   2021  10:00:00   +0200 ", "2021-06-03T08:00:00+00:00"),
        ("Mon, 19 Jun 1967 09:05:01 +0100", "1967-06-19T08:05:01+00:00"),
        ("2020-07-20T10:00:00Z", "2020-07-20T10:00:00+00:00"),
        ("Thu, 15 Feb 2018 11:24:50", "2018-02-15T11:24:50+00:00"),
        ("Mon, 15 Jan 2026 10:00:00 +0000", "2026-01-15T10:00:00+00:00"),
        ("Thu, 15 Jan 2026 24:00:00 GMT", "2026-01-16T00:00:00+00:00"),
    ],
)
def test_a_date_is_read_as_it_was_meant(date, instant):
    (item,) = feeds.parse(feed(date).encode(), "https://quay.example/rss").items
    assert item.published_at is not None
    assert item.published_at.isoformat() == instant


def test_an_hour_that_no_day_has_is_said_and_not_guessed():
    (item,) = feeds.parse(feed("Wed, 27 May 2020 34:50:00 -0400").encode(), "https://quay.example/rss").items
    assert "34:50:00 -0400' cannot be read" in str(item.problem)


@pytest.mark.parametrize(
    ("content", "media_type", "title"),
    [
        (feed().encode(), "text/html; charset=UTF-8", "Dues"),
        (feed(title="Dues&nbsp;rise &hellip; &copy;").encode(), "application/rss+xml", "Dues rise … ©"),
        (feed(title="Dues & <br> locks & piers").encode(), "application/rss+xml", "Dues & locks & piers"),
        (feed(title="Mixórdia", head='<?xml version="1.0" encoding="iso-8859-1"?>').encode(), "text/xml", "Mixórdia"),
        (feed(title="Mixórdia").encode(), "text/xml; charset=us-ascii", "Mixórdia"),
        (b"\n\n " + feed().encode(), "application/rss+xml", "Dues"),
        (feed(head='<?xml version="1.0"?><!DOCTYPE rss>').encode(), "application/rss+xml", "Dues"),
        (feed(audio="my show 1.mp3").encode(), "application/rss+xml", "Dues"),
    ],
)
def test_a_feed_with_an_oddity_gives_its_episode(content, media_type, title):
    (item,) = feeds.parse(content, "https://quay.example/rss", media_type).items
    assert (item.title, item.problem) == (title, None)
    assert str(item.audio_url).startswith("https://quay.example/")
    assert " " not in str(item.audio_url)
