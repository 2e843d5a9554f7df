"""The list of feeds to read: an OPML file, or a text file with one feed URL a line, from a path or a URL."""

from pathlib import Path

import listparser


def parse(content: str, source: str) -> list[str]:
    """The feed URLs of an OPML document or a text list, in order, each once.

    In a text list, blank lines and lines that begin with # are passed over. Raises ValueError where nothing that looks
    like a feed URL is found, naming the source.
    """
    if content.lstrip().startswith("<"):
        urls = [feed.url for feed in listparser.parse(content).feeds]
    else:
        lines = (line.strip() for line in content.splitlines())
        urls = [line for line in lines if line and not line.startswith("#")]
        wrong = [line for line in urls if not line.startswith(("http://", "https://"))]
        if wrong:
            raise ValueError(
                f"The feed list {source} is neither OPML nor one URL a line: {wrong[0][:80]!r} is no http(s) URL."
            )
    if not urls:
        raise ValueError(
            f"The feed list {source} names no feed. Give an OPML file, or a text file with one URL a line."
        )
    return list(dict.fromkeys(urls))


def is_url(source: str) -> bool:
    """Whether the list itself is to be fetched over HTTP."""
    return source.startswith(("http://", "https://"))


def read(path: str) -> str:
    """The text of a list on disk. Raises FileNotFoundError with advice where there is none."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"There is no feed list at {file}. Set PODCAST_FEEDS to the path or URL of one.")
    return file.read_text(encoding="utf-8-sig")
