"""A digest goes to each recipient once, whatever the mail server does and wherever a run stops."""

import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from email import message_from_bytes, policy

import duckdb
import pytest
from aiosmtpd.controller import Controller
from invented_days import FULL

from include.delivery import (
    DeliveryError,
    Outbox,
    Outcome,
    Smtp,
    deliver,
    plan,
    record,
    send,
    settle,
    transport_from_airflow,
)
from include.digest import read_digest
from include.mail import compose
from include.warehouse import records

SENDER = "Podcast Insights <insights@example.com>"
Warehouse = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


class Mailboxes:
    """A mail server that keeps what it takes and can be told to misbehave."""

    def __init__(self):
        self.taken: list = []
        self.refuse: dict[str, str] = {}
        self.break_after_data = False

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.taken.append((envelope.rcpt_tos[0], message_from_bytes(envelope.content, policy=policy.default)))
        if self.break_after_data:
            server.transport.abort()
        return "250 taken"

    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.taken]


@pytest.fixture
def mailboxes() -> Iterator[Mailboxes]:
    handler = Mailboxes()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    handler.port = controller.port
    yield handler
    controller.stop()


@pytest.fixture
def smtp(mailboxes: Mailboxes) -> Smtp:
    return Smtp(lambda: smtplib.SMTP("127.0.0.1", mailboxes.port, timeout=5))


@pytest.fixture
def mail_of(warehouse: Warehouse) -> Callable:
    with warehouse() as connection:
        digest = read_digest(connection, FULL)
    return lambda recipient: compose(digest, recipient, SENDER)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ledger(warehouse: Warehouse) -> dict[str, tuple]:
    with warehouse() as connection:
        rows = records(connection, "select * from ops.deliveries order by recipient")
    return {row["recipient"]: (row["status"], row["channel"], row["error"]) for row in rows}


