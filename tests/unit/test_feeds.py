"""Feeds: what is read out of RSS and Atom, and what becomes of items that cannot be episodes."""

from datetime import UTC, datetime

import pytest

from include.sources import dates, document, feed_list, feeds

FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
     xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
     xmlns:media="http://search.yahoo.com/mrss/">
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


def dated(inside: str, guid: str = "x") -> str:
    return f"<item><guid>{guid}</guid><pubDate>Thu, 15 Jan 2026 10:00:00 GMT</pubDate>{inside}</item>"


@pytest.mark.parametrize(
    ("word", "explicit"),
    [
        ("yes", True),
        ("true", True),
        (" True\n", True),
        ("explicit", True),
        ("no", False),
        ("FALSE", False),
        ("clean", False),
        ("", None),
        ("perhaps", None),
    ],
)
def test_explicit_is_understood_in_all_its_spellings(word, explicit):
    assert read(items=dated(f"<itunes:explicit>{word}</itunes:explicit>")).items[1].explicit is explicit


def test_what_a_show_says_of_its_hosts_and_of_explicit_words_holds_for_episodes_that_say_nothing():
    channel = "<itunes:explicit>true</itunes:explicit><podcast:person>Cy Host</podcast:person>"
    own = "<itunes:explicit>no</itunes:explicit><podcast:person>Di Guest</podcast:person>"
    items = read(channel, dated("", "a") + dated(own, "b")).items[1:]
    assert [(item.explicit, item.persons) for item in items] == [(True, ("Cy Host",)), (False, ("Di Guest",))]


def test_season_episode_and_chapters_are_read():
    podcast = '<podcast:season name="Low water">3</podcast:season><podcast:episode display="x">12.5</podcast:episode>'
    podcast += '<podcast:chapters url="c.json" type="application/json+chapters"/>'
    itunes = "<itunes:season>4</itunes:season><itunes:episode>7</itunes:episode>"
    first, second, third = read(items=dated(podcast, "a") + dated(itunes, "b") + dated("", "c")).items[1:]
    assert (first.season, first.episode_number) == (3, 12.5)
    assert first.chapters_url == "https://harbour.example/pod/c.json"
    assert (second.season, second.episode_number) == (4, 7)
    assert (third.season, third.episode_number, third.chapters_url) == (None, None, None)


@pytest.mark.parametrize(
    "block",
    [
        "<podcast:block>yes</podcast:block>",
        '<podcast:block id="other">no</podcast:block><podcast:block>yes</podcast:block>',
        "<itunes:block>Yes</itunes:block>",
        "<itunes:block>true</itunes:block>",
    ],
)
def test_a_feed_that_is_blocked_has_no_items(block):
    feed = read(block)
    assert "the publisher asks not to" in feed.blocked
    assert feed.items == ()


@pytest.mark.parametrize(
    "block",
    [
        '<podcast:block id="elsewhere">yes</podcast:block>',
        "<podcast:block>no</podcast:block>",
        "<itunes:block>no</itunes:block>",
        "<itunes:block/>",
    ],
)
def test_a_block_that_is_meant_for_others_or_not_meant_blocks_nothing(block):
    feed = read(block)
    assert feed.blocked is None
    assert len(feed.items) == 1


def test_a_blocked_episode_says_so_and_the_others_stay():
    good, bad = read(items=dated("<itunes:block>yes</itunes:block>")).items
    assert good.problem is None
    assert "itunes:block" in bad.problem


