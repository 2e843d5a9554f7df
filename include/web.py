"""Fetching documents that strangers publish: bounded in size, time and redirects, and never from a private address.

The address check is made on the address that is connected to, so a host name that answers differently the second time
gains nothing. `PODCAST_ALLOW_HOSTS` names the private `host:port` pairs that may be read all the same.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

USER_AGENT = "podcast-insights/1.0 (reads podcast feeds once a day)"
MAX_BYTES = 32 * 1024 * 1024
MAX_REDIRECTS = 5
TIMEOUT_SECONDS = 60.0
TRIES = 3
PARALLEL = 16
PARALLEL_PER_HOST = 4
_REDIRECTS = {301, 302, 303, 307, 308}
_PASSING = {429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Request:
    """What to fetch; `headers` carry the validators of a conditional request."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. Exactly one of `body` and `error` is set, or neither for 304. Header names are lower case."""

    url: str
    final_url: str
    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    error: str | None = None


class Refused(Exception):
    """A request or answer that is against the rules of this module; trying again would not help."""


def fetch_all(requests: Sequence[Request], allow_hosts: Collection[str] = frozenset()) -> list[Response]:
    """The answers, in the order asked. Several at once, few of one host; an answer that failed says why in `error`.

    Nothing raises: one bad host spoils nothing for the others. A retry asks again, so it is safe for GET only.
    """
    return asyncio.run(_fetch_all(requests, frozenset(allow_hosts)))


def fetch(url: str, allow_hosts: Collection[str] = frozenset()) -> Response:
    """One answer; see `fetch_all`."""
    return fetch_all([Request(url)], allow_hosts)[0]


async def _fetch_all(requests: Sequence[Request], allow_hosts: frozenset[str]) -> list[Response]:
    everywhere = asyncio.Semaphore(PARALLEL)
    hosts: dict[str, asyncio.Semaphore] = {}
    async with httpx.AsyncClient(
        transport=_GuardedTransport(allow_hosts),
        timeout=httpx.Timeout(20.0, connect=10.0),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
        follow_redirects=False,
        trust_env=False,
    ) as client:

        async def one(request: Request) -> Response:
            host = hosts.setdefault(urlsplit(request.url).netloc, asyncio.Semaphore(PARALLEL_PER_HOST))
            async with host, everywhere:
                return await _with_retries(client, request)

        return list(await asyncio.gather(*(one(request) for request in requests)))


async def _with_retries(client: httpx.AsyncClient, request: Request) -> Response:
    response = Response(request.url, request.url, None, error="not asked")
    for attempt in range(TRIES):
        try:
            response = await asyncio.wait_for(_follow(client, request), TIMEOUT_SECONDS)
        except Refused as refusal:
            return Response(request.url, request.url, None, error=str(refusal))
        except TimeoutError:
            response = _failed(request, f"no complete answer within {TIMEOUT_SECONDS:.0f} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            response = _failed(request, f"{type(error).__name__}: {error}".rstrip(": "))
        if response.error is None or (response.status is not None and response.status not in _PASSING):
            return response
        if attempt + 1 < TRIES:
            await asyncio.sleep(_pause(response, attempt))
    return response


async def _follow(client: httpx.AsyncClient, request: Request) -> Response:
    url = request.url
    for _ in range(MAX_REDIRECTS + 1):
        _check_url(url)
        async with client.stream("GET", url, headers=dict(request.headers)) as answer:
            if answer.status_code in _REDIRECTS and "location" in answer.headers:
                url = urljoin(url, answer.headers["location"])
                continue
            headers = {name.lower(): value for name, value in answer.headers.items()}
            if answer.status_code == 304:
                return Response(request.url, url, 304, headers)
            if answer.status_code != 200:
                error = f"the server answered {answer.status_code} {answer.reason_phrase}".strip()
                return Response(request.url, url, answer.status_code, headers, error=error)
            return Response(request.url, url, 200, headers, body=await _bounded_body(answer))
    raise Refused(f"more than {MAX_REDIRECTS} redirects")


async def _bounded_body(answer: httpx.Response) -> bytes:
    """The decompressed body, read no further than the cap."""
    chunks, size = [], 0
    async for chunk in answer.aiter_bytes():
        size += len(chunk)
        if size > MAX_BYTES:
            raise Refused(f"the answer is larger than {MAX_BYTES // 1024 // 1024} MiB")
        chunks.append(chunk)
    return b"".join(chunks)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise Refused(f"only http and https are read, not {parts.scheme or 'a URL without a scheme'}")
    if not parts.hostname:
        raise Refused("the URL names no host")
    if parts.username or parts.password:
        raise Refused("the URL carries credentials")


def _failed(request: Request, error: str) -> Response:
    return Response(request.url, request.url, None, error=error)


def _pause(response: Response, attempt: int) -> float:
    """Seconds until the next try: what the server asks for, up to half a minute, else 1, 2, 4."""
    asked = response.headers.get("retry-after", "")
    if asked.isdigit():
        return min(float(asked), 30.0)
    if asked:
        try:
            moment = parsedate_to_datetime(asked)
            return min(max((moment - moment.now(moment.tzinfo)).total_seconds(), 0.0), 30.0)
        except ValueError:
            pass
    return float(2**attempt)


class _GuardedTransport(httpx.AsyncHTTPTransport):
    def __init__(self, allow_hosts: frozenset[str]):
        super().__init__(limits=httpx.Limits(max_connections=PARALLEL))
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=PARALLEL,
            network_backend=_GuardedBackend(allow_hosts),
        )


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
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise httpcore.ConnectError(f"the host {host} is not known: {error.strerror}") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if f"{host}:{port}" not in self._allow_hosts:
            for address in addresses:
                if not ipaddress.ip_address(address.split("%")[0]).is_global:
                    raise Refused(
                        f"{host}:{port} is at the private address {address}; "
                        "name it in PODCAST_ALLOW_HOSTS if it may be read"
                    )
        failure: Exception = httpcore.ConnectError(f"the host {host} has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise Refused("unix sockets are not read")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
