"""The list of feeds to read: an OPML file, or a text file with one feed URL a line, from a path or a URL."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import charset_normalizer
import listparser

from include.addresses import mended, without_secrets

_BYTE_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DECLARED = re.compile(rb"""<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_SUBSCRIBE = re.compile(r"(?:feed|pcast|itpc|podcast|podcasts|rss)(?::(?=https?:)|:(?://)?)", re.IGNORECASE)
"""The schemes by which programs hand a feed to one that subscribes."""


@dataclass(frozen=True, slots=True)
class FeedList:
    """The feed URLs of a list, in order, each once; and what of it is none, with where it stands and why."""

    urls: list[str]
    unusable: dict[str, str] = field(default_factory=dict)


def parse(content: bytes, source: str) -> FeedList:
    """An OPML document or a text list, in the encoding that it declares, else in the one that it looks like.

    In a text list, blank lines and lines that begin with # are passed over. Raises ValueError where nothing in it is a
    feed URL, naming the source.
    """
    text = _text(content)
    is_opml = text.lstrip().startswith("<") and not re.match(r"\s*<https?:", text, re.IGNORECASE)
    found = _outlines(text) if is_opml else _lines(text)
    urls, unusable = [], {}
    for place, link in found:
        if url := _feed_url(link):
            urls.append(url)
        else:
            shown = without_secrets(link)[:80]
            unusable[f"{place}: {shown}"] = f"{place} of the feed list is no http(s) URL: {shown!r}"
    if not urls:
        why = f" {next(iter(unusable.values()))}." if unusable else ""
        advice = "Give an OPML file, or a text file with one URL a line."
        raise ValueError(f"The feed list {without_secrets(source)} names no feed.{why} {advice}")
    return FeedList(list(dict.fromkeys(urls)), unusable)


def is_url(source: str) -> bool:
    """Whether the list itself is to be fetched over HTTP."""
    return source.lower().startswith(("http://", "https://"))


def read(path: str) -> bytes:
    """The content of a list on disk. Raises FileNotFoundError with advice where there is none."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"There is no feed list at {file}. Set PODCAST_FEEDS to the path or URL of one.")
    return file.read_bytes()


def _text(content: bytes) -> str:
    for mark, encoding in _BYTE_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    declared = _DECLARED.match(content.lstrip()[:200])
    for encoding in ([declared[1].decode()] if declared else []) + ["utf-8"]:
        try:
            return content.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            continue
    return str(charset_normalizer.from_bytes(content).best() or content.decode("latin-1"))


def _outlines(text: str) -> Iterable[tuple[str, str]]:
    # Handed over as UTF-8, whatever the document declared.
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    for number, feed in enumerate(listparser.parse(text).feeds, start=1):
        yield f"outline {number}", feed.url


def _lines(text: str) -> Iterable[tuple[str, str]]:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if (line := line.strip("\ufeff \t\u00a0")) and not line.startswith("#"):
            yield f"line {number}", line


def _feed_url(link: str) -> str | None:
    link = _SUBSCRIBE.sub("", link, count=1) if _SUBSCRIBE.match(link) else link
    if not re.match(r"[a-z][a-z0-9+.-]*:|<", link, re.IGNORECASE) or re.match(r"[^/?#]+\.[^/?#]+:\d", link):
        link = f"http://{link}" if re.match(r"[\w-]+(\.[\w-]+)+(:\d+)?(/|\?|$)", link) else link
    return mended(link.strip("<>\"' "))
