"""What strangers wrote, made fit to be shown: texts on one line, links that lead somewhere, no secret in either."""

import unicodedata
from urllib.parse import urlsplit

from include.addresses import bears_secret, without_secrets
from include.settings import settings

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"


def one_line(text: str | None, limit: int = 2000) -> str:
    """Text on one line: white space folded, control and direction-changing characters and the secrets of addresses
    removed, cut at `limit`."""
    kept = text or ""
    if not kept.isprintable():
        kept = "".join(c if unicodedata.category(c) not in _UNSEEN or c in _JOINERS else " " for c in kept)
    line = without_secrets(" ".join(kept.split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def web_address(address: str | None) -> str | None:
    """The address where it is http or https with a host, else None: a feed may hold `javascript:` and worse."""
    address = (address or "").strip()
    if len(address) > 2000 or any(c.isspace() or unicodedata.category(c) in _UNSEEN for c in address):
        return None
    try:
        parts = urlsplit(address)
        return address if parts.scheme.lower() in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


def link(address: str | None) -> str | None:
    """Where readers are led: a web address, unless it bears a secret and PODCAST_SHARE_PRIVATE_LINKS does not say that
    they all may have it, or its secret was taken off before, so that it leads nowhere."""
    found = web_address(address)
    private = found is not None and ((bears_secret(found) and not settings().share_private_links) or "***" in found)
    return None if private else found
