"""Addresses of the internet: which of them are open to everybody, and which bear a secret."""

import ipaddress
import re

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
_INTERNAL_IPV4 = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "168.63.129.16/32")))
"""Ranges that look public and lead to the services of a cloud's own host."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, whatever it is wrapped in. Raises ValueError where it is
    none."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        return is_public(str(inner)) if inner else ip in _GLOBAL_IPV6 and ip.is_global
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _INTERNAL_IPV4)


_SECRETS = (
    (re.compile(r"(?<=://)[^/?#@\s]+(?=@)"), "***"),
    (
        re.compile(
            r"([?&;][\w.-]*(?:auth|token|key|sig|signature|secret|pass|password|pwd|credential)[\w.-]*=)[^&#\s\"'<>)*]+",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
)


def without_secrets(text: str) -> str:
    """A text that may hold addresses, with `***` for what in them is for one's own eyes: user and password, tokens,
    keys, signatures."""
    for secret, mark in _SECRETS:
        text = secret.sub(mark, text)
    return text


def bears_secret(url: str) -> bool:
    """Whether an address is for one's own eyes."""
    return without_secrets(url) != url
