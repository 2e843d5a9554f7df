"""Sending a digest to each recipient once."""

import logging
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from email.utils import format_datetime
from itertools import groupby

from include.delivery import ledger
from include.delivery.channels import reached_by
from include.delivery.headers import BadAddress
from include.delivery.mail import Letter, message_id
from include.delivery.outcome import Delivery, Outcome
from include.delivery.transports import Transport, in_short
from include.digest.recipients import Recipient
from include.state.store import Store

log = logging.getLogger(__name__)

Compose = Callable[[Recipient, frozenset[str]], Letter]
"""Writes the letter to a recipient, who has been told the themes of these ids in the 14 days before."""


class DeliveryError(Exception):
    """Some recipients did not get the digest; the message names each, why, and what to do."""


def deliver(
    state: Store,
    day: date,
    recipients: Sequence[Recipient],
    sender: str,
    transport: Transport,
    compose: Compose,
    now: datetime | None = None,
) -> list[Outcome]:
    """Sends the digest of a day to each recipient that has not had it and for whom it is due, by their channel or else
    by `transport`; returns what became of each. For whom it is due later, it is scheduled.

    The ledger is written before and after each mail, and nothing is held while the network is waited for; so a process
    that is killed leaves at most one mail undecided. Others may do the same at the time. A refused recipient is
    recorded and stops nobody. Calling it again is safe: it sends what is left. Raises DeliveryError at the end, when
    all others have been served, where a mail is undecided or could not be sent for a passing reason.
    """
    outcomes = []
    for recipient in recipients:
        delivery = Delivery(day, recipient.address, message_id(day, recipient.address, sender))
        way = reached_by(recipient, transport)
        kept = ledger.begin(state, delivery, recipient.due_at(day), way.channel, now)
        outcome = kept or send(delivery, recipient, ledger.told_to(state, delivery), way, compose)
        if kept and kept.state not in ("scheduled", "pending"):
            continue
        if not kept:
            ledger.record(state, outcome)
        log.log(
            logging.INFO if outcome.state in ("sent", "scheduled") else logging.WARNING,
            "digest of %s to %s: %s", day, delivery.recipient, outcome.error or outcome.state,
        )  # fmt: skip
        outcomes.append(outcome)
    troubles = [trouble for trouble in map(_trouble, outcomes) if trouble]
    if troubles:
        raise DeliveryError("\n".join(troubles))
    return outcomes


def deliver_due(
    state: Store,
    recipients: Sequence[Recipient],
    sender: str,
    transport: Transport,
    compose: Callable[[date], Compose],
    now: datetime | None = None,
) -> list[Outcome]:
    """Sends what was scheduled or put off and is due by now, of any day, oldest first; see `ledger.give_up` for what is
    not sent any more. Raises DeliveryError as `deliver` does, once all days have been served."""
    known = {recipient.address: recipient for recipient in recipients}
    due = ledger.due(state, now)
    outcomes: list[Outcome] = []
    troubles: list[str] = []
    for day, mails in groupby(due, key=lambda mail: mail[0]):
        waiting = [known.get(address) or Recipient(address) for _, address in mails]
        try:
            outcomes += deliver(state, day, waiting, sender, transport, compose(day), now)
        except DeliveryError as error:
            troubles.append(str(error))
    if troubles:
        raise DeliveryError("\n".join(troubles))
    return outcomes


def send(
    delivery: Delivery, recipient: Recipient, told: frozenset[str], transport: Transport, compose: Compose
) -> Outcome:
    """Sends one mail; writes no ledger, and is not safe to repeat. A recipient that is no mail address fails."""
    try:
        letter = compose(recipient, told)
    except BadAddress as error:
        return Outcome(delivery, "failed", str(error))
    except Exception as error:
        log.exception("the mail to %s could not be written", delivery.recipient)
        return Outcome(delivery, "deferred", f"the mail could not be written: {in_short(error)}")
    letter.message["Date"] = format_datetime(datetime.now(UTC))
    return replace(transport.send(delivery, letter.message), insights=letter.insights)


def _trouble(outcome: Outcome) -> str | None:
    """What is to be done about a mail that is in doubt or was put off; None where nothing is."""
    day, recipient = outcome.delivery.day, outcome.delivery.recipient
    if outcome.state == "pending":
        trace = f"the Message-ID {outcome.delivery.message_id} in the mailbox or in the mail server's log"
        return (
            f"It is not known whether the digest of {day} reached {recipient}: {outcome.error}. Look for "
            f"{trace if '@' in recipient else 'it in the channel'}. If it is there, run "
            f"`python -m include.delivery {day} {shlex.quote(recipient)} arrived`; if not, the same with `lost`, and "
            "it is sent within a quarter of an hour."
        )
    if outcome.state == "deferred":
        return (
            f"The digest of {day} was not sent to {recipient}: {outcome.error}. "
            "It is tried again every quarter of an hour, for a day."
        )
    return None
