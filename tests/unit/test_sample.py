"""The bundled sample is what its README says: enough days, episodes and words, all formats, one item broken."""

import http.client
import itertools
import json
import re
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import pytest

from include.local.sample import server
from include.transcripts import formats as published
from include.transcripts.segment import Segment

FOLDER = server.FOLDER
GOLD = Path(__file__).parents[1] / "evals" / "gold"
NAMES = {"podcast": "https://podcastindex.org/namespace/1.0", "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd"}
CUE = re.compile(r"^(\d\d):(\d\d):(\d\d)[.,](\d{3}) --> (\d\d):(\d\d):(\d\d)[.,](\d{3})$", re.MULTILINE)
MARKUP = re.compile(r"<[^>]*>")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with server.serve(0) as url:
        yield url


def items() -> Iterator[tuple[Path, ElementTree.Element]]:
    """Every item of every feed with its feed's file."""
    for feed in sorted((FOLDER / "feeds").glob("*.xml")):
        for item in ElementTree.parse(feed).getroot().iter("item"):
            yield feed, item


def is_audio_only(item: ElementTree.Element) -> bool:
    return item.find("podcast:transcript", NAMES) is None


def good_items() -> list[tuple[Path, ElementTree.Element]]:
    return [(feed, item) for feed, item in items() if item.find("guid") is not None]


def day(item: ElementTree.Element) -> str:
    """The UTC date of an item; the date format's zone `-0000` says UTC without saying where."""
    moment = parsedate_to_datetime(item.findtext("pubDate", ""))
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date().isoformat()


