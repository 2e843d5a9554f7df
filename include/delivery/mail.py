"""The mail of a digest: a plain-text and an HTML part that say the same. Composing is pure; `include.delivery` sends.

`python -m include.delivery.mail DATE --to ADDRESS` shows the mail of a day to a recipient, from the published copy,
and sends nothing.
"""

import argparse
import functools
import hashlib
import hmac
import sys
import textwrap
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from urllib.parse import quote, urlencode

import duckdb
import jinja2
import mrml

from include.delivery import short_form
from include.delivery.channels import Channel
from include.delivery.headers import POLICY, BadAddress, address, on_the_wire
from include.digest import recipients
from include.digest.personal import read_for
from include.digest.reading import Digest, Insight
from include.digest.recipients import Recipient, mailbox
from include.digest.shown import one_line, web_address
from include.settings import Settings, settings
from include.templates import FOLDER, environment
from include.warehouse import partition
from include.warehouse.publication import open_copy

SUBJECT_LENGTH = 72
"""About what a phone shows of a subject."""

HTML_LIMIT = 100_000
"""In bytes; what is longer, mail programs cut off, and with it what the mail ends with."""

LEFT_OUT_NAMED = 20
"""How many of the things that were left out a mail names; of the others it says how many they are."""


@dataclass(frozen=True, slots=True)
class OneClick:
    """Where mail programs may end a subscription by one POST (RFC 8058): an https address that takes it, and the secret
    that signs the token of each recipient. Pages that are plain files cannot take a POST, so this is a service's."""

    url: str
    secret: str

    def __post_init__(self) -> None:
        if not ((web_address(self.url) or "").startswith("https://") and self.url.isascii()):
            raise ValueError(f"PODCAST_UNSUBSCRIBE_URL is {self.url!r}, but has to be an https address in ASCII.")
        if not self.secret:
            raise ValueError("PODCAST_UNSUBSCRIBE_URL needs PODCAST_UNSUBSCRIBE_SECRET, which signs its tokens.")

    def address(self, recipient: str) -> str:
        """The recipient's own address: `?recipient=…&token=…`, the token being the HMAC-SHA256 in hex of the recipient
        under the secret."""
        token = hmac.new(self.secret.encode(), recipient.encode(), hashlib.sha256).hexdigest()
        joint = "&" if "?" in self.url else "?"
        return f"{self.url}{joint}{urlencode({'recipient': recipient, 'token': token})}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, and the insights that it tells."""

    message: EmailMessage
    insights: tuple[Insight, ...] = ()


def write(
    connection: duckdb.DuckDBPyConnection, day: date, recipient: Recipient, told: frozenset[str], at: Settings
) -> Letter:
    """The letter of a day to a recipient, who has been told the themes of the ids `told`, from the analysts' copy; the
    short form to one who has a channel.
    Raises LookupError as `read_digest` does, and ValueError as `compose` does."""
    from include.models.meaning import claim_encoder

    digest = read_for(connection, day, recipient, told, lambda texts: claim_encoder().encode(texts))
    if recipient.channel:
        short = short_form.compose(digest, at.site_url, Channel(recipient.channel).room)
        return Letter(short, digest.insights)
    one_click = OneClick(at.unsubscribe_url, at.unsubscribe_secret.get_secret_value()) if at.unsubscribe_url else None
    return Letter(compose(digest, recipient, at.sender, at.site_url, one_click), digest.insights)


def compose(
    digest: Digest,
    recipient: Recipient,
    sender: str,
    site_url: str = "",
    one_click: OneClick | None = None,
) -> EmailMessage:
    """The mail of a digest to one recipient: multipart/alternative, UTF-8, lines no longer than mail allows.

    The same arguments give the same mail; whoever sends it adds the date. Insights link to their pages under `site_url`
    where it is set, else to the recording. Raises BadAddress where the recipient is no mail address, and ValueError
    where the sender is none.
    """
    name, spelled = parseaddr(sender)
    try:
        from_address = address(spelled or sender, one_line(name, 100))
    except BadAddress as error:
        raise ValueError(f"PODCAST_SENDER cannot be used: {error}") from None
    message = EmailMessage(POLICY)
    message["From"] = from_address
    message["To"] = address(recipient.address, one_line(recipient.name, 100))
    message["Subject"] = subject(digest)
    message["Message-ID"] = message_id(digest.date, recipient.address, sender)
    message["List-ID"] = f"Podcast insights <podcast-insights.{from_address.domain}>"
    leave = f"mailto:{quote(from_address.addr_spec, safe='@+')}?subject=unsubscribe"
    if one_click:
        message["List-Unsubscribe"] = f"<{one_click.address(recipient.address)}>, <{leave}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    else:
        message["List-Unsubscribe"] = f"<{leave}>"
    message["Auto-Submitted"] = "auto-generated"
    text, html = _parts(
        digest,
        subject=subject(digest),
        site=(web_address(site_url) or "").rstrip("/"),
        unsubscribe=one_click.address(recipient.address) if one_click else leave,
    )
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=={message['Message-ID'].strip('<>').partition('@')[0]}==")
    return message


