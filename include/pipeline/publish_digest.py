"""The steps of the DAG `publish_digest`: the analysts' copy, the pages, the mail, the documentation of the tables."""

from include.delivery import sending
from include.delivery.transports import transport_from_airflow
from include.digest import reading, recipients
from include.pages import site, table_docs
from include.pipeline import step_times
from include.pipeline.letters import letters
from include.pipeline.run import Summary, said
from include.settings import settings
from include.state import store
from include.warehouse import partition, publication
from include.warehouse.database import open_warehouse


def publish_copy() -> Summary:
    with open_warehouse() as connection:
        step_times.take_in(connection)
    return said(published=str(publication.publish(settings().warehouse, settings().published, store.of(settings()))))


def write_pages(partition_key: str | None) -> Summary:
    day = partition.day(partition_key)
    with publication.open_copy(settings().published) as connection:
        changed = site.write_site(connection, settings().site, settings().site_url, since=day)
    return said(pages_changed=changed)


def send_mail(partition_key: str | None, wanted: bool) -> Summary:
    """Sends the digest to whoever has not had it and is due for it, and brings the ledger into the analysts' copy."""
    day = partition.day(partition_key)
    if not wanted:
        return said(sent=0, reason="no delivery was asked for")
    with publication.open_copy(settings().published) as connection:
        today = reading.read_digest(connection, day)
    if not (today.episodes_read or today.left_out or today.made_up):
        return said(sent=0, reason="no feed had a new episode that day")
    readers = recipients.read(settings().recipients)
    transport = transport_from_airflow(settings().outbox)
    state = store.of(settings())
    try:
        outcomes = sending.deliver(state, day, readers, settings().sender, transport, letters(day))
    finally:
        publication.publish_ledger(settings().published, state)
    return said(**{state: sum(o.state == state for o in outcomes) for state in ("sent", "scheduled", "failed")})


def document_tables() -> Summary:
    return said(written=table_docs.write_table_docs(settings().dbt_docs))