@pytest.mark.parametrize(
    ("offers", "url"),
    [
        ('<media:content url="m.mp3" type="audio/mpeg" duration="90"/>', "m.mp3"),
        (
            '<media:group><media:content url="v.mp4" type="video/mp4"/>'
            '<media:content url="a" medium="audio"/></media:group>',
            "a",
        ),
        ('<enclosure url="cover.jpg" type="image/jpeg"/><enclosure url="a.mp3" type="audio/mpeg"/>', "a.mp3"),
        ('<enclosure url="v.mp4" type="video/mp4"/><enclosure url="a.m4a" type="audio/x-m4a"/>', "a.m4a"),
        ('<enclosure url="v.mp4" type="video/mp4"/>', "v.mp4"),
        ('<enclosure url="a.mp3" type="text/html"/>', "a.mp3"),
        ('<enclosure url="plain"/>', "plain"),
        ('<enclosure url="cover.jpg" type="image/jpeg"/>', None),
        ('<enclosure url="magnet:?xt=1" type="application/x-bittorrent"/>', None),
        ('<enclosure url="http://[bad" type="audio/mpeg"/>', None),
    ],
)
def test_the_recording_is_the_audio_among_what_is_offered(offers, url):
    item = read(items=dated(offers)).items[1]
    assert item.audio_url == (f"https://harbour.example/pod/{url}" if url else None)
    assert item.problem is None


def test_a_live_stream_is_no_episode_and_says_nothing_of_the_show():
    live = """<podcast:liveItem status="live"><title>On air</title><guid>live</guid><podcast:person>Ed</podcast:person>
    <enclosure url="live.mp3" type="audio/mpeg"/></podcast:liveItem>"""
    feed = read(live)
    assert feed.show_title == "Harbour & Tide"
    assert [item.guid for item in feed.items] == ["harbour-1"]
    assert feed.items[0].persons == ("Ada Pell", "Ben Orr")


def test_podcast_tags_are_known_by_their_namespace_not_by_their_prefix():
    text = FEED.format(channel="", items="").replace("podcast:", "pc:").replace("xmlns:podcast", "xmlns:pc").encode()
    item = feeds.parse(text, "https://harbour.example/feed.xml").items[0]
    assert (len(item.transcripts), len(item.persons)) == (2, 2)


def test_an_atom_feed_is_read_with_its_enclosures_and_relative_links():
    text = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://atom.example/pod/" xml:lang="de_AT">
    <title>Ebbe</title><entry><title type="html">&lt;b&gt;Flut&lt;/b&gt;</title><id>tag:1</id>
    <updated>2026-01-15T01:30:00+02:00</updated><link href="1.html"/>
    <link rel="enclosure" href="1.mp3" type="audio/mpeg"/>
    <content type="html">&lt;p&gt;Wasser&lt;/p&gt;</content></entry></feed>"""
    feed = feeds.parse(text.encode(), "https://atom.example/feed")
    (item,) = feed.items
    assert (feed.show_title, feed.language, item.title, item.description) == ("Ebbe", "de-AT", "Flut", "Wasser")
    assert (item.guid, item.published_at) == ("tag:1", datetime(2026, 1, 14, 23, 30, tzinfo=UTC))
    assert item.episode_url == "https://atom.example/pod/1.html"
    assert item.audio_url == "https://atom.example/pod/1.mp3"


@pytest.mark.parametrize("version", ["0.91", "0.92", "2.0", "3.0", ""])
def test_rss_is_read_whatever_its_version_says(version):
    text = FEED.format(channel="", items="").replace('version="2.0"', f'version="{version}"')
    assert len(feeds.parse(text.encode(), "https://harbour.example/feed.xml").items) == 1


def test_rdf_is_read_with_its_dates():
    text = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Old</title></channel>
    <item rdf:about="https://old.example/1"><title>One</title><dc:date>2026-01-15T10:00:00Z</dc:date></item></rdf:RDF>"""
    (item,) = feeds.parse(text.encode(), "https://old.example/feed").items
    assert (item.guid, item.problem) == ("https://old.example/1", None)


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("Thu, 15 Jan 2026 10:00:00", datetime(2026, 1, 15, 10, tzinfo=UTC)),
        ("15 Jan 2026 10:00", datetime(2026, 1, 15, 10, tzinfo=UTC)),
        ("2026-01-15 10:00:00", datetime(2026, 1, 15, 10, tzinfo=UTC)),
        ("15 Jan 2026 10:00 EST", datetime(2026, 1, 15, 15, tzinfo=UTC)),
        ("Fri, 15 Jan 2199 10:00:00 GMT", datetime(2199, 1, 15, 10, tzinfo=UTC)),
        ("Thu, 32 Jan 2026 10:00:00 GMT", None),
    ],
)
def test_a_date_without_a_zone_is_utc_and_one_that_is_none_is_named(given, understood):
    item = read(items=f"<item><guid>x</guid><pubDate>{given}</pubDate></item>").items[1]
    assert item.published_at == understood
    assert (item.problem is None) == (understood is not None)


