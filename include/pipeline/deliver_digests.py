"""The steps of the DAG `deliver_digests`: mails that wait for their hour, or for a server that could not take them."""

from include.delivery import ledger
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
        return ledger.due_count(connection) > 0


def send_due_mail() -> Summary:
    """Sends what was scheduled or put off and is due, and tells the operator of what came too late to be sent."""
    readers = recipients.read(settings().recipients)
    transport = ledger.transport_from_airflow(settings().outbox)
    try:
        with open_warehouse() as connection:
            missed = ledger.give_up(connection, readers)
        if missed:
            alerts.report("missed-mail", *ledger.told_as_missed(missed))
        outcomes = ledger.deliver_due(open_warehouse, readers, settings().sender, transport, letters)
    finally:
        publication.publish(settings().warehouse, settings().published)
    counts = {status: sum(o.status == status for o in outcomes) for status in ("sent", "failed")}
    return said(**counts, missed=len(missed))
