"""Places besides mailboxes: chat rooms, push services, webhooks, each an address as Apprise writes it.

Such an address is its own key, so it stays out of logs, errors and tables: what Apprise and urllib3 log while something
is sent goes nowhere, and a reason is made of what is known to be harmless. Attachments, configuration files, templates
and redirects of Apprise are not used. An address may lead into the operator's own network, since it is theirs.
"""

import contextlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING

from pydantic import SecretStr

from include.delivery import short_form
from include.delivery.outcome import Delivery, Outcome, State
from include.delivery.transports import Transport
from include.digest.recipients import Recipient

if TYPE_CHECKING:
    from apprise import NotifyBase

SECONDS_TO_CONNECT, SECONDS_TO_ANSWER = 10.0, 30.0

_NEVER_CONNECTED = re.compile(
    "NewConnectionError|ConnectTimeout|NameResolutionError|SSLError|ProxyError|Failed to establish|Connection refused"
)
_FOR_NOW = {"408", "425", "429", "500", "503"}
_NOBODY_KNOWS = {"502", "504"}


class BadChannel(ValueError):
    """An address leads nowhere that Apprise knows; the message does not show it."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where one address leads. As a transport it takes a message's subject and plain text, cut to what fits into one
    post. Calling Apprise costs a process 0.3 s, and each sending as long as the service takes, up to 40 s."""

    address: SecretStr

    @property
    def channel(self) -> str:
        """The kind of place, such as `slack`: what the ledger may say of the address."""
        try:
            return self._service().schema
        except BadChannel:
            return "unknown"

    @property
    def room(self) -> int:
        """How many characters a text may have to fit into one post, with a title beside it."""
        try:
            return min(short_form.ROOM, self._service().body_maxlen - 100)
        except BadChannel:
            return short_form.ROOM

    def send(self, delivery: Delivery, message: EmailMessage) -> Outcome:
        text = message.get_body(("plain",))
        assert text is not None
        try:
            service = self._service()
            if len(service) != 1:
                raise BadChannel(
                    f"The {service.schema} address leads to {len(service)} places, and which of them have had a digest "
                    "cannot be told apart: write a [[recipient]] for each."
                )
        except BadChannel as error:
            return Outcome(delivery, "failed", str(error))
        return Outcome(delivery, *self._post(service, message["Subject"], text.get_content()))

    def say(self, title: str, text: str) -> None:
        """Tells something there. Raises BadChannel, or RuntimeError with the reason where it was not taken."""
        state, reason = self._post(self._service(), title, text)
        if state != "sent":
            raise RuntimeError(reason)

    def _service(self) -> "NotifyBase":
        with _in_confidence():
            import apprise

            asset = apprise.AppriseAsset(
                app_id="Podcast insights",
                app_desc="Podcast insights",
                image_url_mask="",
                image_url_logo="",
                http_redirects=False,
                allow_templates=False,
            )
            service = apprise.Apprise.instantiate(self.address.get_secret_value(), asset=asset)
        if service is None:
            raise BadChannel(
                "The channel's address is none that Apprise knows or can use; docs/operations.md says how they are "
                "written."
            )
        service.overflow_mode = apprise.OverflowMode.TRUNCATE
        service.socket_connect_timeout, service.socket_read_timeout = SECONDS_TO_CONNECT, SECONDS_TO_ANSWER
        return service

    def _post(self, service: "NotifyBase", title: str, text: str) -> tuple[State, str | None]:
        """How it ended: an error of Apprise's says the server's answer, or how far the connection came."""
        with _in_confidence() as said:
            try:
                if service.notify(body=_calls_nobody(text), title=_calls_nobody(title), body_format="text"):
                    return "sent", None
            except Exception as error:
                said.append(f"{type(error).__name__}: {error}")
        told = "\n".join(said)
        if answer := re.search(r"error=(\d{3})", told):
            code = answer[1]
            state: State = "pending" if code in _NOBODY_KNOWS else "deferred" if code in _FOR_NOW else "failed"
            return state, f"{service.schema} answered {code}"
        if _NEVER_CONNECTED.search(told):
            return "deferred", f"no connection to {service.schema}"
        return "pending", f"the connection to {service.schema} broke while it was sent"


def reached_by(recipient: Recipient, mail: Transport) -> Transport:
    """What takes a digest to a recipient: their channel, else the mail."""
    return Channel(recipient.channel) if recipient.channel else mail


def _calls_nobody(text: str) -> str:
    """A text, in part of strangers, that makes no telephone ring: services read `@everyone` and `<!here>` in it."""
    return re.sub(r"<(?=[!@#&])", "‹", re.sub(r"@(?=everyone|here|channel|room|all\b)", "@\u2060", text))


class _Confidant(logging.Filter):
    """Hears what Apprise logs, and lets nobody else hear it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        self.heard.append(record.getMessage())
        return False


_CONFIDANT = _Confidant()


@contextlib.contextmanager
def _in_confidence() -> Iterator[list[str]]:
    """What Apprise logs while the block runs, given to nobody else, and nothing of what urllib3 does: both name whole
    addresses. What Apprise logs later, as when it ends a session, goes nowhere either."""
    own, below = logging.getLogger("apprise"), logging.getLogger("urllib3")
    own.addFilter(_CONFIDANT)
    own.setLevel(logging.DEBUG)
    before = below.level
    below.setLevel(logging.CRITICAL)
    _CONFIDANT.heard.clear()
    try:
        yield _CONFIDANT.heard
    finally:
        below.setLevel(before)
