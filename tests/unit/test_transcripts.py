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


SAID = (
    "Piers cost more than they earn.",
    "They rot from the waterline up.",
    "Who pays for that?",
    "The harbour dues do, nine cents a ton.",
)


def srt(*cues: str) -> bytes:
    """An SRT document with a cue every five seconds."""
    times = (f"00:00:{5 * i:02d},000 --> 00:00:{5 * i + 4:02d},000" for i in range(len(cues)))
    return "".join(f"{i}\n{time}\n{cue}\n\n" for i, (time, cue) in enumerate(zip(times, cues, strict=True), 1)).encode()


def told(segments) -> list[tuple]:
    return [(s.speaker, s.start_seconds, s.text) for s in segments]


def by(*speakers: str | None) -> list[tuple]:
    return [(name, 5.0 * i, text) for i, (name, text) in enumerate(zip(speakers, SAID, strict=True))]


AS_SRT = srt(
    *(f"{name}: {text}" for name, text in zip(("Ada Pell", "Ada Pell", "Ben Orr", "Ada Pell"), SAID, strict=True))
)


@pytest.mark.parametrize("kind", ["vtt", "srt", "json", "html", "text", formats.UNKNOWN])
def test_captions_are_read_as_captions_whatever_they_were_offered_as(kind):
    assert told(formats.parse(AS_SRT, kind)) == by("Ada Pell", "Ada Pell", "Ben Orr", "Ada Pell")


@pytest.mark.parametrize(
    ("media_type", "url", "kind"),
    [
        ("plain/txt", "https://h.example/1", "unknown"),
        ("", "https://h.example/t?id=1.2", "unknown"),
        ("application/octet-stream", "https://h.example/1.SRT?x=y", "srt"),
        ("TEXT/VTT; charset=utf-8", "https://h.example/1", "vtt"),
        ("application/pdf", "https://h.example/1", None),
        ("", "https://h.example/1.pdf", None),
        ("audio/mpeg", "https://h.example/1", None),
    ],
)
def test_an_offer_that_does_not_say_its_format_is_tried_and_one_that_holds_no_text_is_not(media_type, url, kind):
    assert formats.format_of(media_type, url) == kind


@pytest.mark.parametrize("kind", ["vtt", "srt", "json"])
def test_a_page_in_the_place_of_captions_is_refused(kind):
    with pytest.raises(formats.UnreadableTranscript, match=f"{kind}.*Not found"):
        formats.parse(b"<html><body><p>Not found here.</p></body></html>", kind)


@pytest.mark.parametrize(
    "content",
    [
        "\n\n1\n00:00:01,000 --> 00:00:03,000\nOne.\n\n2\n00:00:04,000 --> 00:00:06,000\nTwo.\n",
        "\u200e1\n00:00:01,000 --> 00:00:03,000\nOne.\n\n2\n00:00:04,000 --> 00:00:06,000\nTwo.\n",
        "00:00:01,000 --> 00:00:03,000\nOne.\n\n00:00:04,000 --> 00:00:06,000\nTwo.",
        "1\n0:01,000 --> 0:03,000\nOne.\n2\n0:04,000 --> 0:06,000\nTwo.",
        "1\r\n00:00:01.000->00:00:03.000\r\nOne.\r\n\r\n2\r\n00:00:04.000 --> 00:00:06.000\r\nTwo.\r\n",
        "WebVTT\nKind: captions\n\n00:01,000 --> 00:03,000\nOne.\n\n00:04.000 --> 00:06.000\nTwo.",
        "WEBVTT - made by hand\n\nSTYLE\n::cue { color: red }\n\nintro\n00:01.000 --> 00:03.000 align:start\nOne.\n\n"
        "NOTE nobody says this\nnor this\n\noutro\n00:04.000 --> 00:06.000\n<c.x>Two.</c>",
        "WEBVTT\n\n00:01.000 --> 00:03.000\n\nOne.\n\n00:04.000 --> 00:06.000\n \n<00:04.500>Two.",
    ],
)
def test_captions_are_read_as_they_come(content):
    assert told(formats.parse(content.encode(), "srt")) == [(None, 1.0, "One."), (None, 4.0, "Two.")]


