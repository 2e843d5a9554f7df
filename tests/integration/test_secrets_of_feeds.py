"""What only a subscriber may know, the token or password of a feed, reaches no page, no copy and no log of a day."""

import re

import duckdb
import pytest

from include.local.sample import server as sample
from tests import chain
from tests.doubles.hostile_server import answer, serving

SECRET = "7f3acafe5ecre7"


@pytest.fixture
def private_feed():
    """One of the sample's feeds of 2026-01-15 as a private one: every address in it, and its own, bears a secret."""
    with sample.serve(port=0) as address:
        path = next(path for path in sample.feed_paths() if "second-opinion" in path)
        text = (sample.FOLDER / path.lstrip("/")).read_text()
    links = sorted(set(re.findall(r'<podcast:transcript[^>]*url="([^"]+)"', text)))
    tricks = {}
    for link in links:
        name = link.removeprefix(address).rpartition("/")[2]
        (found,) = list(sample.FOLDER.rglob(name)) or [None]
        if found:
            tricks[f"t/{name}?token={SECRET}"] = answer(found.read_bytes(), "text/vtt")
            text = text.replace(f'"{link}"', f'"/t/{name}?token={SECRET}"')
    text = re.sub(r'(<enclosure[^>]*url=")[^"]*/([^"/]+)"', rf'\1https://cdn.tide.example/\2?token={SECRET}"', text)
    # What hosts of private feeds write besides: whose feed it is, and links and guids that bear the token.
    text = text.replace("<title>", f"<title>[{SECRET}] ").replace("<description>", f"<description>For {SECRET}. ")
    notes = f'<p>https://tide.example/n?token={SECRET} <a href="https://tide.example/{SECRET}/map">Map {SECRET}</a></p>'
    text = text.replace("<content:encoded><![CDATA[", f"<content:encoded><![CDATA[{notes}")
    text = re.sub(r"(<guid[^>]*>)", rf"\1https://tide.example/{SECRET}/", text)
    text = re.sub(r"<link>[^<]*/ep/", f"<link>https://tide.example/{SECRET}/ep/", text)
    text = text.replace('<podcast:person role="host">', f'<podcast:person role="host">{SECRET} ')
    tricks[f"rss?auth={SECRET}"] = answer(text.encode())
    with serving(tricks) as host:
        yield host


def test_a_private_feeds_secrets_are_in_raw_and_nowhere_else(private_feed, tmp_path, caplog, capfd):
    feeds = tmp_path / "feeds.txt"
    gone = f"http://ann:{SECRET}@127.0.0.1:1/rss"
    feeds.write_text(f"http://{private_feed}/rss?auth={SECRET}\n{gone}\nftp://x.example/?key={SECRET}\n")
    data = tmp_path / "data"
    with chain.environment(
        data, PODCAST_FEEDS=str(feeds), PODCAST_ALLOW_HOSTS=private_feed, PODCAST_TRANSCRIBER="publisher"
    ):
        chain.run_day("2026-01-15")
    with duckdb.connect(str(data / "published" / "podcasts.duckdb"), read_only=True) as copy:
        (words, links) = copy.execute(
            "select sum(word_count), count(audio_url) from marts.episodes where transcript_status = 'ok'"
        ).fetchone()
        assert words > 0, "the transcript was read at its secret address"
        assert links == 0
        told = copy.execute("select title, description, guid, episode_url, show_title from marts.episodes").fetchall()
        assert all("***" in one for row in told for one in (*row[:3], row[4]))
        assert {row[3] for row in told} == {None}, "a page at a secret address is shown to nobody"
        tables = copy.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        assert [t for (t,) in tables if SECRET in repr(copy.execute(f"select * from {t}").fetchall())] == []
        reasons = repr(copy.execute("select show_title, reason from ops.feed_status").fetchall())
        assert "127.0.0.1:1" in reasons
        assert "line 3 of the feed list" in reasons
    spared = {data / "warehouse.duckdb", data / "landing"}
    files = [f for f in data.rglob("*") if f.is_file() and not spared & {f, *f.parents}]
    assert len(files) > 5
    assert [str(f.relative_to(data)) for f in files if SECRET.encode() in f.read_bytes()] == []
    assert SECRET not in caplog.text + "".join(capfd.readouterr())
