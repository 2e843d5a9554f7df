"""Podcast feeds: from the bytes of an RSS or Atom document to the show and its items. Pure; nothing is fetched."""

import functools
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from include.addresses import host, mended, without_secrets_of
from include.sources import dates, document
from include.sources.document import plain_text, text, yes_or_no

VERSION = "4"
"""Names what the modules that read feeds make of a document; another one has every feed read again in full."""
MAX_DESCRIPTION = 50_000
"""Characters kept of an item's description."""
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_AUDIO = re.compile(r"\.(mp3|m4a|m4b|aac|oga|ogg|opus|wav|flac)$")
_NOT_SPOKEN = re.compile(r"image/|text/|application/(pdf|x-bittorrent|json|epub)")


@dataclass(frozen=True, slots=True)
class OfferedTranscript:
    """One `podcast:transcript` of an item; `type` is a media type as the feed gives it."""

    url: str
    type: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One item of a feed. `problem` says why it cannot become an episode, None where it can. Times are UTC."""

    position: int
    episode_id: str | None
    guid: str | None
    title: str
    description: str
    published_at: datetime | None
    episode_url: str | None
    audio_url: str | None
    audio_type: str | None
    duration_seconds: int | None
    persons: tuple[str, ...]
    transcripts: tuple[OfferedTranscript, ...]
    explicit: bool | None
    season: int | None
    episode_number: float | None
    chapters_url: str | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Feed:
    """A show and its items, in the order of the document. `blocked` says that, and how, the publisher forbids to use
    it; such a feed has no items. `remark` says what of it was read on an assumption."""

    show_id: str
    show_title: str
    language: str | None
    items: tuple[FeedItem, ...]
    blocked: str | None = None
    remark: str | None = None


def parse(content: bytes, feed_url: str, media_type: str = "", base_url: str | None = None) -> Feed:
    """The feed in `content`, known by `feed_url`. Relative URLs are resolved against `base_url`, the address it was
    read from where that is another; markup, and what of the feed's address is secret, is removed from texts.

    Raises document.UnreadableFeed where it is neither RSS nor Atom or is out of all bounds. Items that cannot become
    episodes (no date, no identity, seen twice, blocked) are kept with their `problem`. A second costs about 8 MB of
    feed; a document made to cost more than that can take very long (`include.sources.feed_process` bounds it).
    """
    base_url = base_url or feed_url
    read = document.read(content, media_type or "application/xml")
    channel = read.feed
    show_key = text(channel, "podcast_guid").lower() or _show_key(feed_url)
    blocked = channel.get("podcast_blocked") or channel.get("itunes_blocked")
    seen: set[str] = set()
    explicit = yes_or_no(text(channel, "itunes_explicit"))
    said = (text(entry, "published") or text(entry, "updated") for entry in (channel, *read.entries))
    times = dates.Calendar.of(text(channel, "language"), urlsplit(feed_url).hostname or "", said)
    shown = functools.partial(without_secrets_of, feed_url)
    show = _Show(show_key, base_url, tuple(dict.fromkeys(channel.get("podcast_persons", []))), explicit, times, shown)
    items = tuple(_item(entry, position, show, seen) for position, entry in enumerate(read.entries))
    return Feed(
        show_id=_identifier("s", show_key),
        show_title=shown(plain_text(text(channel, "title"))) or host(feed_url),
        language=text(channel, "language").replace("_", "-") or None,
        items=() if blocked else items,
        blocked=blocked,
        remark=times.remark(),
    )


def undated(feed: Feed) -> str:
    """What to say of a feed of which no item has a date that can be read: it is not known what of it is new."""
    return f"none of its {len(feed.items)} items has a date that can be read; of the first: {feed.items[0].problem}"


@dataclass(frozen=True, slots=True)
class _Show:
    """What holds for every item that does not say otherwise."""

    key: str
    base_url: str
    persons: tuple[str, ...]
    explicit: bool | None
    times: dates.Calendar
    shown: Callable[[str], str]


def _item(entry: Mapping, position: int, show: _Show, seen: set[str]) -> FeedItem:
    audio = _recording(entry, show.base_url)
    explicit = yes_or_no(text(entry, "itunes_explicit"))
    episode_url = _page(entry, show.base_url)
    guid = text(entry, "id") or audio.get("url") or episode_url
    published_at = show.times.moment(entry)
    if not guid:
        problem = "the item has neither guid nor enclosure nor link, so it cannot be told from others"
    elif guid in seen:
        problem = f"the guid {_short(guid)} occurs twice in the feed; the first item counts"
    elif entry.get("podcast_blocked") or entry.get("itunes_blocked"):
        problem = "the publisher asks not to list this episode (itunes:block)"
    elif published_at is None:
        given = text(entry, "published") or text(entry, "updated")
        problem = (
            f"the publication date {_short(given)} cannot be read" if given else "the item has no publication date"
        )
    else:
        problem = None
        seen.add(guid)
    return FeedItem(
        position=position,
        episode_id=_identifier("e", f"{show.key}\n{guid}") if guid else None,
        guid=guid,
        title=show.shown(plain_text(text(entry, "title") or text(entry, "itunes_title"))) or "Untitled episode",
        description=show.shown(plain_text(_longest(entry))[:MAX_DESCRIPTION]),
        published_at=published_at,
        episode_url=episode_url,
        audio_url=audio.get("url"),
        audio_type=audio.get("type"),
        duration_seconds=dates.duration(text(entry, "itunes_duration")) or dates.duration(audio.get("duration")),
        persons=tuple(map(show.shown, dict.fromkeys(entry.get("podcast_persons", []) or show.persons))),
        transcripts=tuple(_transcripts(entry, show.base_url)),
        explicit=show.explicit if explicit is None else explicit,
        season=_whole(text(entry, "podcast_season") or text(entry, "itunes_season")),
        episode_number=_number(text(entry, "podcast_episode") or text(entry, "itunes_episode")),
        chapters_url=mended(entry.get("podcast_chapters_url"), show.base_url),
        problem=problem and show.shown(problem),
    )


def _page(entry: Mapping, base_url: str) -> str | None:
    """The page of an item. feedparser takes any guid for one that does not say otherwise: it is one where it is an
    address."""
    link = text(entry, "link")
    is_guid = entry.get("guidislink") and link == text(entry, "id")
    return None if is_guid and not re.match("https?://", link, re.IGNORECASE) else mended(link, base_url)


def _recording(entry: Mapping, base_url: str) -> dict[str, Any]:
    """The enclosure or media:content that is most likely what is to be heard: url, type, duration."""
    offered = [link for link in entry.get("links", []) if link.get("rel") == "enclosure"]
    candidates: list[tuple[bool, int, dict[str, Any]]] = []
    for offer in (*offered, *entry.get("media_content", [])):
        url, media = mended(offer.get("href") or offer.get("url"), base_url), offer.get("type", "").lower()
        if not url:
            continue
        is_audio = media.startswith("audio/") or offer.get("medium") == "audio" or _AUDIO.search(urlsplit(url).path)
        if is_audio or not (_NOT_SPOKEN.match(media) or offer.get("medium") in ("image", "document", "executable")):
            whole = url.partition("#")[0]  # what stands behind it would be taken for a place in the recording
            found = {"url": whole, "type": offer.get("type"), "duration": offer.get("duration")}
            candidates.append((not is_audio, len(candidates), found))
    return min(candidates)[2] if candidates else {}


def _transcripts(entry: Mapping, base_url: str) -> Iterator[OfferedTranscript]:
    for offer in entry.get("podcast_transcripts", []):
        if url := mended(offer["url"], base_url):
            yield OfferedTranscript(url, offer.get("type", ""), offer.get("language"))


def _longest(entry: Mapping) -> str:
    """The fullest description an item has."""
    texts = [text(entry, "summary"), *(text(part, "value") for part in entry.get("content", []))]
    return max(texts, key=len)


def _short(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:99] + "…")


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) else None


def _show_key(feed_url: str) -> str:
    """What names a show without a podcast:guid: its feed's URL. A loopback host names this machine, not the show."""
    parts = urlsplit(feed_url)
    host = "" if parts.hostname in _LOOPBACK else parts.netloc.lower()
    return f"{host}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def _identifier(prefix: str, key: str) -> str:
    return prefix + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:15]
