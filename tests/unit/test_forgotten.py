"""What was forgotten is not taken in again, by whatever address and id it comes."""

from dataclasses import asdict, replace
from datetime import UTC, datetime

from include.sources import feeds, forgotten
from include.sources.episodes import FeedReading

URL = "http://slow.example/feed.xml"
DOCUMENT = b"""
<rss version="2.0"><channel><title>Slow Steaming</title>
<item><title>One</title><guid>1</guid><pubDate>Tue, 13 Jan 2026 08:00:00 GMT</pubDate>
<enclosure url="https://cdn.example/one.mp3" type="audio/mpeg"/></item>
<item><title>Two</title><guid>2</guid><pubDate>Wed, 14 Jan 2026 08:00:00 GMT</pubDate>
<enclosure url="https://cdn.example/two.mp3" type="audio/mpeg"/></item>
</channel></rss>
"""
FEED = feeds.parse(DOCUMENT, URL)
READING = FeedReading(URL, 200, datetime.now(UTC), FEED)


def titles(reading: FeedReading | None) -> list[str] | None:
    return [item.title for item in reading.feed.items] if reading and reading.feed else None


def test_an_episode_is_known_by_its_id_its_recording_or_its_guid_and_day():
    one, two = FEED.items
    marks = frozenset(forgotten.episode_marks(asdict(one)))
    changed = [
        replace(one, episode_id="e", guid="another"),
        replace(one, episode_id="e", audio_url="http://www.cdn.example/one.mp3?new", guid="1"),
        replace(one, audio_url=None, guid="another", published_at=None),
    ]

    assert titles(forgotten.without(READING, marks)) == ["Two"]
    for item in changed:
        again = replace(READING, feed=replace(FEED, items=(item, two)))
        assert titles(forgotten.without(again, marks)) == ["Two"]


def test_an_episode_of_the_same_guid_on_another_day_is_another():
    one, _ = FEED.items
    other = replace(one, episode_id="e", audio_url="https://cdn.example/other.mp3", published_at=datetime(2026, 2, 1))
    reading = replace(READING, feed=replace(FEED, items=(other,)))

    assert titles(forgotten.without(reading, frozenset(forgotten.episode_marks(asdict(one))))) == ["One"]


def test_a_show_is_known_under_another_address_and_a_feed_that_cannot_be_read_by_its_own():
    show, feed = frozenset({forgotten.show_mark(FEED.show_id)}), frozenset({forgotten.feed_mark(URL)})
    moved = replace(READING, feed_url="http://new.example/feed.xml")
    failed = replace(READING, feed=None, error="gone")

    assert forgotten.without(moved, show) is None
    assert forgotten.without(failed, feed) is None
    assert forgotten.without(failed, show) == failed


def test_marks_are_kept_once_and_are_hashes_alone(state):
    forgotten.remember(state, {forgotten.feed_mark(URL)})
    forgotten.remember(state, {forgotten.feed_mark(URL), forgotten.show_mark("s1")})

    marks = forgotten.marks(state)
    assert marks == {forgotten.feed_mark(URL), forgotten.show_mark("s1")}
    assert all(len(mark) == 64 and int(mark, 16) >= 0 for mark in marks)
