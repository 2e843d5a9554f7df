"""Connections that never lead to a private address.

The check is made on the address that is connected to, so a host name that answers differently the second time gains
nothing.
"""

import asyncio
import socket
from collections.abc import Collection, Iterable

import httpcore

from include.addresses import is_public
from include.sources.body import Refused


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name, refuses addresses that are not public, and connects to the very address that was checked. The
    `host:port` pairs of `allow_hosts` may be private."""

    def __init__(self, allow_hosts: Collection[str]):
        self._allow_hosts = frozenset(allow_hosts)
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
        private = [address for address in addresses if not is_public(address)]
        if private and f"{host}:{port}" not in self._allow_hosts:
            raise Refused(
                f"{host}:{port} is at the private address {private[0]}; "
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

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
