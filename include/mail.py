"""The mail of a digest: a plain-text and an HTML part that say the same. Composing is pure; `include.delivery` sends.

`python -m include.mail DATE` shows the mail of a day from the published copy and sends nothing.
"""

import argparse
import functools
import hashlib
import sys
from datetime import UTC, date, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from urllib.parse import quote

import jinja2
import mrml

from include import partition
from include.digest import Digest, one_line, read_digest, web_address
from include.publication import open_copy
from include.settings import settings
from include.templates import FOLDER, environment

SUBJECT_LENGTH = 90


def compose(
    digest: Digest, recipient: str, sender: str, site_url: str = "", sent_at: datetime | None = None
) -> EmailMessage:
    """The mail of a digest to one recipient: multipart/alternative, UTF-8, lines no longer than mail allows.

    The same arguments give the same mail. Insights link to their pages under `site_url` where it is set, else to the
    recording. `sent_at` becomes the Date header; without it whoever sends the mail adds one. Raises ValueError where
    sender or recipient is no mail address.
    """
    sender_name, sender_address = parseaddr(sender)
    message = EmailMessage()
    message["From"] = _address(sender_address or sender, sender_name)
    message["To"] = _address(recipient)
    message["Subject"] = subject(digest)
    message["Message-ID"] = message_id(digest.date, recipient, sender)
    if sent_at:
        message["Date"] = format_datetime(sent_at.astimezone(UTC))
    message["List-ID"] = f"Podcast insights <podcast-insights.{sender_address.rpartition('@')[2]}>"
    leave = f"mailto:{quote(sender_address, safe='@+')}?subject=unsubscribe"
    message["List-Unsubscribe"] = f"<{leave}>"
    message["Auto-Submitted"] = "auto-generated"
    values = {
        "digest": digest,
        "subject": subject(digest),
        "site": (web_address(site_url) or "").rstrip("/"),
        "unsubscribe": leave,
    }
    message.set_content(environment().get_template("mail.txt").render(values), cte="quoted-printable")
    message.add_alternative(_html_template().render(values), subtype="html", cte="quoted-printable")
    message.set_boundary(f"=={message['Message-ID'].strip('<>').partition('@')[0]}==")
    return message


def subject(digest: Digest) -> str:
    """The first headline and how many more there are, on one line; for an empty day that it was empty."""
    if not digest.insights:
        return f"Nothing worth your time on {digest.date.day} {digest.date:%B}"
    more = len(digest.insights) - 1
    ending = f" + {more} more" if more else ""
    headline = one_line(digest.insights[0].headline, 300)
    room = SUBJECT_LENGTH - len(ending)
    if len(headline) > room:
        headline = headline[: room - 1].rsplit(" ", 1)[0].rstrip(",;:.- ") + "…"
    return headline + ending


def message_id(day: date, recipient: str, sender: str) -> str:
    """The Message-ID of a delivery. It follows from the day and the recipient, so that a mail server's log or a
    mailbox can be searched for it, and a mail that came twice is known for the same."""
    key = hashlib.sha256(f"{day.isoformat()}\n{recipient.casefold()}".encode()).hexdigest()[:20]
    return f"<{day.isoformat()}.{key}@{parseaddr(sender)[1].rpartition('@')[2] or 'localhost'}>"


def html_part(message: EmailMessage) -> str:
    """The HTML of a composed mail."""
    return _part(message, "html")


def text_part(message: EmailMessage) -> str:
    """The plain text of a composed mail."""
    return _part(message, "plain")


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return part.get_content()


def _address(text: str, name: str = "") -> Address:
    try:
        address = Address(name, addr_spec=text)
    except (ValueError, IndexError, MessageError):
        address = None
    if address is None or not address.username or not address.domain:
        raise ValueError(f"{text!r} is no mail address. Write it as name@example.com.")
    return address


@functools.cache
def _html_template() -> jinja2.Template:
    """The layout is compiled before anything is filled in, so that no untrusted text passes for MJML."""
    return environment().from_string(mrml.to_html((FOLDER / "mail.mjml").read_text()).content)


def main(arguments: list[str] | None = None) -> int:
    """Prints the mail of a day; 0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m include.mail", description="Shows the mail of a day. Nothing is sent."
    )
    parser.add_argument("date", help="the day of the digest, as 2026-01-15")
    parser.add_argument("--database", type=Path, help="the published copy, if not the one in the data directory")
    parser.add_argument("--to", default=settings().recipients[0], help="the recipient to compose for")
    parser.add_argument("--html", type=Path, help="write the HTML part to this file")
    parser.add_argument("--eml", type=Path, help="write the whole mail to this file")
    given = parser.parse_args(arguments)
    database = given.database or settings().published
    if not database.exists():
        print(f"{database} does not exist yet: run a day first.", file=sys.stderr)
        return 1
    try:
        with open_copy(database) as connection:
            digest = read_digest(connection, partition.day(given.date))
        message = compose(digest, given.to, settings().sender, settings().site_url, sent_at=datetime.now(UTC))
    except (LookupError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"Subject: {message['Subject']}\n")
    print(text_part(message))
    if given.html:
        given.html.write_text(html_part(message), encoding="utf-8")
    if given.eml:
        given.eml.write_bytes(message.as_bytes(policy=SMTP))
    return 0


if __name__ == "__main__":
    sys.exit(main())
