"""Sending a digest to each recipient once, and the ledger that says so.

A mail server cannot be asked whether it has had a mail before, so the intent is kept: a row of `ops.deliveries` is
`pending` before the mail leaves and `sent` after. A row that is still pending when a later run finds it means that a
run stopped in between; only a person can tell whether that mail arrived, so it is never sent again by itself.

A mail that is not due yet is `scheduled`. One that is not sent within a day of when it was due is `missed`, since old
news is none; one whose recipient has left the list meanwhile is `withdrawn`.

`python -m include.delivery DATE RECIPIENT arrived|lost` settles such a row, and what is lost is sent.
"""

import argparse
import contextlib
import logging
import os
import smtplib
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import quote

import duckdb

from include.delivery.mail import message_id
from include.digest.choice import DAYS_REMEMBERED
from include.digest.reading import Insight
from include.digest.recipients import Recipient
from include.warehouse import partition
from include.warehouse.database import append, open_warehouse, records, transaction

log = logging.getLogger(__name__)

LATEST = timedelta(days=1)
"""How long after it was due a mail may still be sent by itself."""

Status = Literal["sent", "deferred", "failed", "pending", "scheduled"]
OpenWarehouse = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail to one recipient, as the ledger keys it."""

    day: date
    recipient: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, and the insights that it tells."""

    message: EmailMessage
    insights: tuple[Insight, ...] = ()


