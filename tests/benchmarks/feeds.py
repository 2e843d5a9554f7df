"""How fast feeds are scanned: this project's reader beside feedparser, one feed after another, on the same server.

A thousand feeds, four a host, made from the real ones that lie beside the project, else from the sample's: each holds
up to fifty items, and each answer takes 20 ms, as a near server would. The server and every measurement are processes
of their own. The way with feedparser is measured on a part of the feeds, in which every original comes equally often.
"""

import asyncio
import functools
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from typing import ClassVar

import feedparser

from include.local.sample import server as sample
from include.settings import PROJECT

FEEDS = 1_000
FEW = 100
CHANGED_ONE_IN = 100
ITEMS = 50
LATENCY_SECONDS = 0.02
BASELINE_ROUNDS = 3
REAL = [PROJECT.parent / "shared" / "feeds" / name for name in ("changelog-network", "partytime-real-world")]


def rows() -> list[tuple[str, float, str]]:
    """What was read, seconds, and how that is beside the slow way, with the peak of memory."""
    with served() as port:
        slow = run("one-by-one", port)
        few, many = run("scan", port, FEW), run("scan", port, FEEDS)
    source = f"{len(originals())} {'real' if REAL[0].is_dir() else 'sample'} feeds, {megabytes():.2f} MB in the mean"
    pace = slow["feeds"] / slow["seconds"]

    def row(what: str, seconds: float, peak: str = "") -> tuple[str, float, str]:
        ratio = FEEDS / seconds / pace
        return f"{FEEDS} feeds, {what}", seconds, f"{FEEDS / seconds:.0f} feeds/s, {ratio:.1f} × as fast{peak}"

    memory = "; ".join(
        f"{n} feeds: {m['memory']:.0f} MB, parsers {m['parsers']:.0f} MB" for n, m in ((FEW, few), (FEEDS, many))
    )
    return [
        (f"feedparser one by one, {slow['feeds']} feeds ({source})", slow["seconds"], f"{pace:.1f} feeds/s, 1.0 ×"),
        row("nothing known", many["cold"], f"; {memory}"),
        row(f"all but {many['changed']} unchanged", many["warm"]),
    ]


def scan(port: int, count: int) -> dict:
    """A cold and a warm scan, into files as the task does it: seconds of each, and the peak of memory in MB."""
    # Imported here, since they change feedparser, which is measured as it comes.
    from include.pipeline.ingest_episodes import FEEDS
    from include.pipeline.run import Run
    from include.sources import episodes

    urls = [address(port, number) for number in range(count)]
    hosts = frozenset(url.split("/")[2] for url in urls)
    known: dict[str, episodes.Validators] = {}
    outcomes: Counter = Counter()

    def read(day: date) -> float:
        outcomes.clear()
        began = time.perf_counter()
        with FEEDS.put_each(Run(day)) as put:

            def keep(reading: episodes.FeedReading) -> None:
                put(reading)
                outcomes["unchanged" if reading.unchanged else reading.error or "read"] += 1
                known[reading.feed_url] = episodes.Validators(reading.etag)

            episodes.read_feeds(urls, dict(known), keep, hosts)
        return time.perf_counter() - began

    with tempfile.TemporaryDirectory() as folder:
        os.environ["PODCAST_DATA_DIR"] = folder
        cold = read(date(2026, 1, 14))
        assert outcomes == {"read": count}, outcomes
        warm = read(date(2026, 1, 15))
        changed = count // CHANGED_ONE_IN
        assert outcomes == {"read": changed, "unchanged": count - changed}, outcomes
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"cold": cold, "warm": warm, "changed": changed, "memory": peaks[0], "parsers": peaks[1]}


def one_by_one(port: int) -> dict:
    """feedparser as its own documentation begins: one feed after another, each in full."""
    count = BASELINE_ROUNDS * len(originals())
    began = time.perf_counter()
    for number in range(count):
        assert feedparser.parse(address(port, number)).entries
    return {"seconds": time.perf_counter() - began, "feeds": count}


def address(port: int, number: int) -> str:
    """Linux answers on all of 127.0.0.0/8, so there are as many hosts as are wanted."""
    host = f"127.0.{number // 4 // 200}.{number // 4 % 200 + 1}" if sys.platform == "linux" else "127.0.0.1"
    return f"http://{host}:{port}/{number}.xml"


@functools.cache
def originals() -> list[bytes]:
    paths = sorted(path for folder in REAL for path in folder.glob("*.xml"))
    texts = [path.read_bytes() for path in paths] or [
        (sample.FOLDER / path.lstrip("/")).read_bytes() for path in sample.feed_paths()
    ]
    return [shortened(text) for text in texts]


def shortened(text: bytes) -> bytes:
    ends = [match.end() for match in re.finditer(rb"</item>", text)]
    return text if len(ends) <= ITEMS else text[: ends[ITEMS - 1]] + text[ends[-1] :]


def megabytes() -> float:
    return sum(map(len, originals())) / len(originals()) / 1e6


class Answers(asyncio.Protocol):
    """Enough of HTTP/1.1 to be asked for feeds over kept connections."""

    asked: ClassVar[Counter] = Counter()

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        number = int(data.split(b" ", 2)[1].strip(b"/").removesuffix(b".xml"))
        self.asked[number] += 1
        version = self.asked[number] if number % CHANGED_ONE_IN == 0 else 0
        body = b"%s<!-- %d %d -->" % (originals()[number % len(originals())], number, version)
        tag = b'"%s"' % sha256(b"%d %d" % (number, version)).hexdigest()[:16].encode()
        fresh = tag in data
        head = b"HTTP/1.1 304 Not Modified\r\nETag: %s\r\n\r\n" % tag
        if not fresh:
            head = b"HTTP/1.1 200 OK\r\nETag: %s\r\nContent-Type: application/rss+xml\r\nContent-Length: %d\r\n\r\n" % (
                tag,
                len(body),
            )
        asyncio.get_running_loop().call_later(LATENCY_SECONDS, self.transport.write, head if fresh else head + body)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answers, "0.0.0.0", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def served() -> Iterator[int]:
    """The port of the server, which is a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.feeds", "serve"], stdout=subprocess.PIPE, cwd=PROJECT
    ) as server:
        assert server.stdout
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def run(what: str, *arguments: int) -> dict:
    """A measurement in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.feeds", what, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT).stdout)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve())
    else:
        print(json.dumps({"scan": scan, "one-by-one": one_by_one}[sys.argv[1]](*map(int, sys.argv[2:]))))
