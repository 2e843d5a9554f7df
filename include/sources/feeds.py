"""Podcast feeds: from the bytes of an RSS or Atom document to the show and its items. Pure; nothing is fetched."""

import calendar
import contextlib
import hashlib
import io
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from feedparser.mixin import _FeedParserMixin
from selectolax.lexbor import LexborHTMLParser

VERSION = "2"
"""Names what this module makes of a document; another one has every feed read again in full."""
MAX_BYTES = 32 * 1024 * 1024
MAX_ITEMS = 20_000
MAX_ELEMENTS = 2_000_000
MAX_DEPTH = 10_000
"""Open elements at once. Feeds whose markup is never closed come to hundreds."""
MAX_DESCRIPTION = 50_000
"""Characters kept of an item's description."""
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_AUDIO = re.compile(r"\.(mp3|m4a|m4b|aac|oga|ogg|opus|wav|flac)$")
_NOT_SPOKEN = re.compile(r"image/|text/|application/(pdf|x-bittorrent|json|epub)")
_YES = {"yes", "true", "explicit", "1"}
_NO = {"no", "false", "clean", "0"}


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
    it; such a feed has no items."""

    show_id: str
    show_title: str
    language: str | None
    items: tuple[FeedItem, ...]
    blocked: str | None = None


class UnreadableFeed(Exception):
    """The document is no feed; the message says what it was instead."""


def parse(content: bytes, feed_url: str, headers: Mapping[str, str] | None = None, base_url: str | None = None) -> Feed:
    """The feed in `content`, known by `feed_url`. Relative URLs are resolved against `base_url`, the address it was
    read from where that is another; markup is removed from texts.

    Raises UnreadableFeed where the document is neither RSS nor Atom or is out of all bounds. Items that cannot become
    episodes (no date, no identity, seen twice, blocked) are kept with their `problem`. A second costs about 8 MB of
    feed; a document made to cost more than that can take very long (`include.sources.feed_process` bounds it).
    """
    base_url = base_url or feed_url
    media_type = (headers or {}).get("content-type") or "application/xml"
    document = _document(_unpacked(content), media_type)
    channel = document.feed
    if not document.get("version") and not document.entries:
        trouble = document.get("bozo_exception")
        raise UnreadableFeed(f"no RSS or Atom feed{f': {trouble}' if trouble else ''}")
    show_key = _text(channel, "podcast_guid").lower() or _show_key(feed_url)
    blocked = channel.get("podcast_blocked") or channel.get("itunes_blocked")
    seen: set[str] = set()
    explicit = yes_or_no(_text(channel, "itunes_explicit"))
    show = _Show(show_key, base_url, tuple(dict.fromkeys(channel.get("podcast_persons", []))), explicit)
    items = (_item(entry, position, show, seen) for position, entry in enumerate(document.entries))
    return Feed(
        show_id=_identifier("s", show_key),
        show_title=plain_text(_text(channel, "title")) or urlsplit(feed_url).netloc,
        language=_text(channel, "language").replace("_", "-") or None,
        items=() if blocked else tuple(items),
        blocked=blocked,
    )


def _document(content: bytes, media_type: str) -> feedparser.FeedParserDict:
    bounds = _BOUNDS.set(_Bounds(text=4 * len(content) + 100_000))
    try:
        # Without a content-location feedparser leaves a bare guid alone instead of making it a URL of this host. All
        # markup is removed below: to clean it and to resolve its links would be three quarters of the work.
        return feedparser.parse(
            io.BytesIO(content),
            response_headers={"content-type": media_type},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except UnreadableFeed:
        raise
    except MemoryError:
        raise UnreadableFeed("the document needs more memory than a feed may") from None
    except Exception as error:  # feedparser promises nothing about what a broken document makes it raise
        raise UnreadableFeed(f"no RSS or Atom feed: {type(error).__name__}: {error}") from error
    finally:
        _BOUNDS.reset(bounds)


def _unpacked(content: bytes) -> bytes:
    """The document, where a server sends a gzip file and does not say so."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    inner = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unpacked = inner.decompress(content, MAX_BYTES)
    except zlib.error as error:
        raise UnreadableFeed(f"no RSS or Atom feed: a gzip file that cannot be unpacked: {error}") from None
    if inner.unconsumed_tail:
        raise UnreadableFeed(f"the document unpacks to more than {MAX_BYTES // 1024 // 1024} MiB")
    return unpacked