def test_a_voice_holds_until_the_next_one_and_two_in_one_cue_are_two():
    content = (
        "WEBVTT\n\n00:00.000 --> 00:04.000\n<v Ada Pell>One.\n\n00:05.000 --> 00:09.000\nTwo.\n\n"
        "00:10.000 --> 00:14.000\n<v.loud Ben Orr>Three.</v>\n<v Ada Pell>Four.</v>\n"
    )
    assert told(formats.parse(content.encode(), "vtt")) == [
        ("Ada Pell", 0.0, "One."), ("Ada Pell", 5.0, "Two."), ("Ben Orr", 10.0, "Three."), ("Ada Pell", 10.0, "Four."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "other", "name", "second"),
    [
        ("Speaker 1:", "Speaker 2:", "Speaker 1", "Speaker 2"),
        ("[SPEAKER_00]:", "[SPEAKER_01]:", "SPEAKER_00", "SPEAKER_01"),
        ("[Ada]", "[Ben]", "Ada", "Ben"),
        (">> ADA PELL:", ">> BEN ORR:", "ADA PELL", "BEN ORR"),
        (">>Ada:", ">>Ben:", "Ada", "Ben"),
        ("- Ada Pell:", "- Ben Orr:", "Ada Pell", "Ben Orr"),
        ("Ada Pell (Host):", "Ben Orr [guest]:", "Ada Pell", "Ben Orr"),
        ("Ada Pell (0:05):", "Ben Orr 00:10:", "Ada Pell", "Ben Orr"),
        ("María del Mar Ruiz:", "Dr. Ben Orr, MD:", "María del Mar Ruiz", "Dr. Ben Orr, MD"),
        ("**Ada Pell:**", "**Ben**:", "Ada Pell", "Ben"),
        ("Ólafur Þór:", "Élodie:", "Ólafur Þór", "Élodie"),
        ("Спикер №1:", "Спикер №2:", "Спикер №1", "Спикер №2"),
        ("主持人：", "嘉賓：", "主持人", "嘉賓"),
        ("HOST:", "GUEST:", "HOST", "GUEST"),
        ("O’Brien:", "Jean-Luc:", "O’Brien", "Jean-Luc"),
    ],
)
def test_a_label_of_any_kind_names_who_speaks_and_is_not_said(label, other, name, second):
    lines = [f"{who} {text}" for who, text in zip((label, label, other, label), SAID, strict=True)]
    assert told(formats.parse(srt(*lines), "srt")) == by(name, name, second, name)


def test_words_before_a_colon_are_no_name():
    lines = ("Ada Pell: One.", "Remember: this was in March.", "Note this: nobody saw it.", "At 10:30 it began.")
    segments = formats.parse(srt(*lines), "srt")
    assert {s.speaker for s in segments} == {"Ada Pell"}
    assert [s.text for s in segments] == ["One.", *lines[1:]]


def test_a_single_common_word_is_a_name_where_the_show_notes_know_it():
    (segment,) = formats.parse(b"Mark: Piers cost more.", "text", notes="With Mark Pell of the harbour board")
    assert (segment.speaker, segment.text) == ("Mark", "Piers cost more.")


def test_a_change_of_speaker_without_a_name_ends_the_one_before():
    segments = formats.parse(srt("Ada Pell: One.", ">> Two, then.", "Three, then."), "srt")
    assert [(s.speaker, s.text) for s in segments] == [
        ("Ada Pell", "One."),
        (None, "Two, then."),
        (None, "Three, then."),
    ]


