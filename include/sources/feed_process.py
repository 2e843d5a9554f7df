"""Feeds parsed in processes of their own, one document at a time each: one that is made to keep the parser busy, to
swell it or to crash it costs itself a bounded time and stops nothing else. Run as a module, this is such a process.
"""

import asyncio
import contextlib
import json
import os
import resource
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from typing import BinaryIO, cast

from pydantic import TypeAdapter

from include.settings import PROJECT
from include.sources import feeds

PROCESSES = min(os.cpu_count() or 1, 4)
SECONDS = 60.0
MEMORY_BYTES = 2 * 1024**3
"""Of address space, not of memory in use: a feed of 32 MiB takes about 200 MB."""
_REPLY: TypeAdapter[feeds.Feed | str] = TypeAdapter(feeds.Feed | str)
"""A feed, or why the document is none."""


class Parsers:
    """PROCESSES processes, each started when it is first needed and ended with the block."""

    def __init__(self) -> None:
        self._all = [_Parser() for _ in range(PROCESSES)]
        self._idle: asyncio.LifoQueue[_Parser] = asyncio.LifoQueue()
        for parser in self._all:
            self._idle.put_nowait(parser)

    async def __aenter__(self) -> "Parsers":
        return self

    async def __aexit__(self, *exception) -> None:
        await asyncio.gather(*(parser.end() for parser in self._all))

    async def parse(self, content: bytes, feed_url: str, headers: Mapping[str, str], base_url: str) -> feeds.Feed:
        """`feeds.parse`, waiting for a process that is free. Raises UnreadableFeed also where the document takes longer
        than SECONDS or makes its process die."""
        parser = await self._idle.get()
        try:
            reply = await parser.ask(content, feed_url, headers.get("content-type", ""), base_url)
        finally:
            self._idle.put_nowait(parser)
        if isinstance(reply, str):
            raise feeds.UnreadableFeed(reply)
        return reply


class _Parser:
    """One process, from this side."""

    def __init__(self) -> None:
        self._process: Process | None = None

    async def ask(self, content: bytes, feed_url: str, media_type: str, base_url: str) -> feeds.Feed | str:
        head = {"size": len(content), "feed_url": feed_url, "media_type": media_type, "base_url": base_url}
        process = self._process = self._process or await _started()
        questions, answers = cast(asyncio.StreamWriter, process.stdin), cast(asyncio.StreamReader, process.stdout)
        try:
            async with asyncio.timeout(SECONDS):
                questions.writelines([json.dumps(head).encode(), b"\n", content])
                await questions.drain()
                return _REPLY.validate_json(await answers.readexactly(int(await answers.readline())))
        except TimeoutError:
            await self.end(at_once=True)
            return f"the document could not be parsed within {SECONDS:.0f} s"
        except (OSError, ValueError, asyncio.IncompleteReadError):
            await self.end(at_once=True)
            return "the document made its parser crash"
        except asyncio.CancelledError:
            await self.end(at_once=True)
            raise

    async def end(self, at_once: bool = False) -> None:
        process, self._process = self._process, None
        if process:
            with contextlib.suppress(ProcessLookupError):
                if at_once:
                    process.kill()
                else:
                    cast(asyncio.StreamWriter, process.stdin).close()
            await process.wait()


async def _started() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=PIPE, stdout=PIPE, cwd=PROJECT, limit=1024 * 1024
    )


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Parses what comes until nothing more comes: a line of JSON that says how many bytes follow, and the document.
    What goes back is a line with a number of bytes, and the reply."""
    while head := questions.readline():
        asked = json.loads(head)
        content = questions.read(asked["size"])
        reply: feeds.Feed | str
        try:
            reply = feeds.parse(content, asked["feed_url"], {"content-type": asked["media_type"]}, asked["base_url"])
        except feeds.UnreadableFeed as error:
            reply = str(error)
        packed = _REPLY.dump_json(reply)
        answers.write(b"%d\n%s" % (len(packed), packed))
        answers.flush()


if __name__ == "__main__":
    with contextlib.suppress(ValueError, OSError):  # not every system bounds a process
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin.buffer, out)
