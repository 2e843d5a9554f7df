"""Fetching from strangers: over real sockets, what is read, what is refused, and that one spoils nothing for others."""

import contextlib
import gzip
import threading
import time
import zlib
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import brotli
import pytest

from include.sources import web


class Handler(BaseHTTPRequestHandler):
    asked: Counter
    lock = threading.Lock()

    def do_GET(self):
        self.asked[self.path] += 1
        answer = getattr(self, "_" + unquote(self.path).strip("/").split("?")[0].replace("ø", "o"), None)
        if answer is None:
            self.send_error(404)
        else:
            answer()

    def _ok(self):
        if self.headers.get("If-None-Match") == '"1"':
            return self._reply(304)
        self._reply(200, b"hello", ETag='"1"')

    _sondag = _ok

    def _flaky(self):
        if self.asked[self.path] < 3:
            return self._reply(503, **{"Retry-After": "0"})
        self._reply(200, b"at last")

    def _busy(self):
        self._reply(429, **{"Retry-After": self.path.partition("?")[2].replace("+", " ") or "0"})

    def _slow(self):
        with self.lock:
            self.asked["together"] += 1
            self.asked["most together"] = max(self.asked["together"], self.asked["most together"])
        time.sleep(0.02)
        with self.lock:
            self.asked["together"] -= 1
        self._reply(200, b"hello")

    def _to_slow(self):
        self._reply(302, Location="/slow")

    def _gone(self):
        self._reply(410)

    def _moved(self):
        self._reply(301, Location="/ok")

    def _moved_twice(self):
        self._reply(308, Location="/moved")

    def _moved_by_a_detour(self):
        self._reply(302, Location="/moved")

    def _brotli(self):
        assert "br" in self.headers["Accept-Encoding"]
        self._reply(200, brotli.compress(b"hello"), **{"Content-Encoding": "br"})

    def _two_members(self):
        self._reply(200, gzip.compress(b"hel") + gzip.compress(b"lo"), **{"Content-Encoding": "gzip"})

    def _raw_deflate(self):
        packer = zlib.compressobj(wbits=-15)
        self._reply(200, packer.compress(b"hello") + packer.flush(), **{"Content-Encoding": "deflate"})

    def _hop(self):
        left = int(self.path.partition("?")[2])
        place = f"http://{self.headers['Host']}" if left % 2 else ""
        self._reply(302, Location=f"{place}/hop?{left - 1}" if left else "/ok")

    def _circle(self):
        self._reply(302, Location=f"/circle?{1 - int(self.path.partition('?')[2])}")

    def _to_utf8(self):
        self._reply(302, Location="/s\u00f8ndag".encode().decode("latin-1"))

    def _to_other(self):
        self._reply(302, Location=f"http://{self.path.partition('?')[2]}/ok")

    def _coded(self):
        self._reply(200, b"hello", **{"Content-Encoding": self.path.partition("?")[2].replace("+", " ")})

    def _who(self):
        self._reply(200, (self.headers["Authorization"] or "nobody").encode())

    def _to_who(self):
        self._reply(302, Location=f"http://{self.path.partition('?')[2]}/who")

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
    return web.fetch(web.Request(f"http://{server}/{path}", frozenset({server}), headers))


def test_a_document_comes_with_its_validators_and_is_not_sent_again_unchanged(server):
    first = get(server, "ok")
    assert (first.status, first.body, first.headers["etag"]) == (200, b"hello", '"1"')
    second = get(server, "ok", **{"If-None-Match": '"1"'})
    assert (second.status, second.body, second.error) == (304, None, None)


def test_a_passing_fault_is_tried_again_and_a_lasting_one_is_not(server):
    assert get(server, "flaky").body == b"at last"
    assert "410 Gone" in get(server, "gone").error
    assert Handler.asked["/gone"] == 1


@pytest.mark.parametrize("asked", ["3600", "Fri,+15+Jan+2199+10:00:00+GMT"])
def test_a_server_that_asks_for_a_long_pause_is_left_alone(server, asked):
    assert "429 Too Many Requests; it asks to wait" in get(server, f"busy?{asked}").error
    assert Handler.asked[f"/busy?{asked}"] == 1


@pytest.mark.parametrize("asked", ["0", "Thu,+15+Jan+2015+10:00:00+GMT"])
def test_a_server_that_asks_for_a_short_pause_is_asked_again(server, asked):
    assert "429 Too Many Requests" in get(server, f"busy?{asked}").error
    assert Handler.asked[f"/busy?{asked}"] == web.TRIES