@pytest.mark.parametrize(
    "page",
    [
        "<p><strong>Ada Pell:</strong> One.</p><p>Two.</p><p><strong>Ben Orr:</strong> Three.</p>",
        "<p><b>Ada Pell</b>: One.</p><p>Two.</p><p><b>Ben Orr</b>: Three.</p>",
        "<p>Ada Pell: One.<br>Two.</p><p>Ben Orr: Three.</p>",
        "<p>Ada Pell: One.<br/><br/>Two.<br/>Ben Orr: Three.</p>",
        '<div class="line"><span class="speaker">Ada Pell</span><span>One.</span></div><div>Two.</div>'
        '<div class="line"><span class="speaker">Ben Orr</span><span>Three.</span></div>',
        '<div class="turn"><div class="speaker-name">Ada Pell</div><div><p>One.</p><p>Two.</p></div></div>'
        '<div class="turn"><div class="speaker-name">Ben Orr</div><div><p>Three.</p></div></div>',
        "<cite>Ada Pell</cite><p>One.</p><p>Two.</p><cite>Ben Orr</cite><p>Three.</p>",
        "<p><cite>Ada Pell:</cite> One.</p><p>Two.</p><p><cite>Ben Orr:</cite> Three.</p>",
        "<dl><dt>Ada Pell<dd>One.<dd>Two.<dt>Ben Orr<dd>Three.</dl>",
        "<table><tr><th>Who<th>What</tr><tr><td>Ada Pell</td><td>One is what she said.</td></tr>"
        "<tr><td></td><td>Two.</td></tr><tr><td>Ben Orr</td><td>Three is what he said.</td></tr></table>",
        "<ul><li>Ada Pell: One.</li><li>Two.</li><li>Ben Orr: Three.</li></ul>",
        "<article><section><div>Ada Pell: One.</div><div>Two.</div><div>Ben Orr: Three.</div></section></article>",
    ],
)
def test_a_page_tells_who_speaks_in_whatever_nesting(page):
    found = [(s.speaker, s.text.replace(" is what she said", "").replace(" is what he said", ""))
             for s in formats.parse(f"<html><body>{page}</body></html>".encode(), "html")]  # fmt: skip
    joined = {name: " ".join(text for who, text in found if who == name) for name, _ in found}
    assert joined == {"Ada Pell": "One. Two.", "Ben Orr": "Three."}


@pytest.mark.parametrize(
    "text",
    [
        "Ada Pell  0:05\nPiers rot.\n\nBen Orr  1:02:03\nWho pays?",
        "Ada Pell (00:05):\nPiers rot.\nBen Orr (01:02:03):\nWho pays?",
        "[00:05] Ada Pell: Piers rot.\n[1:02:03] Ben Orr: Who pays?",
        "Ada Pell [0:05]: Piers rot.\n\nBen Orr [1:02:03]: Who pays?",
        "0:05\nAda Pell: Piers rot.\n\n1:02:03\nBen Orr: Who pays?",
        "**Ada Pell:** (0:05) Piers rot.\n\n**Ben Orr:** (1:02:03) Who pays?",
    ],
)
def test_times_in_a_text_are_times_and_never_words(text):
    found = told(formats.parse(text.encode(), "text"))
    assert found == [("Ada Pell", 5.0, "Piers rot."), ("Ben Orr", 3723.0, "Who pays?")]


def test_captions_that_roll_say_each_word_once():
    lines = (
        "piers cost more than",
        "they earn and they rot",
        "from the waterline up",
        "so who pays for that",
        "the dues do",
    )
    cues, at = [], 0
    for before, now in zip(("", *lines), lines, strict=False):
        cues.append(f"00:00:{at:02d}.000 --> 00:00:{at + 2:02d}.990\n{before or ' '}\n{now}\n")
        cues.append(f"00:00:{at + 2:02d}.990 --> 00:00:{at + 3:02d}.000\n{now}\n \n")
        at += 3
    segments = formats.parse(("WEBVTT\n\n" + "\n".join(cues)).encode(), "vtt")
    assert " ".join(s.text for s in segments) == " ".join(lines)
    assert [s.start_seconds for s in segments] == [0.0, 3.0, 6.0, 9.0, 12.0]


def test_what_somebody_says_twice_in_captions_that_do_not_roll_stays():
    assert [s.text for s in formats.parse(srt("No.", "No.", "We said no to that.", "Fine, then."), "srt")][:2] == [
        "No."
    ] * 2


