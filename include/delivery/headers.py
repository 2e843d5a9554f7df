"""The headers of a mail as they stand on the wire: every address whole and as it is, never in an encoded word."""

from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address, HeaderRegistry, UniqueSingleAddressHeader, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, EmailPolicy, Policy

from include.digest.recipients import mailbox

LINE = 78
"""After as many characters a line is broken where it may be, but never within an address."""


class _Addresses(UnstructuredHeader):
    """Addresses in angle brackets, each on a line of its own: RFC 2369 and 2919 know no encoded words there."""

    name: str

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {str(self).replace('>, <', f'>,{policy.linesep} <')}{policy.linesep}"


class _Mailbox(UniqueSingleAddressHeader):
    """A name and an address. The name alone is encoded where it has to be; an address with letters beyond ASCII stands
    as UTF-8 (RFC 6532), which only a server with SMTPUTF8 takes."""

    name: str

    def fold(self, *, policy: EmailPolicy) -> str:
        (address,) = self.addresses
        name = str(Address(address.display_name)).removesuffix("<>").strip()
        if not (name.isascii() or policy.utf8):
            name = Header(address.display_name, "utf-8", LINE - 4).encode(linesep=policy.linesep)
        bare = f"<{address.addr_spec}>" if name else address.addr_spec
        last = f"{self.name}: {name}".rpartition(policy.linesep)[2]
        joint = f"{policy.linesep} " if name and len(last) + 1 + len(bare) > LINE else " " * bool(name)
        return f"{self.name}: {name}{joint}{bare}{policy.linesep}"


_REGISTRY = HeaderRegistry()
for _name, _kind in (
    ("from", _Mailbox),
    ("to", _Mailbox),
    ("message-id", _Addresses),
    ("list-id", _Addresses),
    ("list-unsubscribe", _Addresses),
):
    _REGISTRY.map_to_type(_name, _kind)  # type: ignore[arg-type]

POLICY = EmailPolicy(header_factory=_REGISTRY)
"""For a message that is to be written; see `on_the_wire`."""


class BadAddress(ValueError):
    """A text is no mail address."""


def address(text: str, name: str = "") -> Address:
    """A mail address with its domain in ASCII. Raises BadAddress where it is none."""
    local, _, domain = mailbox(text).rpartition("@")
    try:
        # Letters beyond ASCII are allowed by RFC 6532, but not by the parser.
        plain = "".join(c if c.isascii() or not c.isprintable() else "x" for c in local)
        found = Address(name, addr_spec=f"{plain}@{domain}")
        if plain != local:
            found = Address(name, local, domain)
    except (ValueError, IndexError, MessageError):
        found = Address()
    if not (found.username and found.domain and domain.isascii()):
        raise BadAddress(f"{text!r} is no mail address, which is a name, an @ and a domain.")
    return found


def needs_utf8(message: EmailMessage) -> bool:
    """Whether sender or recipient have letters beyond ASCII before the @, so that servers need SMTPUTF8."""
    return not all(one.addr_spec.isascii() for name in ("From", "To") for one in message[name].addresses)


def on_the_wire(message: EmailMessage) -> bytes:
    """The message as a mail server gets it: ASCII, but for the headers of one that needs UTF-8."""
    return message.as_bytes(policy=SMTPUTF8 if needs_utf8(message) else SMTP)