def subject(digest: Digest) -> str:
    """The first headline and how many more there are, on one line of 72 characters at most, cut between words; for an
    empty day that it was empty."""
    if not digest.insights:
        return f"Nothing worth your time on {digest.date.day} {digest.date:%B}"
    more = len(digest.insights) - 1
    ending = f" + {more} more" if more else ""
    room = SUBJECT_LENGTH - len(ending)
    return textwrap.shorten(digest.insights[0].headline.rstrip("…. "), room, placeholder="…") + ending


def message_id(day: date, recipient: str, sender: str) -> str:
    """The Message-ID of a delivery. It follows from the day and the recipient, so that a mail server's log or a
    mailbox can be searched for it, and a mail that came twice is known for the same."""
    key = hashlib.sha256(f"{day.isoformat()}\n{recipient.casefold()}".encode()).hexdigest()[:20]
    return f"<{day.isoformat()}.{key}@{mailbox(parseaddr(sender)[1]).rpartition('@')[2] or 'localhost'}>"


def html_part(message: EmailMessage) -> str:
    """The HTML of a composed mail."""
    return _part(message, "html")


def text_part(message: EmailMessage) -> str:
    """The plain text of a composed mail."""
    return _part(message, "plain")


def _parts(digest: Digest, **values: str) -> tuple[str, str]:
    """The plain text and the HTML, which name as much as the HTML has room for of what was left out and, where the
    insights alone fill it, not who else said the same."""
    alone = replace(digest, insights=tuple(replace(insight, related=(), close=()) for insight in digest.insights))
    for told, named in ((digest, LEFT_OUT_NAMED), (digest, 0), (alone, 0)):
        shown = {**values, "digest": told, "left_out": told.left_out[:named], "more": len(told.left_out[named:])}
        html = _html_template().render(shown)
        if len(html.encode()) < HTML_LIMIT:
            break
    return environment().get_template("mail.txt").render(shown), html


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return part.get_content()


@functools.cache
def _html_template() -> jinja2.Template:
    """The layout is compiled before anything is filled in, so that no untrusted text passes for MJML."""
    return environment().from_string(mrml.to_html((FOLDER / "mail.mjml").read_text()).content)


def main(arguments: list[str] | None = None) -> int:
    """Prints the mail of a day; 0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m include.delivery.mail", description="Shows the mail of a day. Nothing is sent."
    )
    parser.add_argument("date", help="the day of the digest, as 2026-01-15")
    parser.add_argument("--database", type=Path, help="the published copy, if not the one in the data directory")
    parser.add_argument(
        "--to", help="the recipient to compose for, with the wishes they have; the first where not given"
    )
    parser.add_argument("--html", type=Path, help="write the HTML part to this file")
    parser.add_argument("--eml", type=Path, help="write the whole mail to this file")
    given = parser.parse_args(arguments)
    configured = settings()
    database = given.database or configured.published
    if not database.exists():
        print(f"{database} does not exist yet: run a day first.", file=sys.stderr)
        return 1
    try:
        known = {recipient.address: recipient for recipient in recipients.read(configured.recipients)}
        reader = known.get(mailbox(given.to)) or Recipient(given.to) if given.to else next(iter(known.values()))
        with open_copy(database) as connection:
            message = write(connection, partition.day(given.date), reader, frozenset(), configured).message
    except (LookupError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except duckdb.ProgrammingError as problem:
        print(f"{database} comes from an older version: run a day, then try again. ({problem})", file=sys.stderr)
        return 1
    print(f"Subject: {message['Subject']}\n")
    print(text_part(message))
    if given.html and not reader.channel:
        given.html.write_text(html_part(message), encoding="utf-8")
    if given.eml:
        message["Date"] = format_datetime(datetime.now(UTC))
        given.eml.write_bytes(on_the_wire(message))
    return 0


if __name__ == "__main__":
    sys.exit(main())
