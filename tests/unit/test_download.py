"""Large bodies: brought to disk over real sockets, whole or not at all, through broken connections, in flat memory."""

import hashlib
import threading
import tracemalloc
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from include.sources import web

AUDIO = b"".join(hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(20_000))


class Handler(BaseHTTPRequestHandler):
    """Sends AUDIO; the path says how it breaks off the first time."""

    asked: list[dict]
    answers: Counter

    def do_GET(self):
        self.asked.append({"path": self.path, "range": self.headers.get("Range")})
        self.answers[self.path] += 1
        getattr(self, "_" + self.path.strip("/"))(first=self.answers[self.path] == 1)

    def _whole(self, first):
        self._send(AUDIO)

    def _breaks(self, first):
        self._send(AUDIO, stop_after=100_000 if first else None, ranges=True, ETag='"1"')

    def _changes(self, first):
        body = AUDIO if first else AUDIO[::-1]
        self._send(body, stop_after=100_000 if first else None, ranges=True, ETag='"1"' if first else '"2"')

    def _unmarked(self, first):
        self._send(AUDIO, stop_after=100_000 if first else None, ranges=True)

    def _always_breaks(self, first):
        self._send(AUDIO, stop_after=1000)

    def _gone(self, first):
        self.send_error(410)

    def _inward(self, first):
        self.send_response(302)
        self.send_header("Location", "http://10.0.0.1/audio.mp3")
        self.end_headers()

    def _unannounced(self, first):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(AUDIO)

    def _long(self, first):
        self.send_response(200)
        self.send_header("Content-Length", str(40 * len(AUDIO)))
        self.end_headers()
        for _ in range(40):
            self.wfile.write(AUDIO)

    def _send(self, body, stop_after=None, ranges=False, **headers):
        begin = 0
        if ranges and self.headers.get("Range") and self.headers.get("If-Range") == headers.get("ETag"):
            begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
        self.send_response(206 if begin else 200)
        for name, value in {"Content-Length": str(len(body) - begin), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[begin:stop_after])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(web, "FIRST_PAUSE_SECONDS", 0.01)
    Handler.asked, Handler.answers = [], Counter()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{running.server_address[1]}"
        running.shutdown()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "audio" / "1.mp3"


def download(server, path, file, max_bytes=100_000_000):
    return web.download(web.Request(f"http://{server}/{path}", frozenset({server})), file, max_bytes)


def test_a_body_comes_to_disk_and_replaces_what_was_there(server, file):
    file.parent.mkdir()
    file.write_text("old")
    answer = download(server, "whole", file)
    assert (answer.status, answer.error, answer.body) == (200, None, None)
    assert file.read_bytes() == AUDIO
    assert list(file.parent.iterdir()) == [file]


def test_a_broken_connection_goes_on_where_it_broke(server, file):
    assert download(server, "breaks", file).error is None
    assert file.read_bytes() == AUDIO
    assert [asked["range"] for asked in Handler.asked] == [None, "bytes=100000-"]


@pytest.mark.parametrize(("path", "body"), [("changes", AUDIO[::-1]), ("unmarked", AUDIO)])
def test_a_body_that_changed_or_cannot_be_told_from_another_is_fetched_from_its_beginning(server, file, path, body):
    assert download(server, path, file).error is None
    assert file.read_bytes() == body


@pytest.mark.parametrize(
    ("path", "limits", "why"),
    [
        ("always_breaks", {}, "peer closed connection without sending complete message body"),
        ("gone", {}, "410 Gone"),
        ("inward", {}, "private address 10.0.0.1"),
        ("whole", {"max_bytes": 1000}, "larger than 1000 bytes"),
        ("unannounced", {"max_bytes": 1000}, "larger than 1000 bytes"),
        ("breaks", {"max_bytes": 200_000}, "larger than 200000 bytes"),
    ],
)
def test_what_cannot_be_brought_says_why_and_leaves_nothing(server, file, path, limits, why):
    answer = download(server, path, file, **limits)
    assert why in answer.error
    assert list(file.parent.iterdir()) == []


def test_a_body_is_never_held_in_memory(server, file):
    tracemalloc.start()
    try:
        assert download(server, "long", file).error is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert file.stat().st_size == 40 * len(AUDIO)
    assert peak < 8 * len(AUDIO)