Compose = Callable[[Recipient, frozenset[str]], Letter]
"""Writes the letter to a recipient, who has been told the themes of these ids in the 14 days before."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be sent now, each with its pending row written and the themes that the recipient has been told; what
    an earlier run left undecided; and what is scheduled for later."""

    to_send: tuple[tuple[Delivery, Recipient, frozenset[str]], ...] = ()
    undecided: tuple[Delivery, ...] = ()
    scheduled: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one sending ended.

    `sent`: taken by the server. `deferred`: certainly not taken, worth another try. `failed`: refused for good.
    `pending`: nobody knows, as the connection broke after the mail had been handed over. `scheduled`: not due yet.
    """

    delivery: Delivery
    status: Status
    error: str | None = None
    insights: tuple[Insight, ...] = ()


class Transport(Protocol):
    """Where mails go. `send` never raises for what a mail server does; it says in the outcome what happened."""

    channel: str

    def send(self, delivery: Delivery, message: EmailMessage) -> Outcome: ...


class DeliveryError(Exception):
    """Some recipients did not get the digest; the message names each, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Mails as files `DATE-RECIPIENT.eml` of a folder. A file stands whole or not at all; writing it again is safe."""

    folder: Path
    channel = "outbox"

    def send(self, delivery: Delivery, message: EmailMessage) -> Outcome:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.file(delivery)
        partial = file.with_name(f"{file.name}.partial")
        partial.write_bytes(message.as_bytes(policy=SMTP))
        os.replace(partial, file)
        return Outcome(delivery, "sent")

    def file(self, delivery: Delivery) -> Path:
        return self.folder / f"{delivery.day.isoformat()}-{quote(delivery.recipient, safe='@+')}.eml"


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
            return Outcome(delivery, "deferred", f"no connection to the mail server: {_words(error)}")
        try:
            return self._hand_over(client, delivery, message)
        finally:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()
            client.close()

    def _hand_over(self, client: smtplib.SMTP, delivery: Delivery, message: EmailMessage) -> Outcome:
        sender = parseaddr(str(message["From"]))[1]
        try:
            client.ehlo_or_helo_if_needed()
            code, answer = client.mail(sender)
            if code != 250:
                return Outcome(delivery, "deferred", f"the sender {sender} was refused: {_answer(code, answer)}")
            code, answer = client.rcpt(delivery.recipient)
            if code not in (250, 251):
                return _refused(delivery, code, answer)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            return Outcome(delivery, "deferred", f"the connection broke before the mail left: {_words(error)}")
        try:
            code, answer = client.data(message.as_bytes(policy=SMTP))
        except smtplib.SMTPDataError as refusal:
            return _refused(delivery, refusal.smtp_code, refusal.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            return Outcome(delivery, "pending", f"the connection broke while the mail was sent: {_words(error)}")
        return Outcome(delivery, "sent") if code == 250 else _refused(delivery, code, answer)


def deliver(
    warehouse: OpenWarehouse,
    day: date,
    recipients: Sequence[Recipient],
    sender: str,
    transport: Transport,
    compose: Compose,
    now: datetime | None = None,
) -> list[Outcome]:
    """Sends the digest of a day to each recipient that has not had it and for whom it is due; returns how each sending
    ended. For whom it is due later, it is scheduled.

    The warehouse is opened for a moment before and after each mail and is closed while the network is waited for; so
    at most one mail is ever undecided. A refused recipient is recorded and stops nobody. Calling it again is safe: it
    sends what is left. Raises DeliveryError at the end, when all others have been served, where a mail is undecided or
    could not be sent for a passing reason.
    """
    outcomes: list[Outcome] = []
    undecided: list[Delivery] = []
    for recipient in recipients:
        with warehouse() as connection:
            planned = plan(connection, day, [recipient], sender, transport, now)
        undecided += planned.undecided
        sendings = send(planned, transport, compose)
        if sendings:
            with warehouse() as connection:
                record(connection, sendings)
        outcomes += sendings
        outcomes += [Outcome(delivery, "scheduled") for delivery in planned.scheduled]
    for outcome in outcomes:
        log.log(
            logging.INFO if outcome.status in ("sent", "scheduled") else logging.WARNING,
            "digest of %s to %s: %s", day, outcome.delivery.recipient, outcome.error or outcome.status,
        )  # fmt: skip
    _raise_for(outcomes, undecided)
    return outcomes


def deliver_due(
    warehouse: OpenWarehouse,
    recipients: Sequence[Recipient],
    sender: str,
    transport: Transport,
    compose: Callable[[date], Compose],
    now: datetime | None = None,
) -> list[Outcome]:
    """Sends what was scheduled or put off and is due by now, of any day, oldest first; see `give_up` for what is not
    sent any more. Raises DeliveryError as `deliver` does, once all days have been served."""
    known = {recipient.address: recipient for recipient in recipients}
    due: dict[date, list[Recipient]] = defaultdict(list)
    with warehouse() as connection:
        for row in records(connection, f"{_DUE} order by digest_date, recipient", {"now": _utc(now)}):
            due[row["digest_date"]].append(known.get(row["recipient"]) or Recipient(row["recipient"]))
    outcomes: list[Outcome] = []
    troubles: list[str] = []
    for day, waiting in due.items():
        try:
            outcomes += deliver(warehouse, day, waiting, sender, transport, compose(day), now)
        except DeliveryError as error:
            troubles.append(str(error))
    if troubles:
        raise DeliveryError("\n".join(troubles))
    return outcomes


def give_up(
    connection: duckdb.DuckDBPyConnection, recipients: Sequence[Recipient], now: datetime | None = None
) -> list[Delivery]:
    """Marks as missed what was due more than a day ago, and returns it; as withdrawn what waits for somebody who is no
    recipient any more."""
    with transaction(connection):
        connection.execute(
            """
            update ops.deliveries set status = 'withdrawn'
            where status in ('scheduled', 'deferred') and due_at is not null and not list_contains($known, recipient)
            """,
            {"known": [recipient.address for recipient in recipients]},
        )
        missed = records(
            connection,
            """
            update ops.deliveries set status = 'missed'
            where status in ('scheduled', 'deferred') and due_at < $oldest
            returning digest_date, recipient, message_id
            """,
            {"oldest": _utc(now) - LATEST},
        )
    return sorted(
        (Delivery(row["digest_date"], row["recipient"], row["message_id"]) for row in missed),
        key=lambda delivery: (delivery.day, delivery.recipient),
    )


def told_as_missed(missed: Sequence[Delivery]) -> tuple[str, str]:
    """Subject and text of what the operator is told of mails that were given up."""
    lines = [f"  the digest of {delivery.day} to {delivery.recipient}" for delivery in missed]
    (first, *_) = missed
    return (
        f"{len(missed)} mail{'s were' if len(missed) > 1 else ' was'} not sent within a day of when due",
        "Old news is none, so these are not sent any more by themselves:\n\n"
        + "\n".join(lines)
        + "\n\nTo send one all the same:\n"
        f"  python -m include.delivery {first.day} {first.recipient} lost\n",
    )


def due_count(connection: duckdb.DuckDBPyConnection, now: datetime | None = None) -> int:
    """How many mails wait that are due by now; reads the published copy as well as the warehouse."""
    (row,) = records(connection, f"select count(*) as mails from ({_DUE})", {"now": _utc(now)})
    return row["mails"]


def plan(
    connection: duckdb.DuckDBPyConnection,
    day: date,
    recipients: Sequence[Recipient],
    sender: str,
    transport: Transport,
    now: datetime | None = None,
) -> Plan:
    """Which of the recipients the digest is to be sent to now; their rows are pending when this returns.

    Left out are those that have had it and those that were refused for good. A pending row of an earlier run is sent
    again only where it was meant for the outbox, where writing a file twice makes one mail.
    """
    to_send, undecided, scheduled = [], [], []
    with transaction(connection):
        for recipient in recipients:
            row = _row(connection, day, recipient.address)
            delivery = Delivery(day, recipient.address, message_id(day, recipient.address, sender))
            status = row["status"] if row else "new"
            due = recipient.due_at(day)
            if row and status == "pending" and row["channel"] == Smtp.channel:
                undecided.append(Delivery(day, recipient.address, row["message_id"]))
            elif due and _utc(due) > _utc(now) and status in ("new", "scheduled"):
                _write(connection, delivery, "scheduled", transport, _utc(due))
                scheduled.append(delivery)
            elif status in ("new", "scheduled", "pending", "deferred"):
                _write(connection, delivery, "pending", transport, (row and row["due_at"]) or _utc(now))
                to_send.append((delivery, recipient, _told(connection, delivery)))
    return Plan(tuple(to_send), tuple(undecided), tuple(scheduled))


def send(plan: Plan, transport: Transport, compose: Compose) -> list[Outcome]:
    """Sends what is planned; needs no warehouse. Not safe to repeat by itself: plan again first. A recipient that is
    no mail address fails and stops nobody."""
    outcomes = []
    for delivery, recipient, told in plan.to_send:
        try:
            letter = compose(recipient, told)
        except ValueError as error:
            outcomes.append(Outcome(delivery, "failed", str(error)))
            continue
        except Exception as error:
            log.exception("the mail to %s could not be written", delivery.recipient)
            outcomes.append(Outcome(delivery, "deferred", f"the mail could not be written: {_words(error)}"))
            continue
        if "Date" not in letter.message:
            letter.message["Date"] = format_datetime(datetime.now(UTC))
        outcomes.append(replace(transport.send(delivery, letter.message), insights=letter.insights))
    return outcomes


def record(connection: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome]) -> None:
    """Writes how each sending ended, and what those told that left, into the ledger, in one transaction."""
    with transaction(connection):
        for outcome in outcomes:
            if outcome.status in ("sent", "pending"):
                _write_insights(connection, outcome)
            connection.execute(
                """
                update ops.deliveries set status = $status, error = $error, sent_at = $sent_at
                where digest_date = $day and recipient = $recipient
                """,
                {
                    **_at(outcome.delivery),
                    "status": outcome.status,
                    "error": outcome.error,
                    "sent_at": _utc() if outcome.status == "sent" else None,
                },
            )


def settle(connection: duckdb.DuckDBPyConnection, day: date, recipient: str, arrived: bool) -> None:
    """What a person found out about an undecided mail: it arrived, and counts as sent; or not, and is due now. Serves
    as well to try a refused recipient again, or to send a missed mail. Of a mail that arrived from a run that was
    killed, nobody recorded what it told: the day's own five count as told. Raises LookupError where the ledger has no
    such mail, or it was sent."""
    delivery = Delivery(day, recipient.strip().lower(), "")
    row = _row(connection, day, delivery.recipient)
    if row is None or row["status"] == "sent":
        state = "has been sent" if row else "is not in the ledger"
        raise LookupError(f"There is nothing to settle: the digest of {day} to {recipient} {state}.")
    status = "sent" if arrived else "deferred"
    note = f"settled by hand: {'arrived' if arrived else 'did not arrive'}"
    if arrived:
        connection.execute(
            """
            insert into ops.sent_insights (digest_date, recipient, rank, claim_id, theme_id)
            select digest_date, $recipient, rank, claim_id, theme_id
            from marts.top_insights
            where
                digest_date = $day
                and not exists (from ops.sent_insights where digest_date = $day and recipient = $recipient)
            """,
            _at(delivery),
        )
    connection.execute(
        """
        update ops.deliveries
        set
            status = $status, error = $note,
            sent_at = if($arrived, pending_at, null), due_at = if($arrived, due_at, $now)
        where digest_date = $day and recipient = $recipient
        """,
        {**_at(delivery), "status": status, "note": note, "arrived": arrived, "now": _utc()},
    )


def smtp_from_airflow(conn_id: str = "smtp_default") -> Smtp:
    """SMTP through an Airflow connection, inside a task. Nothing is looked up or connected to before the first mail.

    The provider's hook takes TLS, login and time limit from the connection; its retries concern connecting alone.
    """

    def connect() -> smtplib.SMTP:
        from airflow.providers.smtp.hooks.smtp import SmtpHook

        client = SmtpHook(smtp_conn_id=conn_id).get_conn()._smtp_client
        assert isinstance(client, smtplib.SMTP)
        return client

    return Smtp(connect)


def transport_from_airflow(outbox: Path, conn_id: str = "smtp_default") -> Transport:
    """SMTP where the Airflow connection exists, else the outbox folder. To be called inside a task."""
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return Outbox(outbox)
    return smtp_from_airflow(conn_id)


def _raise_for(outcomes: Sequence[Outcome], undecided: Sequence[Delivery]) -> None:
    broken = [(outcome.delivery, outcome.error) for outcome in outcomes if outcome.status == "pending"]
    broken += [(delivery, "an earlier run stopped while it was being sent") for delivery in undecided]
    troubles = [
        f"It is not known whether the digest of {delivery.day} reached {delivery.recipient}: {reason}. Look for the "
        f"Message-ID {delivery.message_id} in the mailbox or in the mail server's log. If it is there, run "
        f"`python -m include.delivery {delivery.day} {delivery.recipient} arrived`; if not, the same with `lost`, and "
        "it is sent within a quarter of an hour."
        for delivery, reason in broken
    ]
    troubles += [
        f"The digest of {outcome.delivery.day} was not sent to {outcome.delivery.recipient}: {outcome.error}. "
        "It is tried again every quarter of an hour, for a day."
        for outcome in outcomes
        if outcome.status == "deferred"
    ]
    if troubles:
        raise DeliveryError("\n".join(troubles))


# A mail in doubt is told of for a day, and then waits for a person.
_DUE = """
    select digest_date, recipient
    from ops.deliveries
    where
        status in ('scheduled', 'deferred', 'pending')
        and due_at <= $now
        and (status <> 'pending' or due_at >= $now - interval 1 day)
