"""The ledger of mails: what is to be sent to whom and when, and what was. Analysts find it as `ops.deliveries` and
`ops.sent_insights`.

A mail server cannot be asked whether it has had a mail before, so the intent is kept: a row is `pending` before the
mail leaves and `sent` after. A row that is still pending when a later run finds it, and no process is at it, means that
a run stopped in between; only a person can tell whether that mail arrived, so it is never sent again by itself.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, and_, delete, func, insert, or_, select, update

from include.delivery.outcome import Delivery, Outcome
from include.delivery.transports import Outbox
from include.digest.recipients import Recipient, mailbox
from include.digest.seats import DAYS_REMEMBERED
from include.state import store, turns
from include.state.store import Store
from include.state.tables import deliveries, sent_insights

LATEST = timedelta(days=1)
"""How long after it was due a mail may still be sent by itself, since old news is none."""


@dataclass(frozen=True, slots=True)
class Told:
    """An insight that a mail told."""

    rank: int
    claim_id: str
    theme_id: str


_WAITING = ("scheduled", "deferred")


def begin(
    state: Store,
    delivery: Delivery,
    due_at: datetime | None,
    channel: str,
    now: datetime | None = None,
) -> Outcome | None:
    """None where the mail may leave now, its row being pending; else what keeps it: it has been settled before, it is
    scheduled for later, nobody knows whether it left, or (`leaving`) another process is sending it.

    A pending row of an earlier run is begun again only where it was meant for the outbox, where writing a file twice
    makes one mail.
    """
    if not turns.take(state, _turn(delivery)):
        return Outcome(delivery, "leaving")
    with state.writing(durable=True) as connection:
        row = _row(connection, delivery)
        kept = _kept(row, delivery, due_at, now)
        if kept is None or kept.state == "scheduled":
            due = _utc(due_at) if kept else (row["due_at"] if row else None) or _utc(now)
            written = {
                **_key(delivery),
                "status": kept.state if kept else "pending",
                "channel": channel,
                "message_id": delivery.message_id,
                "pending_at": None if kept else _utc(now),
                "sent_at": None,
                "error": None,
                "due_at": due,
                "changed_at": store.now(),
            }
            state.upsert(connection, deliveries, written)
        if kept:
            turns.leave(connection, _turn(delivery))
    return kept


def record(state: Store, outcome: Outcome) -> None:
    """Writes how a sending ended, and what the mail told if it left, in one transaction."""
    key = _key(outcome.delivery)
    with state.writing(durable=True) as connection:
        if outcome.state in ("sent", "pending"):
            told = [Told(insight.rank, insight.claim_id, insight.theme_id) for insight in outcome.insights]
            connection.execute(delete(sent_insights).filter_by(**key))
            _tell(connection, key, told)
        sent_at = _utc() if outcome.state == "sent" else None
        _change(connection, key, status=outcome.state, error=_anonymous(outcome), sent_at=sent_at)
        turns.leave(connection, _turn(outcome.delivery))


def told_to(state: Store, delivery: Delivery) -> frozenset[str]:
    """The themes that the recipient was sent in the days that a digest remembers."""
    days = sent_insights.c.digest_date
    told = select(sent_insights.c.theme_id).where(
        sent_insights.c.recipient == delivery.recipient,
        days.between(delivery.day - timedelta(DAYS_REMEMBERED), delivery.day - timedelta(1)),
    )
    with state.reading() as connection:
        return frozenset(connection.scalars(told))


def due(state: Store, now: datetime | None = None) -> list[tuple[date, str]]:
    """Day and recipient of the mails that wait and are due by now, oldest first. A mail in doubt is told of for a day,
    and then waits for a person."""
    in_doubt = and_(deliveries.c.status == "pending", deliveries.c.due_at >= _utc(now) - LATEST)
    waiting = select(deliveries.c.digest_date, deliveries.c.recipient).where(
        or_(deliveries.c.status.in_(_WAITING), in_doubt), deliveries.c.due_at <= _utc(now)
    )
    with state.reading() as connection:
        found: Sequence[Row[Any]] = connection.execute(waiting.order_by(*waiting.selected_columns)).all()
    return [(row.digest_date, row.recipient) for row in found]


def give_up(state: Store, recipients: Sequence[Recipient], now: datetime | None = None) -> list[Delivery]:
    """Marks as missed what was due more than a day ago, and returns it; as withdrawn what waits for somebody who is no
    recipient any more."""
    waits = deliveries.c.status.in_(_WAITING)
    known = [recipient.address for recipient in recipients]
    left = update(deliveries).where(waits, deliveries.c.due_at.is_not(None), deliveries.c.recipient.not_in(known))
    late = update(deliveries).where(waits, deliveries.c.due_at < _utc(now) - LATEST)
    of_a_mail = (deliveries.c.digest_date, deliveries.c.recipient, deliveries.c.message_id)
    with state.writing() as connection:
        connection.execute(left.values(status="withdrawn", changed_at=store.now()))
        missed: Sequence[Row[Any]] = connection.execute(
            late.values(status="missed", changed_at=store.now()).returning(*of_a_mail)
        ).all()
    return [Delivery(row.digest_date, row.recipient, row.message_id) for row in sorted(missed)]


def settle(state: Store, day: date, recipient: str, arrived: bool, five: Sequence[Told] = ()) -> None:
    """What a person found out about an undecided mail: it arrived, and counts as sent; or not, and is due now. Serves
    as well to try a refused recipient again, or to send a missed mail. Of a mail that arrived from a run that was
    killed, nobody recorded what it told: the day's own five count as told. Raises LookupError where the ledger has no
    such mail, or it was sent."""
    delivery = Delivery(day, mailbox(recipient), "")
    key = _key(delivery)
    with state.writing(durable=True) as connection:
        row = _row(connection, delivery)
        if row is None or row["status"] == "sent":
            what = "has been sent" if row else "is not in the ledger"
            raise LookupError(f"There is nothing to settle: the digest of {day} to {recipient} {what}.")
        if not arrived:
            _change(connection, key, status="deferred", error="settled by hand: did not arrive", due_at=_utc())
            return
        if connection.scalar(select(func.count()).select_from(sent_insights).filter_by(**key)) == 0:
            _tell(connection, key, five)
        _change(connection, key, status="sent", error="settled by hand: arrived", sent_at=row["pending_at"])


def _kept(row: RowMapping | None, delivery: Delivery, due_at: datetime | None, now: datetime | None) -> Outcome | None:
    """What keeps a mail from leaving, by its row in the ledger."""
    status = row["status"] if row else None
    if row and status == "pending" and row["channel"] != Outbox.channel:
        begun = Delivery(delivery.day, delivery.recipient, row["message_id"])
        return Outcome(begun, "pending", "an earlier run stopped while it was being sent")
    if row and status not in ("scheduled", "deferred", "pending"):
        return Outcome(delivery, row["status"])
    if due_at and _utc(due_at) > _utc(now) and status in (None, "scheduled"):
        return Outcome(delivery, "scheduled")
    return None


def _tell(connection: Connection, key: dict[str, Any], told: Sequence[Told]) -> None:
    if told:
        connection.execute(insert(sent_insights), [{**key, **asdict(one)} for one in told])


def _change(connection: Connection, key: dict[str, Any], **values: Any) -> None:
    connection.execute(update(deliveries).filter_by(**key).values(**values, changed_at=store.now()))


def _anonymous(outcome: Outcome) -> str | None:
    """The reason without anybody's address, also where a server puts it in its answer: analysts may read it."""
    if outcome.error is None:
        return None
    address = outcome.delivery.recipient
    names = [re.escape(name) for name in (address, address.partition("@")[0]) if len(name) > 2]
    known = rf"(?<!\w)(?:{'|'.join(names)})(?!\w)" if names else r"(?!)"
    return re.sub(rf"{known}|[^\s@<>()'\"]+@[^\s@<>()'\",;:]+", "…", outcome.error, flags=re.IGNORECASE)


def _row(connection: Connection, delivery: Delivery) -> RowMapping | None:
    return connection.execute(select(deliveries).filter_by(**_key(delivery)).with_for_update()).mappings().one_or_none()


def _key(delivery: Delivery) -> dict[str, Any]:
    return {"digest_date": delivery.day, "recipient": delivery.recipient}


def _turn(delivery: Delivery) -> str:
    return f"mail {delivery.day} {delivery.recipient}"


def _utc(moment: datetime | None = None) -> datetime:
    """A moment, or now, as the ledger keeps it: UTC without saying so, to the second."""
    return (moment or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None, microsecond=0)