def in_json(**names: str) -> list[dict]:
    keys = {"speaker": "speaker", "start": "startTime", "body": "body"} | names
    speakers = ("Ada Pell", "Ada Pell", "Ben Orr", "Ada Pell")
    rows = enumerate(zip(speakers, SAID, strict=True))
    return [{keys["speaker"]: who, keys["start"]: 5 * i, keys["body"]: text} for i, (who, text) in rows]


@pytest.mark.parametrize(
    "document",
    [
        {"segments": in_json()},
        {"segments": [row | {"startTime": str(row["startTime"]), "endTime": ""} for row in in_json()]},
        {"segments": [row | {"startTime": f"00:00:{row['startTime']:02d}"} for row in in_json()]},
        {"segments": in_json(start="start", body="text"), "text": " ".join(SAID)},
        {"result": 1, "transcript": {"segments": in_json()}},
        in_json(),
        {"utterances": [row | {"start": 1000 * row["start"]} for row in in_json(start="start", body="text")]},
    ],
)
def test_json_is_read_in_the_usual_spellings(document):
    assert told(formats.parse(json.dumps(document).encode(), "json")) == by(
        "Ada Pell", "Ada Pell", "Ben Orr", "Ada Pell"
    )


def test_a_bad_row_costs_itself_and_is_counted():
    rows = [*in_json(), {"speaker": 5, "body": None, "startTime": "soon"}, "row", {"body": "Last.", "startTime": -1}]
    read = formats.read(json.dumps({"segments": rows}).encode(), "json")
    assert (len(read.segments), read.unusable_rows) == (5, 2)
    assert read.segments[-1].start_seconds is None


@pytest.mark.parametrize("spoken", ["Old piers rot . Who pays ?", "Old piers rot. Who pays?"])
def test_a_row_a_word_becomes_a_row_a_sentence(spoken):
    said = spoken.split()
    rows = [{"speaker": "Ada Pell", "startTime": i, "body": word} for i, word in enumerate(said)]
    segments = formats.parse(json.dumps({"segments": rows}).encode(), "json")
    assert told(segments) == [
        ("Ada Pell", 0.0, "Old piers rot."),
        ("Ada Pell", float(said.index("Who")), "Who pays?"),
    ]


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("Ada Pell: Café dues rose – by nine cents.".encode("utf-16"), None),
        ("Ada Pell: Café dues rose – by nine cents.".encode("utf-16-le"), None),
        ("Ada Pell: Café dues rose – by nine cents.".encode("utf-8-sig"), "latin-1"),
        ("Ada Pell: Café dues rose – by nine cents.".encode("cp1252"), "windows-1252"),
        ("<html><meta charset='cp1252'><p>Ada Pell: Café dues rose – by nine cents.</p>".encode("cp1252"), None),
    ],
)  # fmt: skip
def test_a_text_is_read_in_the_encoding_that_mark_answer_or_page_name(content, charset):
    assert told(formats.parse(content, "text", charset)) == [("Ada Pell", None, "Café dues rose – by nine cents.")]


def test_without_any_word_on_it_the_encoding_is_found_by_trial():
    russian = "Причалы стоят дороже, чем приносят. Кто за это платит? Портовые сборы, девять копеек с тонны." * 3
    assert "Портовые сборы" in formats.parse(russian.encode("cp1251"), "text")[0].text


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("json", b"[" * 200_000),
        ("json", b'{"segments":' * 50_000),
        ("html", b"<div>" * 200_000),
        ("vtt", b"WEBVTT\n\n" + b"<v " * 100_000),
    ],
)
def test_a_document_made_to_be_deep_is_refused_at_once(kind, content):
    with pytest.raises(formats.UnreadableTranscript, match=kind):
        formats.parse(content, kind)


def test_words_in_two_hundred_thousand_tags_are_read():
    (segment,) = formats.parse(b"<div>" * 200_000 + b"Piers cost more." + b"</div>" * 200_000, "html")
    assert segment.text == "Piers cost more."


def test_a_time_that_is_none_costs_the_time():
    rows = [
        {"startTime": value, "body": f"Row {i}."} for i, value in enumerate((10**400, "9" * 400, "NaN", 1e9, True, 7))
    ]
    assert [s.start_seconds for s in formats.parse(json.dumps({"segments": rows}).encode(), "json")] == [None] * 5 + [
        7.0
    ]