def plain_text(markup: str) -> str:
    """Text without its markup, entities resolved, white space folded, control characters left out."""
    if "<" in markup or "&" in markup:
        tree = LexborHTMLParser(markup)
        tree.strip_tags(["script", "style"])
        markup = tree.body.text(separator=" ") if tree.body else ""
    text = " ".join(markup.split())
    if text.isprintable():
        return text
    return "".join(character for character in text if unicodedata.category(character) not in ("Cc", "Cs"))


def duration(text: str | None) -> int | None:
    """Seconds of an itunes:duration: `3723`, `62:03`, `1:02:03`, `1h 2m 3s`, `62 minutes`, `PT1H2M3S`.

    None where it is no duration, or none that an episode can have (0, or more than two days).
    """
    text = re.sub(r"\s*:\s*", ":", (text or "").strip().lower())
    if re.fullmatch(r"[0-9]{1,9}([.,][0-9]*)?", text):
        seconds = int(re.split("[.,]", text)[0])
    elif re.fullmatch(r"[0-9]{1,6}(:[0-9]{1,2}){1,2}([.,][0-9]*)?", text):
        seconds = 0
        for figure in re.split("[.,]", text)[0].split(":"):
            seconds = seconds * 60 + int(figure)
    else:
        unit = r"(?:([0-9]{1,6})\s*%s[a-z]*\.?)?[\s,]*"
        units = re.fullmatch("(?:pt)?" + unit % "h" + unit % "m" + unit % "s", text)
        hours, minutes, rest = (int(figure or 0) for figure in (units.groups() if units else ("", "", "")))
        seconds = hours * 3600 + minutes * 60 + rest
    return seconds if 0 < seconds <= 48 * 3600 else None


def yes_or_no(text: str) -> bool | None:
    """What a publisher's yes or no means, in the spellings that feeds use; None where it is neither."""
    word = text.strip().lower()
    return True if word in _YES else False if word in _NO else None


@dataclass(frozen=True, slots=True)
class _Show:
    """What holds for every item that does not say otherwise."""

    key: str
    base_url: str
    persons: tuple[str, ...]
    explicit: bool | None


def _item(entry: Mapping, position: int, show: _Show, seen: set[str]) -> FeedItem:
    audio = _recording(entry, show.base_url)
    explicit = yes_or_no(_text(entry, "itunes_explicit"))
    episode_url = _absolute(show.base_url, _text(entry, "link"))
    guid = _text(entry, "id") or audio.get("url") or episode_url
    published_at = _moment(entry)
    if not guid:
        problem = "the item has neither guid nor enclosure nor link, so it cannot be told from others"
    elif guid in seen:
        problem = f"the guid {_short(guid)} occurs twice in the feed; the first item counts"
    elif entry.get("podcast_blocked") or entry.get("itunes_blocked"):
        problem = "the publisher asks not to list this episode (itunes:block)"
    elif published_at is None:
        given = _text(entry, "published") or _text(entry, "updated")
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
        title=plain_text(_text(entry, "title") or _text(entry, "itunes_title")) or "Untitled episode",
        description=plain_text(_longest(entry))[:MAX_DESCRIPTION],
        published_at=published_at,
        episode_url=episode_url,
        audio_url=audio.get("url"),
        audio_type=audio.get("type"),
        duration_seconds=duration(_text(entry, "itunes_duration")) or duration(audio.get("duration")),
        persons=tuple(dict.fromkeys(entry.get("podcast_persons", []))) or show.persons,
        transcripts=tuple(_transcripts(entry, show.base_url)),
        explicit=show.explicit if explicit is None else explicit,
        season=_whole(_text(entry, "podcast_season") or _text(entry, "itunes_season")),
        episode_number=_number(_text(entry, "podcast_episode") or _text(entry, "itunes_episode")),
        chapters_url=_absolute(show.base_url, entry.get("podcast_chapters_url")),
        problem=problem,
    )