def test_a_redirect_is_followed_and_the_final_address_is_told(server):
    answer = get(server, "moved")
    assert (answer.body, answer.final_url) == (b"hello", f"http://{server}/ok")


@pytest.mark.parametrize("path", ["brotli", "two_members", "raw_deflate"])
def test_a_packed_answer_is_unpacked_whatever_the_packing(server, path):
    assert get(server, path).body == b"hello"


def test_only_a_way_of_permanent_redirects_leads_to_a_new_address(server):
    assert get(server, "ok").moved_to is None
    assert get(server, "moved").moved_to == get(server, "moved_twice").moved_to == f"http://{server}/ok"
    assert get(server, "moved", **{"If-None-Match": '"1"'}).moved_to == f"http://{server}/ok"
    assert get(server, "moved_by_a_detour").moved_to is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:{port}/ok", "private address 127.0.0.1"),
        ("http://localhost:{port}/ok", "private address"),
        ("http://[::1]:{port}/ok", "private address ::1"),
        ("http://0.0.0.0:{port}/ok", "private address"),
        ("http:///nowhere", "names no host"),
    ],
)
def test_private_addresses_and_strange_urls_are_refused_unless_allowed(server, url, why):
    answer = web.fetch(web.Request(url.format(port=server.split(":")[1])))
    assert answer.body is None
    assert why in answer.error


def test_one_bad_host_spoils_nothing_for_the_others_and_order_is_kept(server):
    paths = ["ok", "absent", "moved"]
    answers = web.fetch_all([web.Request(f"http://{server}/{path}", frozenset({server})) for path in paths])
    assert [answer.status for answer in answers] == [200, 404, 200]


def test_a_host_is_asked_few_things_at_once_directly_and_through_redirects(server):
    other = f"localhost:{server.split(':')[1]}"
    urls = [f"http://{server}/slow"] * 20 + [f"http://{server}/to_slow", f"http://{other}/to_slow"] * 10
    answers = web.fetch_all([web.Request(url, frozenset({server, other})) for url in urls])
    assert {answer.body for answer in answers} == {b"hello"}
    assert 1 < Handler.asked["most together"] <= 2 * web.PARALLEL_PER_HOST, "two names, one server"


def test_the_user_agent_names_the_project(server):
    assert get(server, "agent").body.startswith(b"podcast-insights/")


def test_a_long_way_of_redirects_is_gone_and_a_circle_is_told_from_it(server):
    assert get(server, "hop?18").body == b"hello"
    assert get(server, "circle?1").error == "the redirects go round in a circle"
    assert Handler.asked["/circle?1"] == 1


def test_a_redirect_that_is_written_in_utf8_is_followed(server):
    assert get(server, "to_utf8").final_url == f"http://{server}/s%C3%B8ndag"
    assert get(server, "to_utf8").body == b"hello"


@pytest.mark.parametrize("coding", ["utf-8", "none", "binary", "identity", "text/xml", "UTF-8,+8bit", "gzip", "x-gzip"])
def test_a_coding_that_is_none_changes_nothing(server, coding):
    assert get(server, f"coded?{coding}").body == b"hello"


def test_user_and_password_of_an_address_are_sent_to_its_host_alone_and_never_told(server):
    hosts = frozenset({server, other := f"localhost:{server.split(':')[1]}"})

    def asked(path: str) -> web.Response:
        return web.fetch(web.Request(f"http://ann:tide5ecret@{server}/{path}", hosts))

    assert asked("who").body == b"Basic YW5uOnRpZGU1ZWNyZXQ="
    assert asked(f"to_who?{other}").body == b"nobody"
    assert asked(f"to_who?ben:other@{server}").error == "the redirect carries credentials"
    assert "tide5ecret" not in (asked("busy?3600").error or "")


def test_an_allowed_private_host_is_read_for_the_feed_that_is_on_it_and_for_no_other(server):
    own = web.own_hosts(f"http://{server}/feed.xml", {server, "intranet.example:80"})
    others = web.own_hosts("https://tide.example/feed.xml", {server, "intranet.example:80"})
    assert (own, others) == ({server}, set())
    assert web.own_hosts("http://intranet.example/f", {"intranet.example:80"}) == {"intranet.example:80"}
    requests = [web.Request(f"http://{server}/ok", own)] * 3 + [web.Request(f"http://{server}/ok", others)]
    assert [answer.status for answer in web.fetch_all(requests)] == [200, 200, 200, None], "over shared connections"
    assert "private" in web.fetch_all(requests)[3].error
    assert "private" in web.fetch(web.Request(f"http://{server}/to_other?localhost:{server.split(':')[1]}", own)).error
