"""Addresses: what of them is secret, and what becomes of those that are written badly."""

import duckdb
import pytest

from include.addresses import bears_secret, host, macros, mended, without_secrets, without_secrets_of

SECRET = "7f3acafe5ecre7d41b"


@pytest.mark.parametrize(
    "url",
    [
        f"https://members.tide.example/rss?auth={SECRET}",
        f"https://ann:{SECRET}@members.tide.example/rss",
        f"https://{SECRET}@members.tide.example/rss",
        f"https://www.patreon.com/rss/tide?auth={SECRET}&show=1",
        f"https://tide.example/feed?privaterss={SECRET}",
        f"https://tide.example/feed.xml?show=1&amp;podcast_subscriber_token={SECRET}",
        f"https://cdn.tide.example/1.mp3?Expires=1&Signature={SECRET}&Key-Pair-Id=K1",
        f"https://bucket.tide.example/1.mp3?X-Amz-Credential=a%2Fb&X-Amz-Signature={SECRET}",
        f"https://store.tide.example/1.mp3?sv=2020&sig={SECRET}",
        f"https://player.example/?feed=https%3A%2F%2Ftide.example%2Frss%3Ftoken%3D{SECRET}",
        f"https://tide.supercast.com/feeds/{SECRET}",
        f"https://tide.supportingcast.fm/content/eyJ0IjoicCIsImMiOiIxIn0{SECRET}.rss",
        f"https://api.substack.com/feed/podcast/1/private/{SECRET}-0000.rss",
        f"https://private.captivate.fm/tide/{SECRET}",
        f"https://feeds.redcircle.com/0b7d/pf/{SECRET}",
        f"https://tide.castos.com/feed?uuid={SECRET}",
        f"https://tide.example/members/feed/{SECRET}",
        f"https://tide.example/audio/eyJhbGciOiJIUzI1NiJ9.{SECRET}/1.mp3",
    ],
)
def test_a_secret_of_an_address_is_put_out_of_sight_wherever_the_address_stands(url):
    said = f'{{"feed": "{url}", "why": "the server answered 503"}}'
    assert bears_secret(url)
    assert SECRET not in without_secrets(said)
    assert without_secrets(said).endswith('", "why": "the server answered 503"}')
    with duckdb.connect() as connection:
        connection.execute(macros())
        assert connection.execute("select without_secrets($said)", {"said": said}).fetchone() == (
            without_secrets(said),
        )
    assert not bears_secret(without_secrets(url)), "what is put out of sight stays so"


@pytest.mark.parametrize(
    "url",
    [
        "https://tide.example/feed.xml?author=pell&keyword=tide&signal=1&tokyo=1",
        "https://tide.example/@pell/episodes/12",
        "https://cdn.tide.example/p/open/s/5d137ece8b774eb816199f63/e/5f4d293775570c114b445fc7/media.mp3?dest-id=1",
        "https://tide.example/private-equity/1.mp3",
        "https://tide.example/episode?id=b7a1c5d2-66aa-4f0e-9d3b-1c0f4d1a9e55",
    ],
)
def test_an_address_without_a_secret_is_shown_as_it_is(url):
    assert without_secrets(url) == url


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("https://media.tide.example/my show/ep 1.mp3", "https://media.tide.example/my%20show/ep%201.mp3"),
        ("https://media.tide.example/søndag/3.mp3", "https://media.tide.example/s%C3%B8ndag/3.mp3"),
        ("https://bücher.example/ä?q=ö", "https://xn--bcher-kva.example/%C3%A4?q=%C3%B6"),
        ("https://tide.example/e/tag%3Atracks%2F8/8.mp3", "https://tide.example/e/tag%3Atracks%2F8/8.mp3"),
        ("https://tide.example/100% tide.mp3", "https://tide.example/100%25%20tide.mp3"),
        (" \n https://tide.example/a\n.mp3 ", "https://tide.example/a.mp3"),
        ("HTTPS://tide.example/1.mp3", "https://tide.example/1.mp3"),
        ("http:///tide.example/1.mp3", "http://tide.example/1.mp3"),
        ("//cdn.tide.example/1.mp3", "https://cdn.tide.example/1.mp3"),
        ("a b.mp3", "https://harbour.example/pod/a%20b.mp3"),
        ("http://[bad", None),
        ("https://tide.example:99999/", None),
        ("https://ti de.example/", None),
        ("https://1.2.3.999/1.mp3", None),
        ("javascript:alert(1)", None),
        ("magnet:?xt=1", None),
        ("", None),
        (None, None),
    ],
)
def test_a_link_is_mended_or_given_up(link, address):
    assert mended(link, "https://harbour.example/pod/feed.xml") == address


def test_a_show_without_a_title_is_named_by_its_host():
    assert host(f"https://ann:{SECRET}@members.tide.example/rss?auth={SECRET}") == "members.tide.example"
    assert host("http://127.0.0.1:8001/rss") == "127.0.0.1:8001"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"Tide, for ann only ({SECRET})", "Tide, for ann only (***)"),
        (f"https://members.tide.example/e/{SECRET}/12", "https://members.tide.example/e/***/12"),
        (
            f"Listen at https://x.example/?token={SECRET}2 or write to ann",
            "Listen at https://x.example/?token=*** or write to ann",
        ),
        ("Harbour dues rose", "Harbour dues rose"),
        (None, None),
    ],
)
@pytest.mark.parametrize(
    "feed_url",
    [
        f"https://members.tide.example/rss?auth={SECRET}&show=1",
        f"https://ann:{SECRET}@members.tide.example/rss?key=harbour",
        f"https://tide.supercast.com/feeds/{SECRET}",
    ],
)
def test_the_secret_of_a_feed_is_put_out_of_sight_where_it_stands_alone_too(feed_url, said, shown):
    if said:
        assert without_secrets_of(feed_url, said) == shown
    with duckdb.connect() as connection:
        connection.execute(macros())
        assert connection.execute("select without_secrets_of($1, $2)", [feed_url, said]).fetchone() == (shown,)


def test_a_feed_without_a_secret_takes_nothing_out_of_its_texts():
    with duckdb.connect() as connection:
        connection.execute(macros())
        for url in ("https://tide.example/rss", "https://ann:short@tide.example/rss?auth=everybody"):
            said = "Ann is short, and everybody knows https://tide.example/12"
            assert without_secrets_of(url, said) == said
            assert connection.execute("select without_secrets_of($1, $2)", [url, said]).fetchone() == (said,)
