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
from include.warehouse import publication
from include.warehouse.database import open_warehouse


def mail_is_due() -> bool:
    """Whether the analysts' copy knows of a mail that is to be sent by now; the warehouse is left alone."""
    if not settings().published.exists():
        return False
    with publication.open_copy(settings().published) as connection:
        return bool(ledger.due(connection))


def send_due_mail() -> Summary:
    """Sends what was scheduled or put off and is due, and tells the operator of what came too late to be sent."""
    readers = recipients.read(settings().recipients)
    transport = transport_from_airflow(settings().outbox)
    try:
        with open_warehouse() as connection:
            missed = ledger.give_up(connection, readers)
        if missed:
            _tell_of(missed)
        outcomes = sending.deliver_due(open_warehouse, readers, settings().sender, transport, letters)
    finally:
        publication.publish(settings().warehouse, settings().published)
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
