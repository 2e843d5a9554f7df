"""Podcast feeds: from the bytes of an RSS or Atom document to the show and its items. Pure; nothing is fetched."""

import calendar
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import feedparser
from selectolax.lexbor import LexborHTMLParser

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


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
    problem: str | None


@dataclass(frozen=True, slots=True)
class Feed:
    """A show and its items, in the order of the document."""

    show_id: str
    show_title: str
    language: str | None
    items: tuple[FeedItem, ...]


class UnreadableFeed(Exception):
    """The document is no feed; the message says what it was instead."""


def parse(content: bytes, feed_url: str, headers: Mapping[str, str] | None = None, base_url: str | None = None) -> Feed:
    """The feed in `content`, known by `feed_url`. Relative URLs are resolved against `base_url`, the address it was
    read from where that is another; markup is removed from texts.

    Raises UnreadableFeed where the document is neither RSS nor Atom. Items that cannot become episodes (no date, no
    identity, seen twice) are kept with their `problem`.
    """
    base_url = base_url or feed_url
    # Without a content-location feedparser leaves a bare guid alone instead of making it a URL of this host.
    sent = {"content-type": (headers or {}).get("content-type", "application/xml")}
    document = feedparser.parse(io.BytesIO(content), response_headers=sent)
    if not document.get("version") and not document.entries:
        trouble = document.get("bozo_exception")
        raise UnreadableFeed(f"no RSS or Atom feed: {trouble}" if trouble else "no RSS or Atom feed")
    show_key = document.feed.get("podcast_guid") or _show_key(feed_url)
    seen: set[str] = set()
    items = [_item(entry, position, show_key, base_url, seen) for position, entry in enumerate(document.entries)]
    return Feed(
        show_id=_identifier("s", show_key),
        show_title=plain_text(document.feed.get("title", "")) or urlsplit(feed_url).netloc,
        language=document.feed.get("language"),
        items=tuple(items),
    )


def plain_text(markup: str) -> str:
    """Text without its markup, entities resolved, white space folded."""
    if "<" in markup or "&" in markup:
        tree = LexborHTMLParser(markup)
        tree.strip_tags(["script", "style"])
        markup = tree.body.text(separator=" ") if tree.body else ""
    return " ".join(markup.split())


def duration(text: str | None) -> int | None:
    """Seconds of an itunes:duration: `3723`, `62:03`, `1:02:03`, `1h 2m 3s`. None where it is no duration."""
    if not text:
        return None
    text = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return int(float(text))
    if re.fullmatch(r"\d+(:\d{1,2}){1,2}(\.\d+)?", text):
        seconds = 0
        for figure in text.split(".")[0].split(":"):
            seconds = seconds * 60 + int(figure)
        return seconds
    units = re.fullmatch(r"(?:(\d+)\s*h\w*)?[\s,]*(?:(\d+)\s*m\w*)?[\s,]*(?:(\d+)\s*s\w*)?", text)
    if units and any(units.groups()):
        hours, minutes, seconds = (int(figure or 0) for figure in units.groups())
        return hours * 3600 + minutes * 60 + seconds
    return None


def _item(entry: Mapping, position: int, show_key: str, base_url: str, seen: set[str]) -> FeedItem:
    enclosures = [link for link in entry.get("links", []) if link.get("rel") == "enclosure" and link.get("href")]
    audio = enclosures[0] if enclosures else {}
    audio_url = _absolute(base_url, audio.get("href"))
    episode_url = _absolute(base_url, entry.get("link"))
    guid = entry.get("id") or audio_url or episode_url
    published_at = _moment(entry)
    if not guid:
        problem = "the item has neither guid nor enclosure nor link, so it cannot be told from others"
    elif published_at is None:
        given = entry.get("published") or entry.get("updated")
        problem = f"the publication date {given!r} cannot be read" if given else "the item has no publication date"
    elif guid in seen:
        problem = f"the guid {guid!r} occurs twice in the feed; the first item counts"
    else:
        problem = None
        seen.add(guid)
    return FeedItem(
        position=position,
        episode_id=_identifier("e", f"{show_key}\n{guid}") if guid else None,
        guid=guid,
        title=plain_text(entry.get("title", "")) or "Untitled episode",
        description=plain_text(_longest(entry)),
        published_at=published_at,
        episode_url=episode_url,
        audio_url=audio_url,
        audio_type=audio.get("type"),
        duration_seconds=duration(entry.get("itunes_duration")),
        persons=tuple(dict.fromkeys(entry.get("podcast_persons", []))),
        transcripts=tuple(
            OfferedTranscript(str(_absolute(base_url, offer["url"])), offer.get("type", ""), offer.get("language"))
            for offer in entry.get("podcast_transcripts", [])
        ),
        explicit=entry.get("itunes_explicit"),
        problem=problem,
    )


def _moment(entry: Mapping) -> datetime | None:
    """The publication instant in UTC; a date without a zone is taken as UTC."""
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None


def _longest(entry: Mapping) -> str:
    """The fullest description an item has."""
    texts = [entry.get("summary", ""), *(part.get("value", "") for part in entry.get("content", []))]
    return max(texts, key=len)


def _absolute(base_url: str, link: str | None) -> str | None:
    return urljoin(base_url, link.strip()) if link and link.strip() else None


def _show_key(feed_url: str) -> str:
    """What names a show without a podcast:guid: its feed's URL. A loopback host names this machine, not the show."""
    parts = urlsplit(feed_url)
    host = "" if parts.hostname in _LOOPBACK else parts.netloc.lower()
    return f"{host}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def _identifier(prefix: str, key: str) -> str:
    return prefix + hashlib.sha256(key.encode()).hexdigest()[:15]


def _keep_transcript(parser, attributes: dict) -> None:
    """feedparser keeps one element of an unknown name; a podcast item may offer several transcripts."""
    if attributes.get("url"):
        parser._get_context().setdefault("podcast_transcripts", []).append(dict(attributes))


def _begin_person(parser, attributes: dict) -> None:
    parser.push("podcast_person", 1)


def _end_person(parser) -> None:
    name = parser.pop("podcast_person")
    if name and plain_text(name):
        parser._get_context().setdefault("podcast_persons", []).append(plain_text(name))


feedparser.mixin._FeedParserMixin._start_podcast_transcript = _keep_transcript
feedparser.mixin._FeedParserMixin._start_podcast_person = _begin_person
feedparser.mixin._FeedParserMixin._end_podcast_person = _end_person