"""


def _told(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> frozenset[str]:
    """The themes that the recipient was sent in the days that a digest remembers."""
    rows = records(
        connection,
        """
        select distinct theme_id from ops.sent_insights
        where recipient = $recipient and digest_date between $day - $days::integer and $day - 1
        """,
        {**_at(delivery), "days": DAYS_REMEMBERED},
    )
    return frozenset(row["theme_id"] for row in rows)


def _row(connection: duckdb.DuckDBPyConnection, day: date, recipient: str) -> dict | None:
    rows = records(
        connection,
        "select status, channel, message_id, due_at from ops.deliveries "
        "where digest_date = $day and recipient = $recipient",
        {"day": day, "recipient": recipient},
    )
    return rows[0] if rows else None


def _write(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, status: str, transport: Transport, due: datetime
) -> None:
    connection.execute(
        """
        insert or replace into ops.deliveries (digest_date, recipient, status, channel, message_id, pending_at, due_at)
        values ($day, $recipient, $status, $channel, $message_id, if($status = 'pending', $now, null), $due)
        """,
        {
            **_at(delivery),
            "status": status,
            "channel": transport.channel,
            "message_id": delivery.message_id,
            "now": _utc(),
            "due": due,
        },
    )


def _write_insights(connection: duckdb.DuckDBPyConnection, outcome: Outcome) -> None:
    where = _at(outcome.delivery)
    connection.execute("delete from ops.sent_insights where digest_date = $day and recipient = $recipient", where)
    append(
        connection,
        "ops.sent_insights",
        [
            {
                "digest_date": where["day"],
                "recipient": where["recipient"],
                "rank": insight.rank,
                "claim_id": insight.claim_id,
                "theme_id": insight.theme_id,
            }
            for insight in outcome.insights
        ],
    )


def _at(delivery: Delivery) -> dict:
    return {"day": delivery.day, "recipient": delivery.recipient}


def _utc(moment: datetime | None = None) -> datetime:
    """A moment, or now, as the warehouse keeps it: UTC without saying so, to the second."""
    return (moment or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None, microsecond=0)


def _refused(delivery: Delivery, code: int, answer: bytes | str) -> Outcome:
    """5xx is for good, 4xx for now."""
    return Outcome(delivery, "failed" if code >= 500 else "deferred", f"refused: {_answer(code, answer)}")


def _answer(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {' '.join(text.split())}"[:500]


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def main(arguments: list[str] | None = None) -> int:
    """Settles one row of the ledger; 0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m include.delivery",
        description="Says whether an undecided mail arrived; what did not is sent.",
    )
    parser.add_argument("date", help="the day of the digest, as 2026-01-15")
    parser.add_argument("recipient")
    parser.add_argument("verdict", choices=("arrived", "lost"))
    given = parser.parse_args(arguments)
    try:
        with open_warehouse() as connection:
            settle(connection, partition.day(given.date), given.recipient, given.verdict == "arrived")
    except (LookupError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