def test_an_item_without_a_guid_is_known_by_its_enclosure_else_by_its_link():
    date = "<pubDate>Thu, 15 Jan 2026 10:00:00 GMT</pubDate>"
    enclosed, linked = f'<item>{date}<enclosure url="a.mp3"/></item>', f"<item>{date}<link>/l</link></item>"
    items = read(items=enclosed + linked).items[1:]
    assert [item.guid for item in items] == ["https://harbour.example/pod/a.mp3", "https://harbour.example/l"]


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
        ("1 hr. 2 mins, 3 secs", 3723),
        ("PT1H2M3S", 3723),
        (" 62 : 03 ", 3723),
        ("62 minutes", 3720),
        ("2 min", 120),
        ("3723,5", 3723),
        ("", None),
        ("0", None),
        ("0:00:00", None),
        ("long", None),
        ("h", None),
        ("-5", None),
        ("3723000", None),
        ("9" * 5000, None),
    ],
)
def test_durations_are_read_in_all_their_spellings(text, seconds):
    assert dates.duration(text) == seconds


@pytest.mark.parametrize("content", [b"", b"<html><body>Not found</body></html>", b"\x1f\x8b\x00garbage"])
def test_a_document_that_is_no_feed_is_refused(content):
    with pytest.raises(document.UnreadableFeed, match="no RSS or Atom feed"):
        feeds.parse(content, "https://harbour.example/feed.xml")


