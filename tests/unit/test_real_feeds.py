"""Real and malformed feeds, where they lie beside the project: every one is read, or refused, as it was found right.

`real_feeds.json` holds what each file comes to; each entry was compared with its file by eye. After a change that is
meant to read more, `python -m tests.unit.test_real_feeds` writes it anew: read the difference before it is kept.
"""

import gzip
import json
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from include.settings import PROJECT
from include.sources import document, feeds

FOLDER = PROJECT.parent / "shared" / "feeds"
EXPECTED = Path(__file__).with_name("real_feeds.json")
NETWORK = sorted((FOLDER / "changelog-network").glob("*.xml"))

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real feeds are not there: ../shared/feeds")


def files() -> list[Path]:
    return sorted(path for path in FOLDER.rglob("*") if path.suffix in (".xml", ".atom", ".html"))


def parsed(path: Path) -> feeds.Feed:
    return feeds.parse(path.read_bytes(), f"https://feeds.example/{path.relative_to(FOLDER)}")


def outcome(path: Path) -> dict:
    """What a file comes to: numbers and reasons, none of its words."""
    try:
        feed = parsed(path)
    except document.UnreadableFeed as error:
        return {"refused": str(error)}
    found = {
        "episodes": sum(item.problem is None for item in feed.items),
        "audio": sum(item.audio_url is not None for item in feed.items),
        "durations": sum(item.duration_seconds is not None for item in feed.items),
        "transcripts": sum(len(item.transcripts) for item in feed.items),
        "chapters": sum(item.chapters_url is not None for item in feed.items),
        "persons": sum(len(item.persons) for item in feed.items),
        "numbered": sum(item.episode_number is not None for item in feed.items),
        "explicit": sum(item.explicit is True for item in feed.items),
        "clean": sum(item.explicit is False for item in feed.items),
        "problems": dict(Counter(re.sub("'.*'", "…", item.problem) for item in feed.items if item.problem)),
        "language": feed.language,
        "blocked": feed.blocked,
    }
    return {name: value for name, value in found.items() if value or name == "episodes"}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_feed_comes_to_what_it_was_found_to_hold(path):
    assert outcome(path) == json.loads(EXPECTED.read_text())[str(path.relative_to(FOLDER))]


@pytest.mark.parametrize("path", NETWORK, ids=lambda path: path.name)
def test_every_item_that_another_parser_counts_is_an_episode(path):
    items = list(ElementTree.parse(path).getroot().iter("item"))
    feed = parsed(path)
    assert [item.guid for item in feed.items] == [item.findtext("guid").strip() for item in items]
    assert [item.problem for item in feed.items] == [None] * len(items)
    podcast = "{https://podcastindex.org/namespace/1.0}"
    assert [len(item.transcripts) for item in feed.items] == [
        len(item.findall(f"{podcast}transcript")) for item in items
    ]
    assert all(item.audio_url and item.duration_seconds for item in feed.items)


def test_a_gzip_file_is_read_as_what_is_in_it():
    path = FOLDER / "malformed" / "node-feedparser" / "compressed.xml"
    plain = feeds.parse(gzip.decompress(path.read_bytes()), f"https://feeds.example/{path.relative_to(FOLDER)}")
    assert parsed(path) == plain


if __name__ == "__main__":
    outcomes = {str(path.relative_to(FOLDER)): outcome(path) for path in files()}
    EXPECTED.write_text(json.dumps(outcomes, indent=1, sort_keys=True) + "\n")
