"""Addresses: which are open to everybody, which bear a secret, and how those that strangers write are mended."""

import ipaddress
import re
from urllib.parse import urljoin, urlsplit

import httpx

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
_INTERNAL_IPV4 = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "168.63.129.16/32")))
"""Ranges that look public and lead to the services of a cloud's own host."""

_SECRET_NAME = (
    r"(?:[\w.-]{0,40}(?:token|secret|passw|passphrase|pwd|signature|credential|hmac|jwt|api[_-]?key|private)[\w.-]{0,40}"
    r"|(?:[\w.-]{0,40}[_-])?(?:auth|key|sig|pass|policy|session|sid)(?:[_-][\w.-]{0,40})?"
    r"|authkey|authcode|authhash|authorization|sessionid)"
)
_PRIVATE_FEED = "|".join(
    (
        r"supercast\.(?:tech|com)/feeds/",
        r"supportingcast\.(?:fm|co|cc)/content/",
        r"private\.captivate\.fm/",
        r"subscribers\.transistor\.fm/",
        r"rss\.glow\.fm/",
        r"rss\.stratechery\.com/",
        r"my\.slate\.com/subscriptions/",
        r"(?:feeds\.redcircle\.com|api\.podcache\.net/shows)/[\w-]+/pf/",
        r"feed\.pod\.co/[\w-]{36}/",
        r"castos\.com/feed\?uuid=",
        r"feeds\.npr\.org/[^\s\"'<>]*uid=",
    )
)
SECRETS = (
    (r"(?i)(\b[a-z][a-z0-9+.-]{0,20}://)([^\s/?#@\"'<>\\]+)@", r"\1"),
    (rf"(?i)((?:[?&;#]|%3f|%26){_SECRET_NAME}(?:=|%3d))([^\s&;#\"'<>\\]+)", r"\1***"),
    (rf"(?i)(://(?:[\w-]+\.)*(?:{_PRIVATE_FEED}))([^\s\"'<>?#&\\]+)", r"\1***"),
    (r"(?i)(/(?:private|premium|members?|subscribers?)[\w-]*/(?:rss/|feed/)?)([\w.~=-]{16,})", r"\1***"),
    (r"(\b)(eyJ[\w.=-]{20,})", "***"),
)
"""What is a secret in an address, and what stands in its place: user and password; values named like a token; the paths
of private feeds, of hosts that are known and by how they are usually called; anything packed as a signed token is. Read
by Python and by DuckDB alike; the second group is the secret."""
_TELLING = r"^[^:]{8,}$"
_FIGURE = "[0-9]"
"""A secret is looked for on its own, without its address, where it has eight characters and a figure: shorter ones, and
words, stand in many a text by chance."""


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


def without_secrets(said: str) -> str:
    """A text with the secrets of all addresses in it put out of sight: an address, an error, a row as JSON."""
    for secret, instead in SECRETS:
        said = re.sub(secret, instead, said)
    return said


def without_secrets_of(feed_url: str, said: str) -> str:
    """A text of a feed without secrets, those of the feed's own address also where they stand alone."""
    parts = (part for pattern, _ in SECRETS for found in re.finditer(pattern, feed_url) for part in found[2].split(":"))
    for secret in parts:
        if re.search(_TELLING, secret) and re.search(_FIGURE, secret):
            said = said.replace(secret, "***")
    return without_secrets(said)


def bears_secret(url: str) -> bool:
    """Whether an address holds what only its subscriber may know."""
    return without_secrets(url) != url


def macros() -> str:
    """`without_secrets` and `without_secrets_of` as statements that make them macros of DuckDB, named alike."""
    expression = "said"
    for secret, instead in SECRETS:
        expression = f"regexp_replace({expression}, {_quoted(secret)}, {_quoted(instead)}, 'g')"
    found = ", ".join(f"regexp_extract_all(feed_url, {_quoted(secret)}, 2)" for secret, _ in SECRETS)
    parts = f"string_split(array_to_string(flatten([{found}]), ':'), ':')"
    telling = f"regexp_matches(part, {_quoted(_TELLING)}) and regexp_matches(part, {_quoted(_FIGURE)})"
    return f"""
        create or replace macro without_secrets(said) as {expression};
        create or replace macro without_secrets_of(feed_url, said) as without_secrets(
            list_reduce(
                list_prepend(said, list_filter({parts}, lambda part: {telling})),
                lambda shown, part: replace(shown, part, '***')
            )
        );
    """


def host(url: str) -> str:
    """The host of an address, with its port where it names one: what may be shown of a show that has no title yet."""
    return urlsplit(url).netloc.rpartition("@")[2] or without_secrets(url)


def mended(link: str | None, base_url: str = "") -> str | None:
    """A link as a stranger wrote it as an absolute http(s) address: spaces and letters of other scripts encoded, what
    is encoded already left alone. None where it is no such link or cannot be mended."""
    link = re.sub(r"[\t\r\n]+", "", link or "").strip().strip("<>")
    link = re.sub(r"^(https?):[/\\]*", r"\1://", link, flags=re.IGNORECASE)
    link = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", link)
    try:
        url = httpx.URL(urljoin(base_url, link))
    except (httpx.InvalidURL, ValueError):
        return None
    is_sound = link and url.scheme in ("http", "https") and re.fullmatch(r"[\w.-]+|[0-9a-f:.]+", url.host)
    return str(url) if is_sound and (url.port or 0) < 65536 else None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