def _recording(entry: Mapping, base_url: str) -> dict[str, Any]:
    """The enclosure or media:content that is most likely what is to be heard: url, type, duration."""
    offered = [link for link in entry.get("links", []) if link.get("rel") == "enclosure"]
    candidates: list[tuple[bool, int, dict[str, Any]]] = []
    for offer in (*offered, *entry.get("media_content", [])):
        url, media = _absolute(base_url, offer.get("href") or offer.get("url")), offer.get("type", "").lower()
        if not url:
            continue
        is_audio = media.startswith("audio/") or offer.get("medium") == "audio" or _AUDIO.search(urlsplit(url).path)
        if is_audio or not (_NOT_SPOKEN.match(media) or offer.get("medium") in ("image", "document", "executable")):
            found = {"url": url, "type": offer.get("type"), "duration": offer.get("duration")}
            candidates.append((not is_audio, len(candidates), found))
    return min(candidates)[2] if candidates else {}


def _transcripts(entry: Mapping, base_url: str) -> Iterator[OfferedTranscript]:
    for offer in entry.get("podcast_transcripts", []):
        if url := _absolute(base_url, offer["url"]):
            yield OfferedTranscript(url, offer.get("type", ""), offer.get("language"))


def _moment(entry: Mapping) -> datetime | None:
    """The publication instant in UTC; a date without a zone is taken as UTC."""
    parsed = entry.get("published_parsed") or ("updated_parsed" in entry and entry["updated_parsed"])
    with contextlib.suppress(ValueError, OverflowError, OSError):
        if parsed:
            return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
        if mail_date := parsedate_tz(_text(entry, "published")):  # reads what has no zone, as feedparser does not
            return datetime(*mail_date[:6], tzinfo=UTC) - timedelta(seconds=mail_date[9] or 0)
    return None


def _longest(entry: Mapping) -> str:
    """The fullest description an item has."""
    texts = [_text(entry, "summary"), *(_text(part, "value") for part in entry.get("content", []))]
    return max(texts, key=len)


def _text(element: Mapping, name: str) -> str:
    """The text of an element; empty where it has none. feedparser gives attributes instead where an unknown one has
    some."""
    value = element.get(name) if name in element else None
    return value.strip() if isinstance(value, str) else ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:99] + "…")


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) else None


def _absolute(base_url: str, link: str | None) -> str | None:
    """The link as an http(s) address, None where it is no such link."""
    with contextlib.suppress(ValueError):
        url = urljoin(base_url, (link or "").strip()) if link and link.strip() else ""
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return url
    return None


def _show_key(feed_url: str) -> str:
    """What names a show without a podcast:guid: its feed's URL. A loopback host names this machine, not the show."""
    parts = urlsplit(feed_url)
    host = "" if parts.hostname in _LOOPBACK else parts.netloc.lower()
    return f"{host}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def _identifier(prefix: str, key: str) -> str:
    return prefix + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:15]


@dataclass(slots=True)
class _Bounds:
    """What the document in hand may still hold: elements, and characters, of which only entities make more than were
    sent."""

    text: int
    elements: int = MAX_ELEMENTS


_BOUNDS: ContextVar[_Bounds | None] = ContextVar("_BOUNDS", default=None)


def _bounded_element(parser, tag: str, attributes: Any) -> None:
    """Opens an element within the bounds. The prefix rss:, which stands for no namespace, is passed over."""
    if bounds := _BOUNDS.get():
        bounds.elements -= 1
        bounds.text -= sum(len(value) for _, value in attributes)
        if bounds.elements < 0:
            raise UnreadableFeed(f"the document has more than {MAX_ELEMENTS} elements")
        if len(parser.elementstack) > MAX_DEPTH:
            raise UnreadableFeed(f"the document is nested more than {MAX_DEPTH} elements deep")
        if len(parser.entries) > MAX_ITEMS:
            raise UnreadableFeed(f"the feed has more than {MAX_ITEMS} items")
    _start_element(parser, tag.removeprefix("rss:"), attributes)