def test_a_line_of_very_many_words_is_cut_at_the_ends_of_sentences():
    said = "piers cost more than they earn and they rot. " * 20_000
    segments = formats.parse(said.encode(), "text")
    assert formats.word_count(segments) == 180_000
    assert max(len(s.text.split()) for s in segments) <= formats.PIECE
    assert all(s.text.endswith("rot.") for s in segments)
    unbroken = formats.parse(b"piers " * 5_000, "text")
    assert formats.word_count(unbroken) == 5_000
    assert len(unbroken) > 1


def test_seconds_of_one_digit_before_a_fraction_are_a_time():
    content = "1\n00:00:0,500 --> 00:00:2,00\nPiers cost more.\n\n2\n00:00:03,000 --> 00:00:04,000\nThey rot.\n"
    assert told(formats.parse(content.encode(), "srt")) == [
        (None, 0.5, "Piers cost more."),
        (None, 3.0, "They rot."),
    ]


@pytest.mark.parametrize("wrapped", [list, lambda words: {"word_segments": words}, lambda words: {"words": words}])
def test_rows_a_word_of_which_numbers_have_no_time_become_sentences(wrapped):
    words = [
        {"word": "Open", "start": 0.6, "end": 1.2, "speaker": "SPEAKER_01"},
        {"word": "page"},
        {"word": "58."},
        {"word": "Listen", "start": 3.9, "end": 4.3, "speaker": "SPEAKER_01"},
    ]
    assert told(formats.parse(json.dumps(wrapped(words)).encode(), "json")) == [
        ("SPEAKER_01", 0.6, "Open page 58."),
        ("SPEAKER_01", 3.9, "Listen"),
    ]


def test_a_row_of_json_a_line_is_read_and_clocks_in_a_row_are_its_times():
    rows = [
        {"timestamps": {"from": "00:00:07,000", "to": "00:00:09,000"}, "text": "Piers cost more."},
        {"timestamps": {"from": "00:00:09,000", "to": "00:00:12,000"}, "text": "They rot."},
    ]
    assert told(formats.parse("\n".join(map(json.dumps, rows)).encode(), "json")) == [
        (None, 7.0, "Piers cost more."),
        (None, 9.0, "They rot."),
    ]


@pytest.mark.parametrize("start", ["start", "startTime"])
def test_a_row_that_ends_before_it_starts_ends_where_the_next_one_starts_as_far_as_that_can_be(start):
    end = start.replace("start", "end")
    rows = [
        {start: 4.2, end: 1.1, "text": "Piers cost more."},
        {start: 7.0, end: 7.0, "text": "They rot."},
        {start: 7.0, end: 2.0, "text": "Who pays?"},
        {start: 6.0, end: -0.4, "text": "The dues."},
        {start: -0.3, end: 9.5, "text": "Nine cents."},
        {start: float("nan"), end: float("-inf"), "text": "A ton."},
        {start: 12.5, end: 12.0, "text": "Then they rose."},
    ]
    read = formats.read(json.dumps({"segments": rows}).encode(), "json")
    assert [(s.start_seconds, s.end_seconds) for s in read.segments] == [
        (4.2, 7.0), (7.0, 7.0), (7.0, None), (6.0, None), (None, 9.5), (None, None), (12.5, None),
    ]  # fmt: skip
    assert [s.text for s in read.segments] == [row["text"] for row in rows]
    assert read.unusable_rows == 0


def test_a_cue_that_ends_before_it_starts_keeps_its_words_and_its_start():
    content = "1\n00:00:09,000 --> 00:00:03,000\nPiers cost more.\n\n2\n00:00:12,000 --> 00:00:14,000\nThey rot.\n"
    read = formats.read(content.encode(), "srt")
    assert [(s.start_seconds, s.end_seconds, s.text) for s in read.segments] == [
        (9.0, 12.0, "Piers cost more."),
        (12.0, 14.0, "They rot."),
    ]
