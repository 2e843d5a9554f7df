"""Fetching what strangers publish: bounded in size, time and redirects, and never from a private address.

`PODCAST_ALLOW_HOSTS` names the private `host:port` pairs that may be read all the same, each by the feeds that are
configured with it (`own_hosts`) and by nobody else.
"""

import asyncio
import base64
import contextlib
import os
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpcore
import httpx

from include.addresses import without_secrets
from include.retry_after import retry_after
from include.sources import body
from include.sources.body import Refused
from include.sources.guard import GuardedBackend

USER_AGENT = "podcast-insights/1.0 (reads podcast feeds once a day)"
MAX_BYTES = 32 * 1024 * 1024
MAX_REDIRECTS = 20
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
_REDIRECTS = {301, 302, 303, 307, 308}
_LASTING_REDIRECTS = {301, 308}
_PASSING = {429, 500, 502, 503, 504}
_SAID_OF_A_STATUS = {410: "the server answered 410 Gone: it was taken down for good"}


@dataclass(frozen=True, slots=True)
class Request:
    """What to fetch; `headers` carry the validators of a conditional request. `allow_hosts` are the private `host:port`
    pairs that it may lead to."""

    url: str
    allow_hosts: frozenset[str] = frozenset()
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


def own_hosts(feed_url: str | None, allow_hosts: Collection[str]) -> frozenset[str]:
    """Of the allowed private hosts those on which a feed is by its configured address: what is read for it, its
    recordings and transcripts, may lead there."""
    try:
        parts = _checked(feed_url or "")
    except Refused:
        return frozenset()
    return frozenset(allow_hosts) & {_host_and_port(parts)}


def fetch_all(requests: Sequence[Request]) -> list[Response]:
    """The answers, in the order asked. Several at once, few of one host; an answer that failed says why in `error`.

    Nothing raises: one bad host spoils nothing for the others. A retry asks again, so it is safe for GET only.
    """
    answers: dict[int, Response] = {}

    async def keep(position: int, answer: Response) -> None:
        answers[position] = answer

    asyncio.run(fetch_each(requests, keep))
    return [answers[position] for position in range(len(requests))]


def fetch(request: Request) -> Response:
    """One answer; see `fetch_all`."""
    return fetch_all([request])[0]


async def fetch_each(requests: Sequence[Request], take: Callable[[int, Response], Awaitable[None]]) -> None:
    """Hands each answer, with the position of its request, to `take` as soon as it is there, in any order.

    At most PARALLEL answers are on their way or being taken at any moment, however many requests there are. Raises
    only what `take` raises.
    """
    lanes = _lanes(requests)
    waiting = iter(lanes)
    rules = _Rules(requests)

    async def work() -> None:
        async with _Client(rules) as client:
            for lane in waiting:
                for position in lane:
                    await take(position, await client.get(requests[position], _Memory(), TIMEOUT_SECONDS))

    await asyncio.gather(*(work() for _ in range(min(PARALLEL, len(lanes)))))


def download(request: Request, file: Path, max_bytes: int) -> Response:
    """Brings a large body, such as audio, to disk; the answer has no `body`, and the file is whole or not there.

    The same guards as for `fetch_all`, and no more memory than one piece of the body. It is written beside the file
    as NAME.part and renamed when complete; a file that was there is replaced then. A passing fault is tried again, up
    to TRIES times within DOWNLOAD_TIMEOUT_SECONDS in all, and goes on from where it broke where the server can
    (`Range`, `If-Range`). Nothing is raised but for errors of the disk: where it failed, `error` says why and no part
    is left.
    """
    part = file.with_name(file.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)

    async def bring() -> Response:
        async with _Client(_Rules([request])) as client:
            return await client.get(request, _Part(part, max_bytes), DOWNLOAD_TIMEOUT_SECONDS)

    try:
        response = asyncio.run(bring())
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

    async def receive(self, raw: httpcore.Response, headers: Mapping[str, str]) -> bytes | None:
        return b"".join([piece async for piece in body.pieces(raw.aiter_stream(), headers, MAX_BYTES)])


