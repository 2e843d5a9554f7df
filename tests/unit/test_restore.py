"""Going back to a backup, whatever database keeps the state: what was sent since is not sent again."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select

from include.settings import settings
from include.state import store
from include.state.tables import deliveries, llm_calls, metadata, sent_insights
from include.upkeep import backup, restore
from include.warehouse.database import append, open_warehouse
from tests.postgres import needs_postgres

TODAY = datetime.now(UTC).date()
EARLIER, LATER = TODAY - timedelta(days=2), TODAY - timedelta(days=1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def kept(request, data_dir, monkeypatch):
    """A state with a mail that was sent and one that waits, in a backup; since then the latter was sent as well."""
    if request.param == "postgresql":
        monkeypatch.setenv("PODCAST_STATE_URL", request.getfixturevalue("postgres_url"))
    monkeypatch.setenv("PODCAST_RECIPIENTS", "ann@example.org, ben@example.org")
    settings.cache_clear()
    with open_warehouse() as connection:
        append(connection, "raw.days_to_derive", [{"model": "then"}])
    put(EARLIER, "ann@example.org", "sent")
    put(EARLIER, "ben@example.org", "deferred")
    made = backup.back_up(settings())
    put(EARLIER, "ben@example.org", "sent")
    put(LATER, "ann@example.org", "sent")
    put(LATER, "ben@example.org", "scheduled")
    with open_warehouse() as connection:
        append(connection, "raw.days_to_derive", [{"model": "since"}])
    yield made
    store.of(settings()).close()


def put(day: date, recipient: str, status: str) -> None:
    state = store.of(settings())
    row = {"digest_date": day, "recipient": recipient, "status": status, "changed_at": store.now()}
    with state.writing() as connection:
        state.upsert(connection, deliveries, row)
        if status == "sent":
            told = {"digest_date": day, "recipient": recipient, "rank": 1, "claim_id": "c1", "theme_id": "t1"}
            connection.execute(insert(sent_insights), [told])
            call = {"call_key": f"{day} {recipient}", "status": "ok", "answer": "paid", "changed_at": store.now()}
            connection.execute(insert(llm_calls), [call])


def mails() -> dict[tuple[date, str], str]:
    with store.of(settings()).reading() as connection:
        rows = connection.execute(select(deliveries.c.digest_date, deliveries.c.recipient, deliveries.c.status))
        return {(day, recipient.partition("@")[0]): status for day, recipient, status in rows}


def test_a_state_that_can_be_read_keeps_what_was_sent_and_paid_since(kept):
    done = restore.restore(kept.folder, settings())

    assert done.state_was_kept
    assert mails() == {(EARLIER, "ann"): "sent", (EARLIER, "ben"): "sent", (LATER, "ann"): "sent"}
    with store.of(settings()).reading() as connection:
        assert len(connection.execute(select(llm_calls)).all()) == 3
    with open_warehouse() as connection:
        assert connection.execute("select model from raw.days_to_derive").fetchall() == [("then",)]


def test_where_the_state_was_lost_nothing_leaves_by_itself_that_may_have_been_sent(kept):
    with store.of(settings()).writing() as connection:
        for table in metadata.sorted_tables:
            connection.execute(delete(table))

    done = restore.restore(kept.folder, settings())

    assert not done.state_was_kept
    withheld = {(day, name): "withdrawn" for day in (LATER,) for name in ("ann", "ben")}
    assert mails() == {(EARLIER, "ann"): "sent", (EARLIER, "ben"): "withdrawn"} | withheld
    assert done.withheld == 3
    with store.of(settings()).reading() as connection:
        assert len(connection.execute(select(sent_insights)).all()) == 1


def test_a_restoration_may_be_done_again(kept):
    first = restore.restore(kept.folder, settings(), datetime.now(UTC))
    again = restore.restore(kept.folder, settings(), datetime.now(UTC) + timedelta(minutes=1))

    assert (first.state_was_kept, again.state_was_kept) == (True, True)
    assert mails()[LATER, "ann"] == "sent"


def test_a_state_that_cannot_be_reached_is_told_before_anything_is_changed(data_dir, monkeypatch):
    with open_warehouse():
        pass
    made = backup.back_up(settings())
    before = settings().warehouse.read_bytes()
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.1)
    monkeypatch.setenv("PODCAST_STATE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    settings.cache_clear()
    monkeypatch.setattr(store._connected.retry, "stop", lambda _: True)
    monkeypatch.setattr(store.Store._version.retry, "stop", lambda _: True)

    with pytest.raises(backup.BackupFailed, match="cannot be reached"):
        restore.restore(made.folder, settings())

    assert settings().warehouse.read_bytes() == before
