"""Fetching what strangers publish: bounded in size, time and redirects, and never from a private address.

The address check is made on the address that is connected to, so a host name that answers differently the second time
gains nothing. `PODCAST_ALLOW_HOSTS` names the private `host:port` pairs that may be read all the same.
"""

import asyncio
import ipaddress
import os
import random
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import brotli
import httpcore
import httpx

from include.retry_after import retry_after

USER_AGENT = "podcast-insights/1.0 (reads podcast feeds once a day)"
MAX_BYTES = 32 * 1024 * 1024
MAX_DOWNLOAD_BYTES = 1024 * 1024 * 1024
MAX_REDIRECTS = 5
TIMEOUT_SECONDS = 60.0
DOWNLOAD_TIMEOUT_SECONDS = 3600.0
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 20.0
"""How long a server may say nothing in the middle of an answer."""
TRIES = 3
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
"""A server that asks to wait longer is left alone until the next scan."""
PARALLEL = 24
PARALLEL_PER_HOST = 4
LANE = 4
"""How many requests to one host are worth another connection."""
CRUMBS = 20_000
"""How many chunks an answer may have before their mean size counts: a tiny one costs as much work as a large one."""
_STEP_BYTES = 64 * 1024
_REDIRECTS = {301, 302, 303, 307, 308}
_LASTING_REDIRECTS = {301, 308}
_PASSING = {429, 500, 502, 503, 504}
_SAID_OF_A_STATUS = {410: "the server answered 410 Gone: it was taken down for good"}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
_INTERNAL_IPV4 = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "168.63.129.16/32")))
"""Ranges that look public and lead to the services of a cloud's own host."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to fetch; `headers` carry the validators of a conditional request."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. Exactly one of `body` and `error` is set, or neither for 304 and for what went to a file.

    `moved_to` is the address to ask from now on: set where every redirect on the way was a permanent one. Header names
    are lower case.
    """

    url: str
    final_url: str
    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    error: str | None = None
    moved_to: str | None = None


class Refused(Exception):
    """A request or answer that is against the rules of this module; trying again would not help."""


def fetch_all(requests: Sequence[Request], allow_hosts: Collection[str] = frozenset()) -> list[Response]:
    """The answers, in the order asked. Several at once, few of one host; an answer that failed says why in `error`.

    Nothing raises: one bad host spoils nothing for the others. A retry asks again, so it is safe for GET only.
    """
    answers: dict[int, Response] = {}

    async def keep(position: int, answer: Response) -> None:
        answers[position] = answer

    asyncio.run(fetch_each(requests, keep, allow_hosts))
    return [answers[position] for position in range(len(requests))]


def fetch(url: str, allow_hosts: Collection[str] = frozenset()) -> Response:
    """One answer; see `fetch_all`."""
    return fetch_all([Request(url)], allow_hosts)[0]


async def fetch_each(
    requests: Sequence[Request],
    take: Callable[[int, Response], Awaitable[None]],
    allow_hosts: Collection[str] = frozenset(),
) -> None:
    """Hands each answer, with the position of its request, to `take` as soon as it is there, in any order.

    At most PARALLEL answers are on their way or being taken at any moment, however many requests there are. Raises
    only what `take` raises.
    """
    lanes = _lanes(requests)
    waiting = iter(lanes)
    rules = _Rules(allow_hosts)

    async def work() -> None:
        async with _Client(rules) as client:
            for lane in waiting:
                for position in lane:
                    await take(position, await client.get(requests[position], _Memory(), TIMEOUT_SECONDS))

    await asyncio.gather(*(work() for _ in range(min(PARALLEL, len(lanes)))))


def download(
    url: str,
    file: Path,
    allow_hosts: Collection[str] = frozenset(),
    max_bytes: int = MAX_DOWNLOAD_BYTES,
    timeout_seconds: float = DOWNLOAD_TIMEOUT_SECONDS,
) -> Response:
    """Brings a large body, such as audio, to disk; the answer has no `body`, and the file is whole or not there.

    The same guards as for `fetch_all`, and no more memory than one piece of the body. It is written beside the file
    as NAME.part and renamed when complete; a file that was there is replaced then. A passing fault is tried again, up
    to TRIES times within `timeout_seconds` in all, and goes on from where it broke where the server can (`Range`,
    `If-Range`). Nothing is raised but for errors of the disk: where it failed, `error` says why and no part is left.
    """
    return asyncio.run(_download(url, file, allow_hosts, max_bytes, timeout_seconds))


