"""What was removed at its owner's request is not taken in again: feeds, shows and episodes are known by hashes of what
they are recognised by, and nothing else is kept of them."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import select

from include.sources.episodes import FeedReading
from include.state import store
from include.state.store import Store
from include.state.tables import forgotten


def marks(state: Store) -> frozenset[str]:
    """All that is not to be taken in."""
    with state.reading() as connection:
        return frozenset(connection.scalars(select(forgotten.c.mark)))


def remember(state: Store, new: Iterable[str]) -> None:
    """Keeps marks for good."""
    with state.writing(durable=True) as connection:
        for mark in sorted(new):
            row = {"mark": mark, "forgotten_at": store.now()}
            connection.execute(state.insert(forgotten).values(row).on_conflict_do_nothing())


def without(reading: FeedReading, known: frozenset[str]) -> FeedReading | None:
    """A reading without the episodes that were forgotten; None where the whole show was."""
    if feed_mark(reading.feed_url) in known:
        return None
    if not known or reading.feed is None:
        return reading
    if show_mark(reading.feed.show_id) in known:
        return None
    items = tuple(item for item in reading.feed.items if not known & episode_marks(asdict(item)))
    return replace(reading, feed=replace(reading.feed, items=items))


def feed_mark(feed_url: str) -> str:
    return _mark("feed", feed_url)


def show_mark(show_id: str) -> str:
    return _mark("show", show_id)


def episode_marks(episode: Mapping[str, Any]) -> set[str]:
    """By its id, by its recording, and by its guid and time, since a feed may change any of these."""
    audio = re.sub(r"^https?://(www\.)?", "", episode["audio_url"] or "")
    known_by = {
        "episode": episode["episode_id"],
        "recording": audio,
        "guid": episode["guid"] and episode["published_at"] and f"{episode['guid']} {episode['published_at']:%Y-%m-%d}",
    }
    return {_mark(kind, value) for kind, value in known_by.items() if value}


def _mark(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind} {value}".encode()).hexdigest()
