"""Feeds parsed in processes of their own; see `include.sources.workers`. Run as a module, this is such a process."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from include.sources import feeds
from include.sources.document import UnreadableFeed
from include.sources.workers import Spoilt, Workers, serve

_REPLY: TypeAdapter[feeds.Feed | str] = TypeAdapter(feeds.Feed | str)
"""A feed, or why the document is none."""


class Parsers(Workers):
    """The processes, for feeds."""

    def __init__(self) -> None:
        super().__init__(__name__)

    async def parse(self, content: bytes, feed_url: str, headers: Mapping[str, str], base_url: str) -> feeds.Feed:
        """`feeds.parse`, waiting for a process that is free. Raises UnreadableFeed also where the document takes too
        long or makes its process die."""
        question = {"feed_url": feed_url, "media_type": headers.get("content-type", ""), "base_url": base_url}
        try:
            reply = _REPLY.validate_json(await self.ask(question, content))
        except Spoilt as spoilt:
            reply = str(spoilt)
        if isinstance(reply, str):
            raise UnreadableFeed(reply)
        return reply


def _answer(asked: Mapping[str, Any], content: bytes) -> bytes:
    reply: feeds.Feed | str
    try:
        reply = feeds.parse(content, asked["feed_url"], asked["media_type"], asked["base_url"])
    except UnreadableFeed as error:
        reply = str(error)
    return _REPLY.dump_json(reply)


if __name__ == "__main__":
    serve(_answer)