async def _download(
    url: str, file: Path, allow_hosts: Collection[str], max_bytes: int, timeout_seconds: float
) -> Response:
    part = file.with_name(file.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    try:
        async with _Client(_Rules(allow_hosts)) as client:
            response = await client.get(Request(url), _Part(part, max_bytes), timeout_seconds)
        if response.error is None:
            os.replace(part, file)
        return response
    finally:
        part.unlink(missing_ok=True)


class _Memory:
    """Where the body of an ordinary answer goes."""

    encodings = "gzip, deflate, br"
    statuses = (200,)

    def headers(self) -> Mapping[str, str]:
        return {}

    async def receive(self, answer: "_Answer") -> bytes | None:
        return b"".join([piece async for piece in answer.pieces(MAX_BYTES)])


class _Part:
    """Where the body of a download goes: a file that a later try goes on with where the server lets it."""

    encodings = "identity"
    statuses = (200, 206)

    def __init__(self, file: Path, max_bytes: int):
        self._file = file
        self._max_bytes = max_bytes
        self._validator = ""

    def headers(self) -> Mapping[str, str]:
        have = self._have()
        return {"Range": f"bytes={have}-", "If-Range": self._validator} if have and self._validator else {}

    async def receive(self, answer: "_Answer") -> bytes | None:
        have = self._have() if answer.status == 206 else 0
        if answer.status == 206 and not answer.headers.get("content-range", "").startswith(f"bytes {have}-"):
            self._validator = ""
            raise httpcore.RemoteProtocolError("the server sent another part than the one asked for")
        if answer.status == 200:
            self._validator = "" if answer.is_encoded else _lasting_validator(answer.headers)
        with self._file.open("ab" if have else "wb") as out:
            async for piece in answer.pieces(self._max_bytes - have, self._max_bytes):
                out.write(piece)
        return None

    def _have(self) -> int:
        return self._file.stat().st_size if self._file.exists() else 0


class _Answer:
    """A response whose body has not been read yet."""

    def __init__(self, raw: httpcore.Response):
        self._raw = raw
        self.status = raw.status
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw.headers}
        self._encoding = self.headers.get("content-encoding", "identity").strip().lower() or "identity"

    @property
    def is_encoded(self) -> bool:
        return self._encoding != "identity"

    @property
    def fault(self) -> str:
        reason = self._raw.extensions.get("reason_phrase", b"").decode("latin-1")
        return _SAID_OF_A_STATUS.get(self.status, f"the server answered {self.status} {reason}".strip())

    async def pass_over(self) -> None:
        """Reads a body that is not wanted where it is short, so that the connection can serve again."""
        announced = self.headers.get("content-length", "")
        if self.status == 304 or (announced.isdigit() and int(announced) <= _STEP_BYTES):
            async for _ in self._raw.aiter_stream():
                pass

    async def pieces(self, max_bytes: int, told: int | None = None) -> AsyncIterator[bytes]:
        """The decompressed body, bit by bit, read no further than the cap."""
        too_large = Refused(f"the answer is larger than {_size(told or max_bytes)}")
        announced = self.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > max_bytes:
            raise too_large
        size = chunks = 0
        decoder = _decoder(self._encoding)
        async for chunk in self._raw.aiter_stream():
            chunks += 1
            if chunks > CRUMBS and size < chunks * 64:
                raise Refused("the answer comes in too many pieces that are too small")
            for piece in decoder.feed(chunk):
                size += len(piece)
                if size > max_bytes:
                    raise too_large
                yield piece
            await asyncio.sleep(0)  # chunks that are here already would let no other answer have its turn
        decoder.close()


class _Rules:
    """What all clients of one call keep to together: which hosts may be read, and how many requests one has at once."""

    def __init__(self, allow_hosts: Collection[str]):
        self.backend = _GuardedBackend(frozenset(allow_hosts))
        self.ssl_context = httpx.create_ssl_context(trust_env=False)
        self._hosts: dict[str, asyncio.Semaphore] = {}

    def turn(self, host: str) -> asyncio.Semaphore:
        return self._hosts.setdefault(host, asyncio.Semaphore(PARALLEL_PER_HOST))


