"""Fetching from strangers: over real sockets, what is read, what is refused, and that one spoils nothing for others."""

import contextlib
import gzip
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from include import web


class Handler(BaseHTTPRequestHandler):
    asked: Counter

    def do_GET(self):
        self.asked[self.path] += 1
        answer = getattr(self, "_" + self.path.strip("/").split("?")[0], None)
        if answer is None:
            self.send_error(404)
        else:
            answer()

    def _ok(self):
        if self.headers.get("If-None-Match") == '"1"':
            return self._reply(304)
        self._reply(200, b"hello", ETag='"1"')

    def _flaky(self):
        if self.asked[self.path] < 3:
            return self._reply(503, **{"Retry-After": "0"})
        self._reply(200, b"at last")

    def _gone(self):
        self._reply(410)

    def _moved(self):
        self._reply(301, Location="/ok")

    def _loop(self):
        self._reply(302, Location="/loop")

    def _inward(self):
        self._reply(302, Location="http://169.254.169.254/latest/meta-data")

    def _file(self):
        self._reply(302, Location="file:///etc/passwd")

    def _bomb(self):
        self._reply(200, gzip.compress(b"0" * (web.MAX_BYTES + 1)), **{"Content-Encoding": "gzip"})

    def _agent(self):
        self._reply(200, self.headers["User-Agent"].encode())

    def _reply(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    Handler.asked = Counter()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def get(server: str, path: str, **headers) -> web.Response:
    return web.fetch_all([web.Request(f"http://{server}/{path}", headers)], {server})[0]


def test_a_document_comes_with_its_validators_and_is_not_sent_again_unchanged(server):
    first = get(server, "ok")
    assert (first.status, first.body, first.headers["etag"]) == (200, b"hello", '"1"')
    second = get(server, "ok", **{"If-None-Match": '"1"'})
    assert (second.status, second.body, second.error) == (304, None, None)


def test_a_passing_fault_is_tried_again_and_a_lasting_one_is_not(server):
    assert get(server, "flaky").body == b"at last"
    assert "410 Gone" in get(server, "gone").error
    assert Handler.asked["/gone"] == 1


def test_a_redirect_is_followed_and_the_final_address_is_told(server):
    answer = get(server, "moved")
    assert (answer.body, answer.final_url) == (b"hello", f"http://{server}/ok")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("loop", "more than 5 redirects"),
        ("inward", "private address 169.254.169.254"),
        ("file", "only http and https"),
        ("bomb", "larger than 32 MiB"),
    ],
)
def test_hostile_answers_are_refused(server, path, why):
    assert why in get(server, path).error


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:{port}/ok", "private address 127.0.0.1"),
        ("http://localhost:{port}/ok", "private address"),
        ("http://[::1]:{port}/ok", "private address ::1"),
        ("http://0.0.0.0:{port}/ok", "private address"),
        ("http://10.0.0.1/", "private address 10.0.0.1"),
        ("http://user:secret@podcasts.example/", "carries credentials"),
        ("file:///etc/passwd", "only http and https"),
        ("gopher://podcasts.example/", "only http and https"),
        ("http:///nowhere", "names no host"),
    ],
)
def test_private_addresses_and_strange_urls_are_refused_unless_allowed(server, url, why):
    answer = web.fetch(url.format(port=server.split(":")[1]))
    assert answer.body is None
    assert why in answer.error


def test_one_bad_host_spoils_nothing_for_the_others_and_order_is_kept(server):
    paths = ["ok", "absent", "moved"]
    answers = web.fetch_all([web.Request(f"http://{server}/{path}") for path in paths], {server})
    assert [answer.status for answer in answers] == [200, 404, 200]


def test_the_user_agent_names_the_project(server):
    assert get(server, "agent").body.startswith(b"podcast-insights/")
