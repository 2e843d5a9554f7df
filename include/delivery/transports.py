"""Where mails go: a folder, or a mail server. What goes elsewhere is in `include.delivery.channels`."""

import contextlib
import os
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from include.delivery.headers import needs_utf8, on_the_wire
from include.delivery.outcome import Delivery, Outcome

WITHOUT_UTF8 = "the mail server takes no address with letters beyond ASCII before the @, as it offers no SMTPUTF8"


class Transport(Protocol):
    """`send` never raises for what a mail server does; it says in the outcome what happened."""

    @property
    def channel(self) -> str: ...

    def send(self, delivery: Delivery, message: EmailMessage) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Outbox:
    """Mails as files `DATE-RECIPIENT.eml` of a folder. A file stands whole or not at all; writing it again is safe."""

    folder: Path
    channel = "outbox"

    def send(self, delivery: Delivery, message: EmailMessage) -> Outcome:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{delivery.day.isoformat()}-{quote(delivery.recipient, safe='@+')}.eml"
        partial = file.with_name(f"{file.name}.partial")
        partial.write_bytes(on_the_wire(message))
        os.replace(partial, file)
        return Outcome(delivery, "sent")


@dataclass(frozen=True, slots=True)
class Smtp:
    """Mails over SMTP, a connection each. `connect` gives a client that is connected and logged in."""

    connect: Callable[[], smtplib.SMTP]
    channel = "smtp"

    def send(self, delivery: Delivery, message: EmailMessage) -> Outcome:
        """Until the mail's content is handed over every trouble is certain to have sent nothing; after it, only the
        server's own answer is."""
        try:
            client = self.connect()
        except Exception as error:
            return Outcome(delivery, "deferred", f"no connection to the mail server: {in_short(error)}")
        try:
            return self._hand_over(client, delivery, message)
        finally:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()
            client.close()

    def _hand_over(self, client: smtplib.SMTP, delivery: Delivery, message: EmailMessage) -> Outcome:
        sender = message["From"].addresses[0].addr_spec
        try:
            client.ehlo_or_helo_if_needed()
            if needs_utf8(message) and not client.has_extn("smtputf8"):
                return Outcome(delivery, "failed", WITHOUT_UTF8)
            code, answer = client.mail(sender, ["SMTPUTF8"] if needs_utf8(message) else [])
            if code != 250:
                return Outcome(delivery, "deferred", f"the sender {sender} was refused: {_answer(code, answer)}")
            code, answer = client.rcpt(delivery.recipient)
            if code not in (250, 251):
                return _refused(delivery, code, answer)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            return Outcome(delivery, "deferred", f"the connection broke before the mail left: {in_short(error)}")
        try:
            code, answer = client.data(on_the_wire(message))
        except smtplib.SMTPDataError as refusal:
            return _refused(delivery, refusal.smtp_code, refusal.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            return Outcome(delivery, "pending", f"the connection broke while the mail was sent: {in_short(error)}")
        return Outcome(delivery, "sent") if code == 250 else _refused(delivery, code, answer)


def transport_from_airflow(outbox: Path) -> Transport:
    """SMTP where the Airflow connection `smtp_default` exists, else the outbox folder. To be called inside a task."""
    from airflow.providers.smtp.hooks.smtp import SmtpHook
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    def connect() -> smtplib.SMTP:
        # The hook takes TLS, login and time limit from the connection; its retries concern connecting alone.
        client = SmtpHook().get_conn()._smtp_client
        assert isinstance(client, smtplib.SMTP)
        return client

    try:
        BaseHook.get_connection(SmtpHook.default_conn_name)
    except AirflowNotFoundException:
        return Outbox(outbox)
    return Smtp(connect)


def in_short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _refused(delivery: Delivery, code: int, answer: bytes | str) -> Outcome:
    """5xx is for good, 4xx for now."""
    return Outcome(delivery, "failed" if code >= 500 else "deferred", f"refused: {_answer(code, answer)}")


def _answer(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {' '.join(text.split())}"[:500]
