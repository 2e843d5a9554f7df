"""What strangers wrote, made fit to be shown: texts on one line, addresses that are addresses."""

import unicodedata
from urllib.parse import urlsplit

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"


def one_line(text: str | None, limit: int = 2000) -> str:
    """Text on one line: white space folded, control and direction-changing characters removed, cut at `limit`."""
    kept = "".join(c if unicodedata.category(c) not in _UNSEEN or c in _JOINERS else " " for c in text or "")
    line = " ".join(kept.split())
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
