"""A server that plays tricks on whoever reads feeds: raw sockets, one trick a path."""

import contextlib
import gzip
import socketserver
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import brotli

Trick = bytes | Callable[["Handler"], None]


class Handler(socketserver.BaseRequestHandler):
    tricks: Mapping[str, Trick]
    asked: Counter
    over: threading.Event

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = self.request.recv(65536)
                if not piece:
                    return
                head += piece
            path = head.split(b" ")[1].decode().strip("/")
            self.asked[path] += 1
            trick = self.tricks[path]
            self.request.sendall(trick) if isinstance(trick, bytes) else trick(self)

    def send(self, data: bytes) -> None:
        self.request.sendall(data)

    def drip(self, data: bytes) -> None:
        """The same bytes every tenth of a second, for as long as the tests run."""
        while not self.over.wait(0.1):
            self.send(data)

    def pour(self, data: bytes) -> None:
        """The same bytes as fast as they are taken, for as long as the tests run."""
        while not self.over.is_set():
            self.send(data)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextlib.contextmanager
def serving(tricks: Mapping[str, Trick]) -> Iterator[str]:
    """The host and port at which the tricks are played."""
    Handler.tricks, Handler.asked, Handler.over = tricks, Counter(), threading.Event()
    with _Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            Handler.over.set()
            server.shutdown()


def answer(body: bytes, media_type: str = "application/rss+xml", status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer."""
    named = {"Content-Type": media_type, "Content-Length": str(len(body)), "Connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer(b"", status=status, Location=location)


def bomb(encoding: str, size: int) -> bytes:
    """`size` zeros, packed small."""
    plain = b"0" * size
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": lambda: gzip.compress(plain),
        "deflate": lambda: zlib.compress(plain),
        "raw deflate": lambda: raw.compress(plain) + raw.flush(),
        "br": lambda: brotli.compress(plain, quality=5),
    }[encoding]()
    return answer(packed, Content_Encoding=encoding.removeprefix("raw "))