class _Client:
    """One request after another, over one connection while they go to the same host."""

    def __init__(self, rules: _Rules):
        self._rules = rules
        # A pool of its own, as a pool looks at all its connections for each request.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=rules.ssl_context,
            max_connections=2,
            max_keepalive_connections=1,
            keepalive_expiry=30.0,
            network_backend=rules.backend,
        )

    async def __aenter__(self) -> "_Client":
        await self._pool.__aenter__()
        return self

    async def __aexit__(self, *exception) -> None:
        await self._pool.__aexit__(*exception)

    async def get(self, request: Request, sink: "_Memory | _Part", timeout_seconds: float) -> Response:
        """One answer, after as many tries as it needs and may have; never raises for what the other side does."""
        response = Response(request.url, request.url, None)
        try:
            async with asyncio.timeout(timeout_seconds):
                for attempt in range(TRIES):
                    response = await self._try(request, sink)
                    if response.error is None or (response.status is not None and response.status not in _PASSING):
                        break
                    pause = retry_after(response.headers.get("retry-after"))
                    if pause is not None and pause > LONGEST_PAUSE_SECONDS:
                        response = replace(response, error=f"{response.error}; it asks to wait {pause:.0f} s")
                        break
                    if attempt + 1 < TRIES:
                        usual = FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.75, 1.25)
                        await asyncio.sleep(usual if pause is None else pause)
        except TimeoutError:
            before = f"; before that: {response.error}" if response.error else ""
            response = replace(response, error=f"no complete answer within {timeout_seconds:.0f} s{before}")
        except Refused as refusal:
            response = Response(request.url, request.url, None, error=str(refusal))
        return response

    async def _try(self, request: Request, sink: "_Memory | _Part") -> Response:
        """One request through its redirects. Raises Refused where there is no sense in another try."""
        try:
            return await self._follow(request, sink)
        except httpcore.ConnectTimeout:
            error = f"no connection within {CONNECT_SECONDS:.0f} s"
        except httpcore.TimeoutException:
            error = f"the server said nothing for {SILENCE_SECONDS:.0f} s"
        except httpcore.ProtocolError as wrong:
            error = f"no proper HTTP answer: {wrong}"
        except httpcore.NetworkError as wrong:
            error = str(wrong) or "the connection broke"
        return Response(request.url, request.url, None, error=error)

    async def _follow(self, request: Request, sink: "_Memory | _Part") -> Response:
        url, lasting = _checked(request.url), True
        asked = {
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": sink.encodings,
            **sink.headers(),
            **request.headers,
        }
        headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in asked.items()]
        silence = {"connect": CONNECT_SECONDS, "read": SILENCE_SECONDS, "write": SILENCE_SECONDS, "pool": None}
        for hop in range(MAX_REDIRECTS + 1):
            target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
            async with (
                self._rules.turn(url.host),
                self._pool.stream("GET", target, headers=headers, extensions={"timeout": silence}) as raw,
            ):
                answer = _Answer(raw)
                if answer.status not in sink.statuses:
                    await answer.pass_over()
                if answer.status in _REDIRECTS and "location" in answer.headers:
                    lasting = lasting and answer.status in _LASTING_REDIRECTS
                    url = _checked(answer.headers["location"], url)
                    continue
                moved_to = str(url) if hop and lasting else None
                done = Response(request.url, str(url), answer.status, answer.headers, moved_to=moved_to)
                if answer.status == 304:
                    return done
                if answer.status not in sink.statuses:
                    return replace(done, error=answer.fault)
                return replace(done, body=await sink.receive(answer))
        raise Refused(f"more than {MAX_REDIRECTS} redirects")


def _checked(url: str, base: httpx.URL | None = None) -> httpx.URL:
    """The URL, absolute, once nothing speaks against asking it. Raises Refused."""
    if any(ord(character) < 32 or ord(character) == 127 for character in url):
        raise Refused("the URL holds line breaks or other control characters")
    try:
        parts = base.join(url) if base else httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(f"the URL cannot be read: {error}") from None
    if parts.scheme not in ("http", "https"):
        raise Refused(f"only http and https are read, not {parts.scheme or 'a URL without a scheme'}")
    if not parts.host:
        raise Refused("the URL names no host")
    if parts.userinfo:
        raise Refused("the URL carries credentials")
    return parts


