"""How fast feeds are read: this project's reader beside feedparser, one feed after another, on the same server.

The feeds are made from the sample's, each with an answer that takes 20 ms, as a near server would.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import feedparser

from include import ingestion
from include.sample import server as sample

FEEDS = 200
LATENCY_SECONDS = 0.02


def rows() -> list[tuple[str, float, str]]:
    """Name, seconds, and what it is beside the slow way: one row a way of reading FEEDS feeds."""
    with served() as (address, host):
        urls = [f"{address}/{number}.xml" for number in range(FEEDS)]
        began = time.perf_counter()
        for url in urls:
            feedparser.parse(url)
        one_by_one = time.perf_counter() - began
        began = time.perf_counter()
        cold = ingestion.read_feeds(urls, {}, frozenset({host}))
        cold_seconds = time.perf_counter() - began
        known = {reading.feed_url: ingestion.Validators(reading.etag) for reading in cold}
        began = time.perf_counter()
        warm = ingestion.read_feeds(urls, known, frozenset({host}))
        warm_seconds = time.perf_counter() - began
    assert all(reading.feed for reading in cold)
    assert all(reading.unchanged for reading in warm)
    return [
        (f"feedparser, {FEEDS} feeds one after another", one_by_one, "1.0 ×"),
        (f"{FEEDS} feeds, nothing known", cold_seconds, f"{one_by_one / cold_seconds:.1f} × as fast"),
        (f"{FEEDS} feeds, none changed", warm_seconds, f"{one_by_one / warm_seconds:.1f} × as fast"),
    ]


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """A server of FEEDS feeds: its address, and its host with the port."""
    texts = [(sample.FOLDER / path.lstrip("/")).read_bytes() for path in sample.feed_paths()]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            time.sleep(LATENCY_SECONDS)
            body = texts[int(self.path.strip("/").removesuffix(".xml")) % len(texts)]
            tag = f'"{sha256(body).hexdigest()[:16]}"'
            fresh = self.headers.get("If-None-Match") == tag
            self.send_response(304 if fresh else 200)
            self.send_header("ETag", tag)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", "0" if fresh else str(len(body)))
            self.end_headers()
            if not fresh:
                self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_address[1]}"
        yield f"http://{host}", host
        server.shutdown()