def _end_element_of_rss(parser, tag: str) -> None:
    _end_element(parser, tag.removeprefix("rss:"))


def _bounded_data(parser, text: str, escape: int = 1) -> None:
    if bounds := _BOUNDS.get():
        bounds.text -= len(text)
        if bounds.text < 0:
            raise UnreadableFeed("the document's entities expand to many times its size")
    _data(parser, text, escape)


def _lenient_charref(parser, reference: str) -> None:
    with contextlib.suppress(ValueError, OverflowError):  # a number that is no character
        _charref(parser, reference)


def _keep_transcript(parser, attributes: dict) -> None:
    """feedparser keeps one element of an unknown name; a podcast item may offer several transcripts."""
    if attributes.get("url"):
        parser._get_context().setdefault("podcast_transcripts", []).append(dict(attributes))


def _keep_chapters(parser, attributes: dict) -> None:
    parser._save("podcast_chapters_url", attributes.get("url"))


def _end_person(parser) -> None:
    name = plain_text(parser.pop("podcast_person") or "")
    if name:
        parser._get_context().setdefault("podcast_persons", []).append(name)


def _begin_block(parser, attributes: dict) -> None:
    """A block with an id is meant for the one platform of that name."""
    parser.push("other_block" if attributes.get("id") else "podcast_block", 1)


def _end_podcast_block(parser) -> None:
    parser.pop("other_block")
    if yes_or_no(parser.pop("podcast_block") or ""):
        parser._get_context()["podcast_blocked"] = "the publisher asks not to use this feed (podcast:block)"


def _end_itunes_block(parser) -> None:
    if yes_or_no(parser.pop("itunes_block") or ""):
        parser._get_context()["itunes_blocked"] = "the publisher asks not to list this feed (itunes:block)"


def _begin_live_item(parser, attributes: dict) -> None:
    """A live stream is no episode, and what it says of itself is not said of the show."""
    parser.insource = 1


def _end_live_item(parser) -> None:
    parser.insource = 0
    parser.sourcedata.clear()


def _begins(element: str) -> Callable[[Any, dict], None]:
    """Has feedparser keep the text of an element that may also have attributes."""
    return lambda parser, attributes: parser.push(element, 1)


_start_element, _end_element, _data, _charref = (
    _FeedParserMixin.unknown_starttag,
    _FeedParserMixin.unknown_endtag,
    _FeedParserMixin.handle_data,
    _FeedParserMixin.handle_charref,
)
for _name, _method in {
    "unknown_starttag": _bounded_element,
    "unknown_endtag": _end_element_of_rss,
    "handle_data": _bounded_data,
    "handle_charref": _lenient_charref,
    "_start_podcast_transcript": _keep_transcript,
    "_start_podcast_chapters": _keep_chapters,
    "_end_podcast_person": _end_person,
    "_start_podcast_block": _begin_block,
    "_end_podcast_block": _end_podcast_block,
    "_start_itunes_block": _begins("itunes_block"),
    "_end_itunes_block": _end_itunes_block,
    "_end_itunes_explicit": lambda parser: parser.pop("itunes_explicit"),
    "_start_podcast_liveitem": _begin_live_item,
    "_end_podcast_liveitem": _end_live_item,
    **{
        f"_start_{_element}": _begins(_element)
        for _element in (
            "podcast_guid",
            "podcast_person",
            "podcast_season",
            "podcast_episode",
            "itunes_duration",
            "itunes_explicit",
            "itunes_season",
            "itunes_episode",
            "itunes_title",
        )
    },
}.items():
    setattr(_FeedParserMixin, _name, _method)
_FeedParserMixin.namespaces |= {
    "https://podcastindex.org/namespace/1.0": "podcast",
    "https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md": "podcast",
}
