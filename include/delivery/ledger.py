"""The ledger of mails, `ops.deliveries`: what is to be sent to whom and when, and what was.

A mail server cannot be asked whether it has had a mail before, so the intent is kept: a row is `pending` before the
mail leaves and `sent` after. A row that is still pending when a later run finds it means that a run stopped in between;
only a person can tell whether that mail arrived, so it is never sent again by itself.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import duckdb

from include.delivery.outcome import Delivery, Outcome, State
from include.delivery.transports import Outbox
from include.digest.recipients import Recipient, mailbox
from include.digest.seats import DAYS_REMEMBERED
from include.warehouse.database import append, records, transaction

LATEST = timedelta(days=1)
"""How long after it was due a mail may still be sent by itself, since old news is none."""

# A mail in doubt is told of for a day, and then waits for a person.
_DUE = """
    select digest_date, recipient
    from ops.deliveries
    where
        status in ('scheduled', 'deferred', 'pending')
        and due_at <= $now
        and (status <> 'pending' or due_at >= $now - interval 1 day)
    order by digest_date, recipient
"""


def begin(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    due_at: datetime | None,
    channel: str,
    now: datetime | None = None,
) -> Outcome | None:
    """None where the mail may leave now, its row being pending; else what keeps it: it has been settled before, it is
    scheduled for later, or nobody knows whether it left.

    A pending row of an earlier run is begun again only where it was meant for the outbox, where writing a file twice
    makes one mail.
    """
    with transaction(connection):
        row = _row(connection, delivery) or {"status": None, "due_at": None}
        if row["status"] == "pending" and row["channel"] != Outbox.channel:
            begun = Delivery(delivery.day, delivery.recipient, row["message_id"])
            return Outcome(begun, "pending", "an earlier run stopped while it was being sent")
        if row["status"] not in (None, "scheduled", "deferred", "pending"):
            return Outcome(delivery, row["status"])
        if due_at and _utc(due_at) > _utc(now) and row["status"] in (None, "scheduled"):
            _write(connection, delivery, "scheduled", channel, _utc(due_at))
            return Outcome(delivery, "scheduled")
        _write(connection, delivery, "pending", channel, row["due_at"] or _utc(now))
        return None


def record(connection: duckdb.DuckDBPyConnection, outcome: Outcome) -> None:
    """Writes how a sending ended, and what the mail told if it left, in one transaction."""
    key = _key(outcome.delivery)
    with transaction(connection):
        if outcome.state in ("sent", "pending"):
            connection.execute("delete from ops.sent_insights where digest_date = $day and recipient = $recipient", key)
            append(
                connection,
                "ops.sent_insights",
                [
                    {
                        "digest_date": outcome.delivery.day,
                        "recipient": outcome.delivery.recipient,
                        "rank": insight.rank,
                        "claim_id": insight.claim_id,
                        "theme_id": insight.theme_id,
                    }
                    for insight in outcome.insights
                ],
            )
        connection.execute(
            """
            update ops.deliveries set status = $status, error = $error, sent_at = if($status = 'sent', $now, null)
            where digest_date = $day and recipient = $recipient
            """,
            {**key, "status": outcome.state, "error": _anonymous(outcome), "now": _utc()},
        )


def told_to(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> frozenset[str]:
    """The themes that the recipient was sent in the days that a digest remembers."""
    rows = records(
        connection,
        """
        select distinct theme_id from ops.sent_insights
        where recipient = $recipient and digest_date between $day - $days::integer and $day - 1
        """,
        {**_key(delivery), "days": DAYS_REMEMBERED},
    )
    return frozenset(row["theme_id"] for row in rows)


def due(connection: duckdb.DuckDBPyConnection, now: datetime | None = None) -> list[tuple[date, str]]:
    """Day and recipient of the mails that wait and are due by now, oldest first; reads the published copy as well as
    the warehouse, where recipients are masked."""
    return [(row["digest_date"], row["recipient"]) for row in records(connection, _DUE, {"now": _utc(now)})]


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
        missed = connection.execute(
            """
            update ops.deliveries set status = 'missed'
            where status in ('scheduled', 'deferred') and due_at < $oldest
            returning digest_date, recipient, message_id
            """,
            {"oldest": _utc(now) - LATEST},
        ).fetchall()
    return [Delivery(*row) for row in sorted(missed)]


def settle(connection: duckdb.DuckDBPyConnection, day: date, recipient: str, arrived: bool) -> None:
    """What a person found out about an undecided mail: it arrived, and counts as sent; or not, and is due now. Serves
    as well to try a refused recipient again, or to send a missed mail. Of a mail that arrived from a run that was
    killed, nobody recorded what it told: the day's own five count as told. Raises LookupError where the ledger has no
    such mail, or it was sent."""
    delivery = Delivery(day, mailbox(recipient), "")
    row = _row(connection, delivery)
    if row is None or row["status"] == "sent":
        state = "has been sent" if row else "is not in the ledger"
        raise LookupError(f"There is nothing to settle: the digest of {day} to {recipient} {state}.")
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
            _key(delivery),
        )
    connection.execute(
        """
        update ops.deliveries
        set
            status = if($arrived, 'sent', 'deferred'),
            error = 'settled by hand: ' || if($arrived, 'arrived', 'did not arrive'),
            sent_at = if($arrived, pending_at, null),
            due_at = if($arrived, due_at, $now)
        where digest_date = $day and recipient = $recipient
        """,
        {**_key(delivery), "arrived": arrived, "now": _utc()},
    )


def _anonymous(outcome: Outcome) -> str | None:
    """The reason without anybody's address, also where a server puts it in its answer: analysts may read it."""
    if outcome.error is None:
        return None
    address = outcome.delivery.recipient
    names = [re.escape(name) for name in (address, address.partition("@")[0]) if len(name) > 2]
    known = rf"(?<!\w)(?:{'|'.join(names)})(?!\w)" if names else r"(?!)"
    return re.sub(rf"{known}|[^\s@<>()'\"]+@[^\s@<>()'\",;:]+", "…", outcome.error, flags=re.IGNORECASE)


def _row(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> dict | None:
    rows = records(
        connection,
        "select * from ops.deliveries where digest_date = $day and recipient = $recipient",
        _key(delivery),
    )
    return rows[0] if rows else None


def _write(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, status: State, channel: str, due_at: datetime
) -> None:
    connection.execute(
        """
        insert or replace into ops.deliveries (digest_date, recipient, status, channel, message_id, pending_at, due_at)
        values ($day, $recipient, $status, $channel, $message_id, if($status = 'pending', $now, null), $due)
        """,
        {
            **_key(delivery),
            "status": status,
            "channel": channel,
            "message_id": delivery.message_id,
            "now": _utc(),
            "due": due_at,
        },
    )


def _key(delivery: Delivery) -> dict:
    return {"day": delivery.day, "recipient": delivery.recipient}


def _utc(moment: datetime | None = None) -> datetime:
    """A moment, or now, as the warehouse keeps it: UTC without saying so, to the second."""
    return (moment or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None, microsecond=0)