class _Part:
    """Where the body of a download goes: a file that a later try goes on with where the server lets it."""

    encodings = "identity"
    statuses = (200, 206)

    def __init__(self, file: Path, max_bytes: int):
        self._file = file
        self._max_bytes = max_bytes
        self._validator = ""
        """What tells whether the rest of a body is of the same body; empty where the server gives nothing of the
        kind."""

    def headers(self) -> Mapping[str, str]:
        have = self._have()
        return {"Range": f"bytes={have}-", "If-Range": self._validator} if have and self._validator else {}

    async def receive(self, raw: httpcore.Response, headers: Mapping[str, str]) -> bytes | None:
        have = self._have() if raw.status == 206 else 0
        if raw.status == 206 and not headers.get("content-range", "").startswith(f"bytes {have}-"):
            self._validator = ""
            raise httpcore.RemoteProtocolError("the server sent another part than the one asked for")
        if raw.status == 200:
            validator = headers.get("etag") or headers.get("last-modified") or ""
            is_lasting = body.coding(headers) == "identity" and not validator.startswith("W/")
            self._validator = validator if is_lasting else ""
        with self._file.open("ab" if have else "wb") as out:
            async for piece in body.pieces(raw.aiter_stream(), headers, self._max_bytes - have, self._max_bytes):
                out.write(piece)
        return None

    def _have(self) -> int:
        return self._file.stat().st_size if self._file.exists() else 0


class _Rules:
    """What all clients of one call keep to together: which hosts may be read, and how many requests one has at once."""

    def __init__(self, requests: Sequence[Request]):
        self._allow_hosts = frozenset().union(*(request.allow_hosts for request in requests))
        self.backend = GuardedBackend(self._allow_hosts)
        self.ssl_context = httpx.create_ssl_context(trust_env=False)
        self._hosts: dict[str, asyncio.Semaphore] = {}

    def check(self, url: httpx.URL, request: Request) -> None:
        """Raises Refused where another request may go there and this one not: connections are shared."""
        if (asked := _host_and_port(url)) in self._allow_hosts - request.allow_hosts:
            raise Refused(f"{asked} is private: only the feeds that are configured with it may lead there")

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

    async def get(self, request: Request, sink: _Memory | _Part, timeout_seconds: float) -> Response:
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
        return replace(response, error=without_secrets(response.error)) if response.error else response

    async def _try(self, request: Request, sink: _Memory | _Part) -> Response:
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

    async def _follow(self, request: Request, sink: _Memory | _Part) -> Response:
        url, lasting, seen = _checked(request.url), True, set[str]()
        asked = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": sink.encodings}
        asked |= {**sink.headers(), **request.headers}
        silence = {"connect": CONNECT_SECONDS, "read": SILENCE_SECONDS, "write": SILENCE_SECONDS, "pool": None}
        for hop in range(MAX_REDIRECTS + 1):
            self._rules.check(url, request)
            if str(url) in seen:
                raise Refused("the redirects go round in a circle")
            seen.add(str(url))
            sent = asked | _credentials(request.url, url)
            target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
            lines = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in sent.items()]
            async with (
                self._rules.turn(url.host),
                self._pool.stream("GET", target, headers=lines, extensions={"timeout": silence}) as raw,
            ):
                headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw.headers}
                if raw.status not in sink.statuses:
                    await _pass_over(raw, headers)
                if raw.status in _REDIRECTS and "location" in headers:
                    lasting = lasting and raw.status in _LASTING_REDIRECTS
                    url = _redirected(url, headers["location"])
                    continue
                moved_to = str(url) if hop and lasting else None
                done = Response(request.url, str(url), raw.status, headers, moved_to=moved_to)
                if raw.status == 304:
                    return done
                if raw.status not in sink.statuses:
                    return replace(done, error=_fault(raw))
                return replace(done, body=await sink.receive(raw, headers))
        raise Refused(f"more than {MAX_REDIRECTS} redirects")


async def _pass_over(raw: httpcore.Response, headers: Mapping[str, str]) -> None:
    """Reads a body that is not wanted where it is short, so that the connection can serve again."""
    length = 0 if raw.status == 304 else body.announced(headers)
    if length is not None and length <= body.STEP_BYTES:
        async for _ in raw.aiter_stream():
            pass


def _fault(raw: httpcore.Response) -> str:
    reason = raw.extensions.get("reason_phrase", b"").decode("latin-1")
    return _SAID_OF_A_STATUS.get(raw.status, f"the server answered {raw.status} {reason}".strip())


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
    return parts


def _redirected(url: httpx.URL, location: str) -> httpx.URL:
    """Where a redirect leads. Header bytes that are no ASCII are UTF-8 as a rule."""
    with contextlib.suppress(UnicodeDecodeError):
        location = location.encode("latin-1").decode()
    there = _checked(location, url)
    if there.userinfo and there.userinfo != url.userinfo:
        raise Refused("the redirect carries credentials")
    return there


def _credentials(asked: str, url: httpx.URL) -> dict[str, str]:
    """User and password of the address that was asked for, for its own host and for no other."""
    own = httpx.URL(asked)
    if not own.userinfo or _host_and_port(own) != _host_and_port(url):
        return {}
    pair = f"{own.username}:{own.password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _host_and_port(url: httpx.URL) -> str:
    return f"{url.host}:{url.port or (443 if url.scheme == 'https' else 80)}"


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
