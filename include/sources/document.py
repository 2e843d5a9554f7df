"""The document of a feed, as feedparser reads it: within bounds, and with the elements of the podcast namespace.

What is done to feedparser here changes it for the whole process, and for nothing but feeds that pass through `read`.
"""

import contextlib
import io
import unicodedata
import zlib
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import feedparser
from feedparser.mixin import _FeedParserMixin
from selectolax.lexbor import LexborHTMLParser

MAX_BYTES = 32 * 1024 * 1024
MAX_ITEMS = 20_000
MAX_ELEMENTS = 2_000_000
MAX_DEPTH = 10_000
"""Open elements at once. Feeds whose markup is never closed come to hundreds."""
_YES = {"yes", "true", "explicit", "1"}
_NO = {"no", "false", "clean", "0"}


class UnreadableFeed(Exception):
    """The document is no feed; the message says what it was instead."""


def read(content: bytes, media_type: str) -> feedparser.FeedParserDict:
    """What feedparser makes of a document. Raises UnreadableFeed where it is no feed or out of all bounds."""
    content = _unpacked(content)
    bounds = _BOUNDS.set(_Bounds(text=4 * len(content) + 100_000))
    try:
        # Without a content-location feedparser leaves a bare guid alone instead of making it a URL of this host. All
        # markup is removed below: to clean it and to resolve its links would be three quarters of the work.
        document = feedparser.parse(
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
    if not document.get("version") and not document.entries:
        trouble = document.get("bozo_exception")
        raise UnreadableFeed(f"no RSS or Atom feed{f': {trouble}' if trouble else ''}")
    return document


def text(element: Mapping, name: str) -> str:
    """The text of an element; empty where it has none. feedparser gives attributes instead where an unknown one has
    some."""
    value = element.get(name) if name in element else None
    return value.strip() if isinstance(value, str) else ""


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


def yes_or_no(text: str) -> bool | None:
    """What a publisher's yes or no means, in the spellings that feeds use; None where it is neither."""
    word = text.strip().lower()
    return True if word in _YES else False if word in _NO else None


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
