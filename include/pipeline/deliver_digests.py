"""The steps of the DAG `deliver_digests`: mails that wait for their hour, or for a server that could not take them."""

from collections.abc import Sequence

from include.delivery import ledger, sending
from include.delivery.outcome import Delivery
from include.delivery.transports import transport_from_airflow
from include.digest import recipients
from include.pipeline import alerts
from include.pipeline.letters import letters
from include.pipeline.run import Summary, said
from include.settings import settings
from include.state import store
from include.warehouse import publication


def mail_is_due() -> bool:
    """Whether a mail is to be sent by now."""
    return bool(ledger.due(store.of(settings())))


def send_due_mail() -> Summary:
    """Sends what was scheduled or put off and is due, and tells the operator of what came too late to be sent."""
    readers = recipients.read(settings().recipients)
    transport = transport_from_airflow(settings().outbox)
    state = store.of(settings())
    try:
        missed = ledger.give_up(state, readers)
        if missed:
            _tell_of(missed)
        outcomes = sending.deliver_due(state, readers, settings().sender, transport, letters)
    finally:
        publication.publish_ledger(settings().published, state)
    counts = {state: sum(outcome.state == state for outcome in outcomes) for state in ("sent", "failed")}
    return said(**counts, missed=len(missed))


def _tell_of(missed: Sequence[Delivery]) -> None:
    first = missed[0]
    alerts.report(
        "missed-mail",
        f"{len(missed)} mail{'s were' if len(missed) > 1 else ' was'} not sent within a day of when due",
        "Old news is none, so these are not sent any more by themselves:\n\n"
        + "".join(f"  the digest of {delivery.day} to {delivery.recipient}\n" for delivery in missed)
        + f"\nTo send one all the same:\n  python -m include.delivery {first.day} {first.recipient} lost\n",
    )