def _lanes(requests: Sequence[Request]) -> list[list[int]]:
    """The positions of the requests, parted into lanes of one host each, the longest first.

    One lane is asked over one connection, one request after another; a host with many requests has several lanes.
    """
    hosts: dict[str, list[int]] = {}
    for position, request in enumerate(requests):
        hosts.setdefault(request.url.partition("://")[2].partition("/")[0], []).append(position)
    lanes = []
    for positions in hosts.values():
        count = min(PARALLEL_PER_HOST, -(-len(positions) // LANE))
        lanes += [positions[start::count] for start in range(count)]
    return sorted(lanes, key=len, reverse=True)


def _lasting_validator(headers: Mapping[str, str]) -> str:
    """What tells whether the rest of a body is of the same body; empty where the server gives nothing of the kind."""
    validator = headers.get("etag") or headers.get("last-modified") or ""
    return "" if validator.startswith("W/") else validator


def _size(count: int) -> str:
    return f"{count / 1024 / 1024:.0f} MiB" if count >= 1024 * 1024 else f"{count} bytes"


class _Plain:
    """A body as it was sent."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def close(self) -> None:
        pass


class _Zlib:
    """gzip, with any number of members, and deflate, with or without its header; never more at once than a step."""

    def __init__(self, wbits: int):
        self._wbits = wbits
        self._inner = zlib.decompressobj(wbits)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            try:
                piece = self._inner.decompress(data, _STEP_BYTES)
            except zlib.error as error:
                if self._begun or self._wbits < 0:
                    raise Refused(f"the answer cannot be decompressed: {error}") from None
                self._wbits = -zlib.MAX_WBITS
                self._inner = zlib.decompressobj(self._wbits)
                continue
            self._begun = True
            if piece:
                yield piece
            data = self._inner.unconsumed_tail
            if self._inner.eof:
                data = self._inner.unused_data if self._inner.unused_data[:2] == b"\x1f\x8b" else b""
                if data:
                    self._inner = zlib.decompressobj(self._wbits)

    def close(self) -> None:
        if self._begun and not self._inner.eof:
            raise httpcore.RemoteProtocolError("the compressed answer ends too early")


class _Brotli:
    """Brotli, never more at once than a step."""

    def __init__(self) -> None:
        self._inner = brotli.Decompressor()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._begun = True
        try:
            yield self._inner.process(data, output_buffer_limit=_STEP_BYTES)
            while not self._inner.can_accept_more_data() and not self._inner.is_finished():
                yield self._inner.process(b"", output_buffer_limit=_STEP_BYTES)
        except brotli.error as error:
            raise Refused(f"the answer cannot be decompressed: {error}") from None

    def close(self) -> None:
        if self._begun and not self._inner.is_finished():
            raise httpcore.RemoteProtocolError("the compressed answer ends too early")


def _decoder(encoding: str) -> _Plain | _Zlib | _Brotli:
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Zlib(zlib.MAX_WBITS | 32)
    if encoding == "br":
        return _Brotli()
    if encoding == "identity":
        return _Plain()
    raise Refused(f"the answer is encoded as {encoding!r}, which was not asked for")


def _is_public(address: str) -> bool:
    """Whether an address is one of the open internet, whatever it is wrapped in."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        return _is_public(str(inner)) if inner else ip in _GLOBAL_IPV6 and ip.is_global
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _INTERNAL_IPV4)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name, refuses addresses that are not public, and connects to the very address that was checked."""

    def __init__(self, allow_hosts: frozenset[str]):
        self._allow_hosts = allow_hosts
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable | None = None,
    ) -> httpcore.AsyncNetworkStream:
        lookup = asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        try:
            found = await asyncio.wait_for(lookup, timeout)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except (socket.gaierror, UnicodeError) as error:
            raise httpcore.ConnectError(f"the host {host} is not known: {error}") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if f"{host}:{port}" not in self._allow_hosts:
            for address in addresses:
                if not _is_public(address):
                    raise Refused(
                        f"{host}:{port} is at the private address {address}; "
                        "name it in PODCAST_ALLOW_HOSTS if it may be read"
                    )
        failure: Exception = httpcore.ConnectError(f"the host {host} has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectTimeout as error:
                failure = error
            except httpcore.ConnectError as error:
                failure = httpcore.ConnectError(f"no connection to {host}:{port}: {error}")
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise Refused("unix sockets are not read")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