def test_each_recipient_gets_a_mail_of_their_own_and_the_ledger_says_so(warehouse, smtp, mailboxes, mail_of):
    deliver(warehouse, FULL, ["ann@example.com", "bo@example.com"], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com", "bo@example.com"]
    first = mailboxes.taken[0][1]
    assert first["To"] == "ann@example.com"
    assert first["Date"] is not None
    assert "Empty containers" in first["Subject"]
    assert ledger(warehouse) == {
        "ann@example.com": ("sent", "smtp", None),
        "bo@example.com": ("sent", "smtp", None),
    }


def test_a_second_run_sends_nothing(warehouse, smtp, mailboxes, mail_of):
    for _ in range(2):
        deliver(warehouse, FULL, ["ann@example.com"], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com"]


def test_one_mailbox_spelt_twice_gets_one_mail(warehouse, smtp, mailboxes, mail_of):
    deliver(warehouse, FULL, ["ann@example.com", " Ann@Example.com"], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com"]


def test_a_recipient_added_later_gets_the_digest_alone(warehouse, smtp, mailboxes, mail_of):
    deliver(warehouse, FULL, ["ann@example.com"], SENDER, smtp, mail_of)
    deliver(warehouse, FULL, ["ann@example.com", "bo@example.com"], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com", "bo@example.com"]


def test_a_refused_recipient_is_recorded_with_the_reason_and_stops_nobody(warehouse, smtp, mailboxes, mail_of):
    mailboxes.refuse = {"ann@example.com": "550 no such mailbox"}

    deliver(warehouse, FULL, ["ann@example.com", "bo@example.com"], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["bo@example.com"]
    assert ledger(warehouse)["ann@example.com"] == ("failed", "smtp", "refused: 550 no such mailbox")
    assert ledger(warehouse)["bo@example.com"][0] == "sent"


def test_a_recipient_refused_for_good_is_not_tried_again(warehouse, smtp, mailboxes, mail_of):
    mailboxes.refuse = {"ann@example.com": "550 no such mailbox"}
    deliver(warehouse, FULL, ["ann@example.com"], SENDER, smtp, mail_of)
    mailboxes.refuse = {}

    assert deliver(warehouse, FULL, ["ann@example.com"], SENDER, smtp, mail_of) == []
    assert mailboxes.taken == []


def test_something_that_is_no_address_fails_alone(warehouse, smtp, mailboxes, mail_of):
    deliver(warehouse, FULL, ["ann", "bo@example.com"], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["bo@example.com"]
    status, _, error = ledger(warehouse)["ann"]
    assert status == "failed"
    assert "no mail address" in error


def test_a_passing_refusal_is_said_and_a_later_run_sends(warehouse, smtp, mailboxes, mail_of):
    mailboxes.refuse = {"ann@example.com": "451 try again later"}
    with pytest.raises(DeliveryError, match=r"not sent to ann@example.com: refused: 451 try again later"):
        deliver(warehouse, FULL, ["ann@example.com", "bo@example.com"], SENDER, smtp, mail_of)
    mailboxes.refuse = {}

    deliver(warehouse, FULL, ["ann@example.com", "bo@example.com"], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["bo@example.com", "ann@example.com"]
    assert {status for status, _, _ in ledger(warehouse).values()} == {"sent"}


def test_with_the_server_down_nothing_counts_as_sent_and_a_later_run_sends(warehouse, smtp, mailboxes, mail_of):
    nobody = Smtp(lambda: smtplib.SMTP("127.0.0.1", free_port(), timeout=5))
    with pytest.raises(DeliveryError, match="no connection to the mail server"):
        deliver(warehouse, FULL, ["ann@example.com"], SENDER, nobody, mail_of)
    assert ledger(warehouse)["ann@example.com"][0] == "deferred"

    deliver(warehouse, FULL, ["ann@example.com"], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com"]


def test_a_connection_that_breaks_after_the_mail_was_handed_over_is_never_sent_again_by_itself(
    warehouse, smtp, mailboxes, mail_of
):
    mailboxes.break_after_data = True
    with pytest.raises(DeliveryError, match="not known whether"):
        deliver(warehouse, FULL, ["ann@example.com"], SENDER, smtp, mail_of)
    mailboxes.break_after_data = False
    with pytest.raises(DeliveryError) as caught:
        deliver(warehouse, FULL, ["ann@example.com", "bo@example.com"], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com", "bo@example.com"]
    assert mailboxes.taken[0][1]["Message-ID"] in str(caught.value)
    assert f"python -m include.delivery {FULL} ann@example.com arrived" in str(caught.value)
    assert ledger(warehouse)["ann@example.com"][0] == "pending"


def test_a_run_killed_between_sending_and_recording_sends_nothing_again(warehouse, smtp, mailboxes, mail_of):
    with warehouse() as connection:
        planned = plan(connection, FULL, ["ann@example.com"], SENDER, smtp)
    send(planned, smtp, mail_of)

    with pytest.raises(DeliveryError, match="an earlier run stopped while it was being sent"):
        deliver(warehouse, FULL, ["ann@example.com"], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com"]


@pytest.mark.parametrize(("arrived", "mails"), [(True, 0), (False, 1)])
def test_what_a_person_found_out_settles_an_undecided_mail(warehouse, smtp, mailboxes, mail_of, arrived, mails):
    with warehouse() as connection:
        plan(connection, FULL, ["ann@example.com"], SENDER, smtp)
        settle(connection, FULL, "ann@example.com", arrived)

    deliver(warehouse, FULL, ["ann@example.com"], SENDER, smtp, mail_of)

    assert len(mailboxes.taken) == mails
    assert ledger(warehouse)["ann@example.com"][0] == "sent"


def test_a_mail_that_was_sent_cannot_be_settled_otherwise(warehouse, smtp, mail_of):
    deliver(warehouse, FULL, ["ann@example.com"], SENDER, smtp, mail_of)

    with warehouse() as connection, pytest.raises(LookupError, match="has been sent"):
        settle(connection, FULL, "ann@example.com", arrived=False)


def test_the_warehouse_is_closed_while_the_mail_server_is_talked_to(warehouse, mailboxes, mail_of):
    seen = []

    def connect() -> smtplib.SMTP:
        with warehouse() as connection:
            seen.append(records(connection, "select status from ops.deliveries"))
        return smtplib.SMTP("127.0.0.1", mailboxes.port, timeout=5)

    deliver(warehouse, FULL, ["ann@example.com"], SENDER, Smtp(connect), mail_of)

    assert seen == [[{"status": "pending"}]]


@pytest.fixture
def airflow_home(tmp_path, monkeypatch):
    """Airflow reads its home once a process; where it has been read already, this changes nothing."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT", raising=False)


@pytest.mark.usefixtures("airflow_home")
def test_without_an_airflow_connection_mails_go_to_the_outbox(tmp_path):
    assert transport_from_airflow(tmp_path) == Outbox(tmp_path)


@pytest.mark.usefixtures("airflow_home")
def test_mails_leave_through_the_airflow_connection(warehouse, mailboxes, mail_of, tmp_path, monkeypatch):
    connection = f"smtp://127.0.0.1:{mailboxes.port}/?disable_ssl=true&disable_tls=true"
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", connection)

    deliver(warehouse, FULL, ["ann@example.com"], SENDER, transport_from_airflow(tmp_path), mail_of)

    assert mailboxes.recipients() == ["ann@example.com"]
    assert ledger(warehouse)["ann@example.com"][0] == "sent"


def test_the_outbox_gets_one_whole_file_a_recipient(warehouse, mail_of, tmp_path):
    outbox = Outbox(tmp_path / "outbox")

    deliver(warehouse, FULL, ["ann@example.com", "bo/x@example.com"], SENDER, outbox, mail_of)

    names = sorted(file.name for file in outbox.folder.iterdir())
    assert names == ["2026-01-14-ann@example.com.eml", "2026-01-14-bo%2Fx@example.com.eml"]
    message = message_from_bytes((outbox.folder / names[0]).read_bytes(), policy=policy.default)
    assert message["To"] == "ann@example.com"
    assert ledger(warehouse)["ann@example.com"] == ("sent", "outbox", None)


def test_an_outbox_file_that_a_killed_run_did_not_record_is_written_again(warehouse, mail_of, tmp_path):
    outbox = Outbox(tmp_path / "outbox")
    with warehouse() as connection:
        planned = plan(connection, FULL, ["ann@example.com"], SENDER, outbox)
    send(planned, outbox, mail_of)

    deliver(warehouse, FULL, ["ann@example.com"], SENDER, outbox, mail_of)

    assert [file.name for file in outbox.folder.iterdir()] == ["2026-01-14-ann@example.com.eml"]
    assert ledger(warehouse)["ann@example.com"][0] == "sent"


def test_outcomes_are_recorded_together(warehouse, smtp):
    with warehouse() as connection:
        planned = plan(connection, FULL, ["ann@example.com", "bo@example.com"], SENDER, smtp)
        ann, bo = planned.to_send
        record(connection, [Outcome(ann, "sent"), Outcome(bo, "failed", "refused: 550")])

    assert ledger(warehouse) == {
        "ann@example.com": ("sent", "smtp", None),
        "bo@example.com": ("failed", "smtp", "refused: 550"),
    }