def test_external_entities_of_a_feed_are_not_read(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the password")
    text = f"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]>
    <rss version="2.0"><channel><title>&x;</title><item><title>&x;</title></item></channel></rss>"""
    feed = feeds.parse(text.encode(), "https://harbour.example/feed.xml")
    assert "password" not in repr(feed)


def test_feedparser_itself_still_reads_for_others():
    import feedparser

    assert len(feedparser.parse(FEED.format(channel="", items="")).entries) == 1


def listed(content: str | bytes) -> list[str]:
    return feed_list.parse(content if isinstance(content, bytes) else content.encode(), "list").urls


OPML = '<opml version="2.0"><body><outline type="rss" text="A" xmlUrl="https://a.example/f"/></body></opml>'


def test_a_feed_list_is_opml_or_one_url_a_line():
    assert listed(OPML) == ["https://a.example/f"]
    nested = (
        '<outline text="Folder">' + '<outline type="rss" text="B" xmlUrl="https://b.example/f"/>' * 2 + "</outline>"
    )
    twice = OPML.replace("</body>", f"{nested}<outline text='A again' xmlUrl='https://a.example/f'/></body>")
    assert listed(twice) == ["https://a.example/f", "https://b.example/f"]
    lines = "# mine\nhttps://a.example/f\n\nhttps://b.example/f\nhttps://a.example/f\n"
    assert listed(lines) == ["https://a.example/f", "https://b.example/f"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "iso-8859-1", "windows-1252"])
def test_a_feed_list_is_read_in_the_encoding_that_it_declares(encoding):
    declared = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    opml = declared + OPML.replace("a.example/f", "bücher.example/ä")
    assert listed(mark + opml.encode(encoding)) == ["https://xn--bcher-kva.example/%C3%A4"]
    if encoding.startswith("utf"):
        assert listed(mark + "https://a.example/f\r\n".encode(encoding)) == ["https://a.example/f"]


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("feed://a.example/f", "http://a.example/f"),
        ("feed:https://a.example/f", "https://a.example/f"),
        ("Feed:HTTPS://a.example/f", "https://a.example/f"),
        ("pcast://a.example/f", "http://a.example/f"),
        ("itpc://a.example/f", "http://a.example/f"),
        ("HTTP://A.example/F", "http://a.example/F"),
        ("<https://a.example/f>", "https://a.example/f"),
        ("a.example/f.xml", "http://a.example/f.xml"),
        ("https://a.example/my feed", "https://a.example/my%20feed"),
    ],
)
def test_a_feed_url_is_read_as_programs_hand_it_over(line, url):
    assert listed(f"{line}\nhttps://b.example/f") == [url, "https://b.example/f"]
    assert listed(OPML.replace("https://a.example/f", line.strip("<>"))) == [url]


def test_a_line_that_is_no_feed_url_is_named_with_its_number_and_the_others_are_read():
    found = feed_list.parse(b"# mine\nhttps://a.example/f\nftp://b.example/f?token=5ecre7\nhello there\n", "list")
    assert found.urls == ["https://a.example/f"]
    assert list(found.unusable.values()) == [
        "line 3 of the feed list is no http(s) URL: 'ftp://b.example/f?token=***'",
        "line 4 of the feed list is no http(s) URL: 'hello there'",
    ]


@pytest.mark.parametrize(
    ("text", "why"), [(b"", "names no feed"), (b"\nftp://a.example/f", r"line 2 .* no http\(s\) URL")]
)
def test_a_feed_list_that_names_no_feed_says_so(text, why):
    with pytest.raises(ValueError, match=why):
        feed_list.parse(text, "list.txt")


def test_addresses_are_mended_and_only_the_recording_loses_what_stands_behind_it():
    page, audio, transcript = "<link>/notes for 2#top</link>", "my show/søndag.mp3#start", "t/1 æ.vtt"
    enclosure = f'<enclosure url="{audio}" type="audio/mpeg"/><podcast:transcript url="{transcript}" type="text/vtt"/>'
    item = read(items=dated(page + enclosure)).items[1]
    assert item.episode_url == "https://harbour.example/notes%20for%202#top"
    assert item.audio_url == "https://harbour.example/pod/my%20show/s%C3%B8ndag.mp3"
    assert [offer.url for offer in item.transcripts] == ["https://harbour.example/pod/t/1%20%C3%A6.vtt"]


def test_an_address_that_cannot_be_mended_costs_itself_not_the_episode():
    item = read(
        items=dated('<link>http://[1</link><enclosure url="http://a b.example/1.mp3" type="audio/mpeg"/>')
    ).items[1]
    assert (item.problem, item.guid, item.audio_url, item.episode_url) == (None, "x", None, None)


@pytest.mark.parametrize(
    ("guid", "page"),
    [
        ("<guid>Episode 12</guid>", None),
        ('<guid isPermaLink="true">ep 13</guid>', None),
        ("<guid>b7a1c5d2-66aa-4f0e-9d3b-1c0f4d1a9e55</guid>", None),
        ("<guid>tag:harbour.example,2026:15</guid>", None),
        ("<guid>www.harbour.example/15</guid>", None),
        ("<guid>https://harbour.example/a b</guid>", "https://harbour.example/a%20b"),
        ("<guid>Episode 12</guid><link>/12</link>", "https://harbour.example/12"),
        ("<link>/12</link><guid>Episode 12</guid>", "https://harbour.example/12"),
    ],
)
def test_a_guid_is_a_page_only_where_it_is_an_address(guid, page):
    item = read(items=f"<item>{guid}<pubDate>Thu, 15 Jan 2026 10:00:00 GMT</pubDate></item>").items[1]
    assert item.episode_url == page
    assert item.guid in guid


@pytest.mark.parametrize(
    ("given", "day", "hour"),
    [
        ("Thu, 15 Jan 2026 00:30:00 CET", 14, 23.5),
        ("Wed, 15 Jul 2026 00:30:00 CEST", 14, 22.5),
        ("Do, 15 Jan 2026 00:30 MEZ", 14, 23.5),
        ("Wed, 15 Jul 2026 00:30:00 BST", 14, 23.5),
        ("Thu, 15 Jan 2026 07:30:00 JST", 14, 22.5),
        ("Thu, 15 Jan 2026 07:30:00 AEDT", 14, 20.5),
        ("Thu, 15 Jan 2026 11:45 pm EST", 16, 4.75),
        ("Thu, 15 Jan 2026 12:15 a.m. PST", 15, 8.25),
        ("15 Jan 2026 03:45 PM", 15, 15.75),
        ("January 15, 2026 10:00 pm GMT", 15, 22),
        ("15-Jan-26 10:00:00 GMT", 15, 10),
        ("Sun 15 Mar 2015 01:00:00 GMT-0400 (EDT)", 15, 5),
        ("2026-01-15 00:30:00 CET", 14, 23.5),
        ("2026-01-15T00:30:00.5+01:00", 14, 23.5),
        ("Thu, 15 Jan 2026 00:30:00 Europe/Berlin", 14, 23.5),
        ("Donnerstag, 15. Januar 2026 10:00 Uhr", 15, 10),
        ("Do, 15 Mär 2026 10:00:00 +0100", 15, 9),
        ("jeu., 15 févr. 2026 10:00:00 +0100", 15, 9),
        ("jueves, 15 de enero de 2026 10:00:00 +0100", 15, 9),
        ("Qui, 15 Fev 2026 10:00:00 -0300", 15, 13),
        ("czw, 15 sty 2026 10:00:00 +0100", 15, 9),
        ("Чт, 15 января 2026 10:00:00 +0300", 15, 7),
    ],
)
def test_dates_are_read_with_named_zones_halves_of_the_day_and_months_of_common_languages(given, day, hour):
    published = read(items=f"<item><guid>x</guid><pubDate>{given}</pubDate></item>").items[1].published_at
    assert published is not None, given
    assert published.day == day
    assert published.hour + published.minute / 60 == hour


@pytest.mark.parametrize(
    ("channel", "hour", "is_said"),
    [
        ("<language>en-in</language>", 4.5, False),
        ("<language>he</language>", 8, False),
        ("<language>en-IE</language>", 9, False),
        ("<lastBuildDate>Thu, 15 Jan 2026 12:00:00 +0200</lastBuildDate>", 8, False),
        ("<pubDate>Thu, 15 Jan 2026 12:00:00 +0530</pubDate>", 4.5, False),
        ("", 4.5, True),
    ],
)
def test_a_zone_that_several_countries_have_is_told_by_the_feed_and_else_said(channel, hour, is_said):
    plain = FEED.replace("<language>en-gb</language>", "").replace("+0200", "GMT")
    items = "<item><guid>x</guid><pubDate>Thu, 15 Jan 2026 10:00:00 IST</pubDate></item>"
    feed = feeds.parse(plain.format(channel=channel, items=items).encode(), "https://tide.example/feed")
    published = feed.items[1].published_at
    assert published.hour + published.minute / 60 == hour
    assert (feed.remark is not None) == is_said
    assert not is_said or "IST" in feed.remark


def test_the_secret_of_a_private_feed_stands_in_none_of_its_texts():
    token = "7f3acafe5ecre7"
    item = f"""<item><guid>{token}/12</guid><pubDate>Thu, 15 Jan 2026 06:00:00 GMT</pubDate>
        <title>[{token}] Dues</title>
        <description>For {token}: https://quay.example/n?key=other5ecret and &lt;a href="/{token}"&gt;more&lt;/a&gt;
        </description></item>"""
    content = f"<rss><channel><title>Quay, {token}</title>{item}{item}</channel></rss>".encode()
    feed = feeds.parse(content, f"https://members.quay.example/rss?auth={token}")
    first, again = feed.items
    assert (feed.show_title, first.title) == ("Quay, ***", "[***] Dues")
    assert first.description == "For ***: https://quay.example/n?key=*** and more"
    assert first.guid == f"{token}/12", "an item is known by it"
    assert again.problem
    assert token not in again.problem