def spoken(file: Path) -> str:
    """The words of a transcript without names, times and markup."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        return " ".join(segment["body"] for segment in json.loads(text)["segments"])
    if file.suffix == ".html":
        return " ".join(re.findall(r"<p>(.*?)</p>", text))
    if file.suffix in {".vtt", ".srt"}:
        text = " ".join(block.split("\n", 1)[1] for block in re.split(r"\n(?=\d\d:)", text)[1:])
    return MARKUP.sub(" ", text)


def transcripts(feed: Path, item: ElementTree.Element) -> list[Path]:
    base = f"http://sample.example/feeds/{feed.name}"
    offers = item.findall("podcast:transcript", NAMES)
    return [FOLDER / urlsplit(urljoin(base, offer.attrib["url"])).path[1:] for offer in offers]


def seconds(figures: tuple[str, ...]) -> float:
    hours, minutes, whole, milli = (int(figure) for figure in figures)
    return hours * 3600 + minutes * 60 + whole + milli / 1000


def test_six_shows_publish_at_least_fifteen_episodes_and_most_of_them_on_the_samples_day():
    days = Counter(day(item) for _, item in good_items())
    assert server.SAMPLE_DATE == "2026-01-15"
    assert sorted(days) == ["2026-01-13", "2026-01-14", "2026-01-15"]
    assert len({feed for feed, _ in items()}) == 6
    assert sum(days.values()) >= 15
    assert days[server.SAMPLE_DATE] >= 6
    assert min(days.values()) >= 4
    assert len({feed for feed, item in good_items() if day(item) == server.SAMPLE_DATE}) >= 5


def test_every_episode_but_one_has_a_transcript_of_1200_words_or_more():
    for feed, item in good_items():
        for file in transcripts(feed, item):
            assert len(spoken(file).split()) >= 1200, file
    assert sum(is_audio_only(item) for _, item in good_items()) == 1


def test_the_episode_without_a_transcript_has_a_small_recording_beside_what_is_said_in_it():
    ((feed, item),) = [(feed, item) for feed, item in good_items() if is_audio_only(item)]
    enclosure = item.find("enclosure")
    assert enclosure is not None
    recording = (feed.parent / enclosure.attrib["url"]).resolve()
    assert int(enclosure.attrib["length"]) == recording.stat().st_size < 1_000_000
    assert day(item) == server.SAMPLE_DATE
    assert 500 < len(recording.with_suffix(".txt").read_text(encoding="utf-8").split()) < 800
    assert {file.stem for file in (FOLDER / "audio").rglob("*.*")} == {recording.stem}


def test_no_transcript_lies_about_unlinked():
    linked = {file for feed, item in good_items() for file in transcripts(feed, item)}
    assert linked == {file for file in (FOLDER / "transcripts").rglob("*") if file.is_file()}


def test_every_format_is_there_and_one_episode_offers_several():
    offers = [{file.suffix for file in transcripts(feed, item)} for feed, item in good_items()]
    assert set.union(*offers) == {".vtt", ".srt", ".json", ".html", ".txt"}
    assert max(len(kinds) for kinds in offers) >= 3


@pytest.mark.parametrize("file", sorted((FOLDER / "transcripts").rglob("*.[vsj]*")), ids=lambda file: file.name)
def test_times_run_forward(file: Path):
    if file.suffix == ".json":
        times = [(row["startTime"], row["endTime"]) for row in json.loads(file.read_text())["segments"]]
    else:
        times = [(seconds(cue[:4]), seconds(cue[4:])) for cue in CUE.findall(file.read_text())]
    assert len(times) > 50
    assert all(start < end for start, end in times)
    assert all(end <= later for (_, end), (later, _) in itertools.pairwise(times))


def test_each_format_looks_like_itself():
    for file in (FOLDER / "transcripts").rglob("*.*"):
        text = file.read_text(encoding="utf-8")
        match file.suffix:
            case ".vtt":
                assert text.startswith("WEBVTT")
            case ".srt":
                assert text.startswith("1\n00:00:")
            case ".json":
                assert set(json.loads(text)["segments"][0]) == {"speaker", "startTime", "endTime", "body"}
            case ".html":
                assert text.count("<cite>") == text.count("<p>") > 50
            case ".txt":
                assert all(re.match(r"(\[[\d:]+\] )?[A-Z][\w' -]+: \S", part) for part in text.split("\n\n"))


def test_one_episode_has_captions_without_speakers_that_cut_sentences():
    captions = (FOLDER / "transcripts/slow-steaming/x12.vtt").read_text()
    blocks = captions.split("\n\n")[1:]
    assert "<v " not in captions
    assert sum(block.rstrip()[-1:] not in ".?!" for block in blocks) > len(blocks) / 2


def test_every_good_item_can_be_an_episode():
    for feed, item in good_items():
        enclosure = item.find("enclosure")
        assert enclosure is not None
        if not is_audio_only(item):
            assert urlsplit(enclosure.attrib["url"]).hostname == f"media.{feed.stem}.example"
        assert urlsplit(item.findtext("link", "")).hostname == f"{feed.stem}.example"
        assert item.findtext("itunes:duration", namespaces=NAMES)
        assert len(item.findall("podcast:person", NAMES)) >= (1 if is_audio_only(item) else 2)
    guids = [item.findtext("guid") for _, item in good_items()]
    assert len(set(guids)) == len(guids)


def test_exactly_one_item_is_broken_beside_good_ones():
    broken = [(feed, item) for feed, item in items() if item.find("guid") is None]
    assert [feed.name for feed, _ in broken] == ["base-load.xml"]
    item = broken[0][1]
    assert item.find("enclosure") is None
    assert item.find("link") is None
    with pytest.raises(ValueError, match="Invalid date"):
        parsedate_to_datetime(item.findtext("pubDate", ""))


def test_one_transcript_gives_orders_to_a_model():
    text = spoken(FOLDER / "transcripts/six-storeys/53.json")
    for order in ("Ignore all previous instructions", "score it ten", '"score": 10', "<script>", "DROP TABLE", "Bcc:"):
        assert order in text


def gold() -> list[dict]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted((GOLD / "insights").glob("*.json"))]


def segments_of(slug: str) -> list[Segment]:
    """The segments of the format that the pipeline prefers among those an episode is offered in."""
    files = {
        file.suffix[1:].replace("txt", "text"): file for file in FOLDER.glob(f"transcripts/{slug.replace('__', '/')}.*")
    }
    kind = min(files, key=published.FORMATS.index)
    return published.parse(files[kind].read_bytes(), kind)


def test_the_gold_covers_every_episode_and_its_quotes_stand_where_it_says():
    assert {notes["slug"] for notes in gold()} == {
        f"{file.parent.name}__{file.stem}" for file in (FOLDER / "transcripts").rglob("*.*")
    }
    for notes in gold():
        segments = segments_of(notes["slug"])
        assert 3 <= len(notes["insights"]) <= 8
        for insight in notes["insights"]:
            passage = segments[insight["first_segment"] : insight["last_segment"] + 1]
            assert insight["quote"] in " ".join(segment.text for segment in passage)
            assert {segment.speaker for segment in passage} <= {insight["speaker"], None}
        for kind in ("acceptable", "ads", "not_insights"):
            for passage in notes[kind]:
                assert 0 <= passage["first_segment"] <= passage["last_segment"] < len(segments)


def test_every_format_of_an_episode_holds_the_segments_that_the_gold_numbers():
    offered: dict[str, list[list[str]]] = {}
    for file in (FOLDER / "transcripts").rglob("*.*"):
        kind = file.suffix[1:].replace("txt", "text")
        texts = [segment.text for segment in published.parse(file.read_bytes(), kind)]
        offered.setdefault(f"{file.parent.name}/{file.stem}", []).append(texts)
    for episode, formats in offered.items():
        assert all(texts == formats[0] for texts in formats), episode


def test_the_gold_themes_have_stories_of_several_shows_and_insights_that_stand_alone():
    rows = [json.loads(line) for line in (GOLD / "themes.jsonl").read_text(encoding="utf-8").splitlines()]
    shows: dict[str, set[str]] = {}
    for row in rows:
        shows.setdefault(row["theme"], set()).add(row["show"])
    assert len({row["id"] for row in rows}) == len(rows) >= 40
    assert sum(len(telling) >= 3 for telling in shows.values()) >= 2
    assert min(Counter(row["theme"] for row in rows).values()) == 1


def test_the_server_lists_every_feed_by_its_full_address(address: str):
    with urllib.request.urlopen(f"{address}/feeds.txt") as answer:
        listed = answer.read().decode().split()
    assert listed == [f"{address}/feeds/{file.name}" for file in sorted((FOLDER / "feeds").glob("*.xml"))]


def test_every_transcript_is_served_where_its_feed_says_with_the_type_it_says(address: str):
    for feed, item in good_items():
        for offer, file in zip(item.findall("podcast:transcript", NAMES), transcripts(feed, item), strict=True):
            with urllib.request.urlopen(urljoin(f"{address}/feeds/{feed.name}", offer.attrib["url"])) as answer:
                assert answer.headers.get_content_type() == offer.attrib["type"]
                assert answer.read() == file.read_bytes()


def test_every_recording_is_served_as_what_it_is(address: str):
    for feed, item in good_items():
        enclosure = item.find("enclosure")
        if enclosure is not None and is_audio_only(item):
            url = urljoin(f"{address}/feeds/{feed.name}", enclosure.attrib["url"])
            with urllib.request.urlopen(url) as answer:
                assert answer.headers.get_content_type() == enclosure.attrib["type"] == "audio/mpeg"
                assert answer.read() == (feed.parent / enclosure.attrib["url"]).resolve().read_bytes()


def test_a_feed_that_has_not_changed_answers_304(address: str):
    url = f"{address}/feeds/headland.xml"
    with urllib.request.urlopen(url) as answer:
        assert answer.status == 200
        assert parsedate_to_datetime(answer.headers["Last-Modified"])
        etag = answer.headers["ETag"]
    for known, status in ((etag, 304), (f'"other", W/{etag}', 304), ('"other"', 200)):
        connection = http.client.HTTPConnection(urlsplit(address).netloc)
        connection.request("GET", "/feeds/headland.xml", headers={"If-None-Match": known})
        answer = connection.getresponse()
        assert answer.status == status
        assert bool(answer.read()) == (status == 200)
        connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/feeds",
        "/server.py",
        "/README.md",
        "/feeds/../server.py",
        "/feeds/../../settings.py",
        "/feeds/..%2f..%2fdigest.py",
        "/feeds/%2e%2e/README.md",
        "/transcripts//etc/passwd",
        "/feeds/nobody.xml",
        "/feeds/%00.xml",
    ],
)
def test_nothing_else_is_served(address: str, path: str):
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    connection.request("GET", path)
    assert connection.getresponse().status == 404
    connection.close()


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path):
    (tmp_path / "secret.txt").write_text("not yours")
    (tmp_path / "sample/feeds").mkdir(parents=True)
    (tmp_path / "sample/feeds/out.txt").symlink_to(tmp_path / "secret.txt")
    with (
        server.serve(0, tmp_path / "sample") as url,
        pytest.raises(HTTPError, match="404"),
    ):
        urllib.request.urlopen(f"{url}/feeds/out.txt")


def test_a_taken_port_is_named_with_what_to_do():
    with socket.socket() as other:
        other.bind((server.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(server.PortTaken, match=f"port {port} .* taken.*another port"), server.serve(port):
            pass
        command = [sys.executable, "-m", "include.local.sample.server", "--port", str(port)]
        ran = subprocess.run(command, cwd=FOLDER.parents[2], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith("The sample's feeds cannot be served")
    assert "Traceback" not in ran.stderr
