"""A list full of traps, read in one go over real sockets: each is refused with its reason, or safely read, in a bounded
time, and the one honest feed among them is read whatever the others do."""

import asyncio
import gzip
import socket
from itertools import repeat

import psutil
import pytest

from include.sources import body, document, episodes, feed_process, feeds, web, workers
from tests.doubles.hostile_server import Handler, answer, bomb, redirect, serving

SIZE_CAP = 4 * 1024 * 1024
ITEM = "<item><title>One</title><guid>1</guid><pubDate>Thu, 15 Jan 2026 10:00:00 GMT</pubDate></item>"
FEED = f'<rss version="2.0"><channel><title>Honest</title>{ITEM}</channel></rss>'
ATTRIBUTES = " ".join(f"a{n}='x'" for n in range(2_000))
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def feed(channel: str, head: str = "", encoding: str = "utf-8") -> bytes:
    return answer(f'{head}<rss version="2.0"><channel>{channel}</channel></rss>'.encode(encoding))


REFUSED = {
    # what is sent
    "gzip bomb": (bomb("gzip", 8 * SIZE_CAP), "larger than 4 MiB"),
    "deflate bomb": (bomb("deflate", 8 * SIZE_CAP), "larger than 4 MiB"),
    "raw deflate bomb": (bomb("raw deflate", 8 * SIZE_CAP), "larger than 4 MiB"),
    "brotli bomb": (bomb("br", 64 * SIZE_CAP), "larger than 4 MiB"),
    "bomb in a gzip file": (answer(gzip.compress(b"0" * (document.MAX_BYTES + 1))), "unpacks to more than 32 MiB"),
    "packed twice": (answer(b"", Content_Encoding="gzip, gzip"), "encoded as 'gzip, gzip'"),
    "unknown packing": (answer(b"", Content_Encoding="zstd"), "encoded as 'zstd'"),
    "broken gzip": (answer(gzip.compress(b"0" * 999)[:12] + b"x" * 99, Content_Encoding="gzip"), "cannot be decompr"),
    "broken brotli": (answer(b"\xff" * 99, Content_Encoding="br"), "cannot be decompressed"),
    "gzip cut short": (answer(gzip.compress(FEED.encode())[:60], Content_Encoding="gzip"), "ends too early"),
    "announced as huge": (answer(b"", Content_Length=str(10**12)), "larger than 4 MiB"),
    "endless": (
        lambda h: (h.send(b"HTTP/1.1 200 OK\r\n\r\n"), h.pour(b"0" * 65536)),
        "larger than 4 MiB",
    ),
    "endless in crumbs": (
        lambda h: (h.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), h.pour(b"1\r\n0\r\n" * 9999)),
        "in too many pieces",
    ),
    "dripping body": (lambda h: (h.send(b"HTTP/1.1 200 OK\r\n\r\n"), h.drip(b"0")), "no complete answer within 3 s"),
    "dripping head": (lambda h: (h.send(b"HTTP/1.1 200 OK\r\n"), h.drip(b"X: y\r\n")), "no complete answer within 3 s"),
    "endless promises": (lambda h: h.drip(b"HTTP/1.1 100 Continue\r\n\r\n"), "no complete answer within 3 s"),
    "silence": (lambda h: h.over.wait(), "said nothing for 1 s"),
    "endless head": (lambda h: (h.send(b"HTTP/1.1 200 OK\r\n"), h.pour(b"X: y\r\n" * 9999)), "no proper HTTP answer"),
    "endless line": (lambda h: (h.send(b"HTTP/1.1 200 OK\r\nX: "), h.pour(b"y" * 65536)), "no proper HTTP answer"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "no proper HTTP answer"),
    "hangs up": (lambda h: h.request.close(), "no proper HTTP answer"),
    "negative length": (answer(b"", Content_Length="-1"), "no proper HTTP answer"),
    "shorter than announced": (answer(b"<rss", Content_Length="999"), "no proper HTTP answer"),
    "gone": (answer(b"", status="410 Gone"), "410 Gone: it was taken down for good"),
    "wants a password": (answer(b"", status="401 Unauthorized"), "401 Unauthorized"),
    # where it leads
    "loop": (redirect(""), "go round in a circle"),
    "cloud metadata": (redirect("http://169.254.169.254/latest/meta-data"), "private address 169.254.169.254"),
    "a cloud's own host": (redirect("http://168.63.129.16/"), "private address 168.63.129.16"),
    "loopback": (redirect("http://127.0.0.1:1/"), "private address 127.0.0.1"),
    "private": (redirect("http://10.0.0.1/"), "private address 10.0.0.1"),
    "carrier": (redirect("http://100.100.100.200/"), "private address 100.100.100.200"),
    "multicast": (redirect("http://224.0.0.1/"), "private address 224.0.0.1"),
    "decimal": (redirect("http://2130706433/"), "private address 127.0.0.1"),
    "hexadecimal": (redirect("http://0x7f.1/"), "private address 127.0.0.1"),
    "octal": (redirect("http://0177.0.0.1/"), "Invalid IPv4 address: '0177.0.0.1'"),
    "any address": (redirect("http://0.0.0.0/"), "private address 0.0.0.0"),
    "any address, IPv6": (redirect("http://[::]/"), "private address ::"),
    "loopback, IPv6": (redirect("http://[::1]/"), "private address ::1"),
    "unique local": (redirect("http://[fd00:ec2::254]/"), "private address fd00:ec2::254"),
    "site local": (redirect("http://[fec0::1]/"), "private address fec0::1"),
    "mapped": (redirect("http://[::ffff:127.0.0.1]/"), "private address ::ffff:127.0.0.1"),
    "NAT64": (redirect("http://[64:ff9b::a9fe:a9fe]/"), "private address 64:ff9b::a9fe:a9fe"),
    "6to4": (redirect("http://[2002:7f00:1::]/"), "private address 2002:7f00:1::"),
    "a name of loopback": (redirect("http://localhost/"), "private address"),
    "file": (redirect("file:///etc/passwd"), "only http and https are read, not file"),
    "gopher": (redirect("gopher://127.0.0.1:6379/_FLUSHALL"), "only http and https are read, not gopher"),
    "script": (redirect("javascript:alert(1)"), "only http and https are read, not javascript"),
    "credentials": (redirect("http://user:secret@podcasts.example/"), "carries credentials"),
    # what it says
    "web page": (answer(b"<!doctype html><html><body><p>Not found</body></html>", "text/html"), "no RSS or Atom feed"),
    "JSON": (answer(b'{"version": "https://jsonfeed.org/version/1.1"}', "application/json"), "no RSS or Atom feed"),
    "picture": (answer(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "image/png"), "no RSS or Atom feed"),
    "nothing": (answer(b""), "no RSS or Atom feed"),
    "zeros": (answer(b"\0" * 9999), "no RSS or Atom feed"),
    "an encoding that fails": (answer(b"<rss/>", "text/xml; charset=undefined"), "no RSS or Atom feed"),
    "too many items": (feed("<item/>" * 30_000), "more than 20000 items"),
    "too deep": (feed("<a>" * 30_000), "nested more than 10000 elements deep"),
    "billion laughs behind a comment": (
        feed(f"<title>&l9;</title>{ITEM}", f'<!-- <a --><!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]>'),
        "entities expand to many times its size",
    ),
    "quadratic entity": (
        feed("&q;" * 9999, f'<!--<a--><!DOCTYPE rss [<!ENTITY q "{"q" * 9999}">]>'),
        "entities expand to many times its size",
    ),
    "an author that never ends to be an address": (
        feed(f"<author>{'a' * 900_000}</author>"),
        "not be parsed within 6 s",
    ),
}
READ = {
    "honest": (answer(FEED.encode()), "Honest"),
    "billion laughs": (feed(f"<title>&l9;</title>{ITEM}", f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]>'), ""),
    "external entity": (
        feed(f"<title>&x;</title>{ITEM}", '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        "",
    ),
    "external entity behind a comment": (
        feed(f"<title>&x;</title>{ITEM}", '<!-- <a --><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        "",
    ),
    "external DTD": (
        feed(f"<title>DTD</title>{ITEM}", '<!DOCTYPE rss SYSTEM "http://169.254.169.254/x.dtd">'),
        "DTD",
    ),
    "huge attribute": (feed(f'<title a="{"a" * 3_000_000}">Attribute</title>{ITEM}'), "Attribute"),
    "many attributes": (feed(f"<title {ATTRIBUTES}>Many</title>{ITEM}"), "Many"),
    "cut short": (answer(FEED.encode()[: FEED.index("</channel>")]), "Honest"),
    "UTF-16": (feed(f"<title>Zwölf</title>{ITEM}", encoding="utf-16"), "Zwölf"),
    "zeros within": (feed(f"<title>A\0B</title>{ITEM}"), "AB"),
    "impossible characters": (feed(f"<title>A&#xD800;&#x110000;&#0;&#27;B</title>{ITEM}"), "AB"),
    "invalid UTF-8": (answer(FEED.replace("Honest", "Z\udcfflf").encode("utf-8", "surrogateescape")), "Zÿlf"),
    "unknown encoding": (feed(f"<title>Odd</title>{ITEM}", '<?xml version="1.0" encoding="x-odd"?>'), "Odd"),
    "wrong media type": (answer(FEED.encode(), "image/png"), "Honest"),
    "wrong charset": (answer(FEED.replace("Honest", "Zwölf").encode(), "text/xml; charset=us-ascii"), "Zwölf"),
    "a gzip file": (answer(gzip.compress(FEED.encode()), "application/octet-stream"), "Honest"),
    "markup in the title": (feed(f"<title>&lt;script&gt;x()&lt;/script&gt;&lt;b&gt;Bold</title>{ITEM}"), "Bold"),
}
BAD_ADDRESSES = {
    "http://podcasts.example/\r\nHost: 127.0.0.1": "line breaks",
    "file:///etc/passwd": "only http and https",
    "podcasts.example/feed": "only http and https",
    "http://[::1": "cannot be read",
    "": "only http and https",
}


@pytest.fixture(scope="module")
def readings():
    names = list({**REFUSED, **READ})
    tricks = {str(number): {**REFUSED, **READ}[name][0] for number, name in enumerate(names)}
    found = {}
    with pytest.MonkeyPatch.context() as patch, serving(tricks) as host:
        for module, name, value in [
            (web, "MAX_BYTES", SIZE_CAP),
            (body, "CRUMBS", 1000),
            (web, "TIMEOUT_SECONDS", 3.0),
            (web, "SILENCE_SECONDS", 1.0),
            (web, "FIRST_PAUSE_SECONDS", 0.01),
            (web, "PARALLEL_PER_HOST", 16),
            (workers, "SECONDS", 6.0),
        ]:
            patch.setattr(module, name, value)
        named = {f"http://{host}/{number}": names[int(number)] for number in tricks} | {u: u for u in BAD_ADDRESSES}
        episodes.read_feeds(
            list(named), {}, lambda reading: found.update({named[reading.feed_url]: reading}), frozenset({host})
        )
    return found


@pytest.mark.parametrize("name", [*REFUSED, *BAD_ADDRESSES])
def test_a_trap_is_refused_with_its_reason(readings, name):
    reading = readings[name]
    assert reading.feed is None
    assert (REFUSED[name][1] if name in REFUSED else BAD_ADDRESSES[name]) in reading.error


@pytest.mark.parametrize("name", READ)
def test_an_odd_document_is_read_without_harm(readings, name):
    reading = readings[name]
    assert reading.error is None
    assert [item.title for item in reading.feed.items] == ["One"]
    assert READ[name][1] in reading.feed.show_title
    assert len(reading.feed.show_title) < 1000
    assert "root:" not in repr(reading.feed)


def test_a_name_that_answers_differently_the_second_time_gains_nothing(monkeypatch):
    lookups = []

    def changing(host, port, *rest, **more):
        lookups.append(host)
        address = "198.41.0.4" if len(lookups) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with serving({"feed": answer(FEED.encode())}) as host:
        monkeypatch.setattr(socket, "getaddrinfo", changing)
        monkeypatch.setattr(web, "CONNECT_SECONDS", 0.5)
        monkeypatch.setattr(web, "FIRST_PAUSE_SECONDS", 0.01)
        reply = web.fetch(web.Request(f"http://podcasts.example:{host.split(':')[1]}/feed"))
        assert not Handler.asked
    assert "private address 127.0.0.1" in reply.error
    assert lookups == list(repeat("podcasts.example", 2)), "one look-up a connection"


def test_a_parser_that_dies_costs_only_the_document_it_had():
    async def read() -> tuple[str, feeds.Feed]:
        async with feed_process.Parsers() as parsers:
            endless = f"<rss><channel><author>{'a' * 900_000}</author></channel></rss>".encode()
            task = asyncio.create_task(parsers.parse(endless, "https://a.example/f", {}, "https://a.example/f"))
            while not parsing():
                await asyncio.sleep(0.01)
            parsing()[0].kill()
            with pytest.raises(document.UnreadableFeed) as refusal:
                await task
            good = await parsers.parse(FEED.encode(), "https://a.example/f", {}, "https://a.example/f")
        return str(refusal.value), good

    reason, good = asyncio.run(read())
    assert reason == "the document made its parser crash"
    assert good.show_title == "Honest"
    assert not parsing(), "none outlives the scan"


def parsing() -> list[psutil.Process]:
    """The processes that parse feeds for this one."""
    return [child for child in psutil.Process().children() if feed_process.__name__ in child.cmdline()]
