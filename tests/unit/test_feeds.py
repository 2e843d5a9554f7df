"""Feeds: what is read out of RSS and Atom, and what becomes of items that cannot be episodes."""

from datetime import UTC, datetime

import pytest

from include import feed_list, feeds

FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
     xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel>
  <title>Harbour &amp;amp; Tide</title><language>en-gb</language>{channel}
  <item>
    <title>The &lt;i&gt;long&lt;/i&gt; pier</title>
    <guid isPermaLink="false">harbour-1</guid>
    <pubDate>Thu, 15 Jan 2026 01:30:00 +0200</pubDate>
    <link>/episodes/1</link>
    <description>Short.</description>
    <content:encoded><![CDATA[<p>Piers &amp; money.</p><script>alert(1)</script>]]></content:encoded>
    <enclosure url="audio/1.mp3" type="audio/mpeg" length="1"/>
    <itunes:duration>1:02:03</itunes:duration>
    <podcast:person role="host">Ada Pell</podcast:person><podcast:person>Ben Orr</podcast:person>
    <podcast:transcript url="t/1.srt" type="application/x-subrip"/>
    <podcast:transcript url="t/1.vtt" type="text/vtt" language="en"/>
  </item>
  {items}
</channel></rss>"""


def read(channel: str = "", items: str = "") -> feeds.Feed:
    return feeds.parse(FEED.format(channel=channel, items=items).encode(), "https://harbour.example/pod/feed.xml")


def test_an_item_becomes_an_episode_with_everything_the_feed_says_of_it():
    item = read().items[0]
    assert item.title == "The long pier"
    assert item.description == "Piers & money."
    assert item.published_at == datetime(2026, 1, 14, 23, 30, tzinfo=UTC)
    assert item.episode_url == "https://harbour.example/episodes/1"
    assert item.audio_url == "https://harbour.example/pod/audio/1.mp3"
    assert item.duration_seconds == 3723
    assert item.persons == ("Ada Pell", "Ben Orr")
    assert [offer.url for offer in item.transcripts] == [
        "https://harbour.example/pod/t/1.srt",
        "https://harbour.example/pod/t/1.vtt",
    ]
    assert item.problem is None


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ("<item><title>No date</title><guid>x</guid></item>", "no publication date"),
        ("<item><guid>x</guid><pubDate>soon, we hope</pubDate></item>", "'soon, we hope' cannot be read"),
        ("<item><title>Nothing else</title></item>", "neither guid nor enclosure nor link"),
        ("<item><guid>harbour-1</guid><pubDate>Thu, 15 Jan 2026 10:00:00 GMT</pubDate></item>", "occurs twice"),
    ],
)
def test_an_item_that_cannot_be_an_episode_says_why_and_spoils_nothing(item, why):
    good, bad = read(items=item).items
    assert good.problem is None
    assert why in bad.problem


def test_a_show_keeps_its_identity_when_its_feed_moves_and_names_its_guid():
    channel = "<podcast:guid>9b024349-ccf0-5f69-a609-6b82873eab3c</podcast:guid>"
    text = FEED.format(channel=channel, items="").encode()
    here, there = (feeds.parse(text, f"https://{host}/feed") for host in ("a.example", "b.example"))
    assert here.show_id == there.show_id
    assert here.items[0].episode_id == there.items[0].episode_id


def test_a_loopback_port_is_no_part_of_a_shows_identity():
    text = FEED.format(channel="", items="").encode()
    one, other, elsewhere = (
        feeds.parse(text, f"http://{host}/show/feed.xml") for host in ("127.0.0.1:8001", "localhost:9", "h.example")
    )
    assert one.show_id == other.show_id != elsewhere.show_id


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3723", 3723),
        ("62:03", 3723),
        ("1:02:03", 3723),
        ("01:02:03.500", 3723),
        ("1h 2m 3s", 3723),
        ("2 min", 120),
        ("", None),
        ("long", None),
    ],
)
def test_durations_are_read_in_all_their_spellings(text, seconds):
    assert feeds.duration(text) == seconds


@pytest.mark.parametrize("content", [b"", b"<html><body>Not found</body></html>", b"\x1f\x8b\x00garbage"])
def test_a_document_that_is_no_feed_is_refused(content):
    with pytest.raises(feeds.UnreadableFeed, match="no RSS or Atom feed"):
        feeds.parse(content, "https://harbour.example/feed.xml")


def test_external_entities_of_a_feed_are_not_read(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the password")
    text = f"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]>
    <rss version="2.0"><channel><title>&x;</title><item><title>&x;</title></item></channel></rss>"""
    feed = feeds.parse(text.encode(), "https://harbour.example/feed.xml")
    assert "password" not in repr(feed)


def test_a_feed_list_is_opml_or_one_url_a_line():
    opml = '<opml version="2.0"><body><outline type="rss" text="A" xmlUrl="https://a.example/f"/></body></opml>'
    assert feed_list.parse(opml, "list.opml") == ["https://a.example/f"]
    lines = "# mine\nhttps://a.example/f\n\nhttps://b.example/f\nhttps://a.example/f\n"
    assert feed_list.parse(lines, "list.txt") == ["https://a.example/f", "https://b.example/f"]


@pytest.mark.parametrize(("text", "why"), [("", "names no feed"), ("ftp://a.example/f", "no http\\(s\\) URL")])
def test_a_feed_list_that_names_no_feed_says_so(text, why):
    with pytest.raises(ValueError, match=why):
        feed_list.parse(text, "list.txt")
