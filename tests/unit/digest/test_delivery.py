"""A digest goes to each recipient once, whatever the mail server does and wherever a run stops."""

import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import duckdb
import pytest
from aiosmtpd.controller import Controller
from invented_days import FULL, SHORT
from sqlalchemy import select, text, update

from include.delivery.__main__ import main
from include.delivery.ledger import Told, begin, due, give_up, settle
from include.delivery.mail import Letter, compose, message_id
from include.delivery.outcome import Delivery
from include.delivery.sending import DeliveryError, deliver, deliver_due, send
from include.delivery.transports import Outbox, Smtp, transport_from_airflow
from include.digest.reading import read_digest
from include.digest.recipients import Recipient
from include.pipeline import deliver_digests, publish_digest
from include.state import store
from include.state.store import Store
from include.state.tables import deliveries, sent_insights
from include.warehouse.database import records
from include.warehouse.publication import open_copy, publish
from tests.chain import environment

SENDER = "Podcast Insights <insights@example.com>"
ANN, BO = Recipient("ann@example.com"), Recipient("bo@example.com")
EARLY = Recipient("early@example.com", time_zone="Europe/Lisbon", send_hour=7)
LATER = Recipient("later@example.com", time_zone="Europe/Lisbon", send_hour=8)
DUE = datetime(2026, 1, 15, 7, tzinfo=UTC)
BEFORE = DUE - timedelta(minutes=1)
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


@contextmanager
def serving(mailboxes: Mailboxes, **settings) -> Iterator[Smtp]:
    """What sends to these mailboxes, while a server has them."""
    controller = Controller(mailboxes, hostname="127.0.0.1", port=free_port(), **settings)
    controller.start()
    mailboxes.port = controller.port
    yield Smtp(lambda: smtplib.SMTP("127.0.0.1", controller.port, timeout=60))
    controller.stop()


@pytest.fixture
def mailboxes() -> Iterator[Mailboxes]:
    opened = Mailboxes()
    with serving(opened):
        yield opened


@pytest.fixture
def smtp(mailboxes: Mailboxes) -> Smtp:
    return Smtp(lambda: smtplib.SMTP("127.0.0.1", mailboxes.port, timeout=60))


@pytest.fixture
def mail_of(warehouse: Warehouse) -> Callable:
    with warehouse() as connection:
        digest = read_digest(connection, FULL)
    return lambda recipient, told: Letter(compose(digest, recipient, SENDER), digest.insights)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def begun(state: Store, recipient: Recipient, transport, now: datetime | None = None) -> Delivery:
    """The mail of a run that gets no further than to say that it is about to send it."""
    delivery = Delivery(FULL, recipient.address, message_id(FULL, recipient.address, SENDER))
    begin(state, delivery, recipient.due_at(FULL), transport.channel, now)
    return delivery


def ledger(state: Store) -> dict[str, tuple]:
    with state.reading() as connection:
        rows = connection.execute(text("select recipient, status, channel, error from deliveries order by recipient"))
        return {row.recipient: (row.status, row.channel, row.error) for row in rows}


def test_each_recipient_gets_a_mail_of_their_own_and_the_ledger_says_so(state, smtp, mailboxes, mail_of):
    deliver(state, FULL, [ANN, BO], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com", "bo@example.com"]
    first = mailboxes.taken[0][1]
    assert first["To"] == "ann@example.com"
    assert first["Date"] is not None
    assert "Empty containers" in first["Subject"]
    assert ledger(state) == {
        "ann@example.com": ("sent", "smtp", None),
        "bo@example.com": ("sent", "smtp", None),
    }


def test_a_second_run_sends_nothing(state, smtp, mailboxes, mail_of):
    for _ in range(2):
        deliver(state, FULL, [ANN], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com"]


def test_a_recipient_added_later_gets_the_digest_alone(state, smtp, mailboxes, mail_of):
    deliver(state, FULL, [ANN], SENDER, smtp, mail_of)
    deliver(state, FULL, [ANN, BO], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com", "bo@example.com"]


def test_a_refused_recipient_is_recorded_with_the_reason_and_stops_nobody(state, smtp, mailboxes, mail_of):
    mailboxes.refuse = {"ann@example.com": "550 no such mailbox"}

    deliver(state, FULL, [ANN, BO], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["bo@example.com"]
    assert ledger(state)["ann@example.com"] == ("failed", "smtp", "refused: 550 no such mailbox")
    assert ledger(state)["bo@example.com"][0] == "sent"


def test_nothing_that_is_published_holds_a_recipients_address_or_lets_one_be_guessed(
    state, warehouse_file, smtp, mailboxes, mail_of, tmp_path
):
    mailboxes.refuse = {ANN.address: "550 5.1.1 <Ann@Example.com>: user ann unknown, said insights@example.com"}
    deliver(state, FULL, [ANN, BO, Recipient("carolin")], SENDER, smtp, mail_of)
    publish(warehouse_file, tmp_path / "copy.duckdb", state)

    with open_copy(tmp_path / "copy.duckdb") as copy:
        rows = records(copy, "select * from ops.deliveries order by recipient")
        told = records(copy, "from ops.sent_insights")
    assert [row["recipient"] for row in rows] == ["a***@example.com", "b***@example.com", "c***"]
    assert rows[0]["error"] == "refused: 550 5.1.1 <…>: user … unknown, said …"
    assert {row["message_id"] for row in rows} == {None}
    assert told
    for said in (str(rows).lower(), str(told).lower()):
        assert not any(name in said for name in ("ann@", " ann ", "bo@", "carolin"))


def test_a_recipient_refused_for_good_is_not_tried_again(state, smtp, mailboxes, mail_of):
    mailboxes.refuse = {"ann@example.com": "550 no such mailbox"}
    deliver(state, FULL, [ANN], SENDER, smtp, mail_of)
    mailboxes.refuse = {}

    assert deliver(state, FULL, [ANN], SENDER, smtp, mail_of) == []
    assert mailboxes.taken == []


def test_something_that_is_no_address_fails_alone(state, smtp, mailboxes, mail_of):
    deliver(state, FULL, [Recipient("ann"), BO], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["bo@example.com"]
    status, _, error = ledger(state)["ann"]
    assert status == "failed"
    assert "no mail address" in error


@pytest.mark.parametrize("offered", [True, False])
def test_an_address_beyond_ascii_is_sent_to_where_the_server_can_and_else_fails_at_once(state, mail_of, offered):
    mailboxes = Mailboxes()
    with serving(mailboxes, enable_SMTPUTF8=offered) as smtp:
        readers = [Recipient(address) for address in ("ann@xn--mller-kva.example", "jürgen@example.com", ANN.address)]
        deliver(state, FULL, readers, SENDER, smtp, mail_of)

    assert mailboxes.recipients() == [r.address for r in readers if offered or r.address.isascii()]
    status, _, error = ledger(state)["jürgen@example.com"]
    assert (status, error and "offers no SMTPUTF8" in error) == (("sent", None) if offered else ("failed", True))


def test_a_setting_that_is_wrong_fails_no_recipient_for_good(state, warehouse, smtp, mailboxes, mail_of):
    with warehouse() as connection:
        digest = read_digest(connection, FULL)
    with pytest.raises(DeliveryError, match="PODCAST_SENDER cannot be used"):
        deliver(state, FULL, [ANN], "insights", smtp, lambda to, told: Letter(compose(digest, to, "insights")))

    deliver(state, FULL, [ANN], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == [ANN.address]


def test_a_passing_refusal_is_said_and_a_later_run_sends(state, smtp, mailboxes, mail_of):
    mailboxes.refuse = {"ann@example.com": "451 try again later"}
    with pytest.raises(DeliveryError, match=r"not sent to ann@example.com: refused: 451 try again later"):
        deliver(state, FULL, [ANN, BO], SENDER, smtp, mail_of)
    mailboxes.refuse = {}

    deliver(state, FULL, [ANN, BO], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["bo@example.com", "ann@example.com"]
    assert {status for status, _, _ in ledger(state).values()} == {"sent"}


def test_with_the_server_down_nothing_counts_as_sent_and_a_later_run_sends(state, smtp, mailboxes, mail_of):
    nobody = Smtp(lambda: smtplib.SMTP("127.0.0.1", free_port(), timeout=60))
    with pytest.raises(DeliveryError, match="no connection to the mail server"):
        deliver(state, FULL, [ANN], SENDER, nobody, mail_of)
    assert ledger(state)["ann@example.com"][0] == "deferred"

    deliver(state, FULL, [ANN], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com"]


def test_a_connection_that_breaks_after_the_mail_was_handed_over_is_never_sent_again_by_itself(
    state, smtp, mailboxes, mail_of
):
    mailboxes.break_after_data = True
    with pytest.raises(DeliveryError, match="not known whether"):
        deliver(state, FULL, [ANN], SENDER, smtp, mail_of)
    mailboxes.break_after_data = False
    with pytest.raises(DeliveryError) as caught:
        deliver(state, FULL, [ANN, BO], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com", "bo@example.com"]
    assert mailboxes.taken[0][1]["Message-ID"] in str(caught.value)
    assert f"python -m include.delivery {FULL} ann@example.com arrived" in str(caught.value)
    assert ledger(state)["ann@example.com"][0] == "pending"


def test_a_run_killed_between_sending_and_recording_sends_nothing_again(state, smtp, mailboxes, mail_of):
    delivery = begun(state, ANN, smtp)
    send(delivery, ANN, frozenset(), smtp, mail_of)

    with pytest.raises(DeliveryError, match="an earlier run stopped while it was being sent"):
        deliver(state, FULL, [ANN], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["ann@example.com"]


@pytest.mark.parametrize(("arrived", "mails"), [(True, 0), (False, 1)])
def test_what_a_person_found_out_settles_an_undecided_mail(state, smtp, mailboxes, mail_of, arrived, mails):
    begun(state, ANN, smtp)
    settle(state, FULL, "ann@example.com", arrived)

    deliver(state, FULL, [ANN], SENDER, smtp, mail_of)

    assert len(mailboxes.taken) == mails
    assert ledger(state)["ann@example.com"][0] == "sent"


def test_a_mail_that_arrived_from_a_killed_run_counts_as_having_told_the_days_five(state, smtp, mailboxes, mail_of):
    known = []
    send(begun(state, ANN, smtp), ANN, frozenset(), smtp, mail_of)
    settle(state, FULL, ANN.address, arrived=True, five=[Told(n, f"c{n}", f"t{n}") for n in range(1, 6)])

    deliver(state, SHORT, [ANN], SENDER, smtp, lambda to, told: known.append(told) or mail_of(to, told))

    assert known == [{"t1", "t2", "t3", "t4", "t5"}]


def test_a_mail_is_settled_by_a_command_also_where_nothing_was_published_yet(data_dir, smtp, capsys):
    begun(store.at(data_dir), ANN, smtp)
    arrived = [FULL.isoformat(), ANN.address, "arrived"]

    assert main(arrived) == 0
    assert ledger(store.at(data_dir))[ANN.address][0] == "sent"
    assert main(arrived) == 1
    assert "has been sent" in capsys.readouterr().err


def test_a_mail_that_was_sent_cannot_be_settled_otherwise(state, smtp, mail_of):
    deliver(state, FULL, [ANN], SENDER, smtp, mail_of)

    with pytest.raises(LookupError, match="has been sent"):
        settle(state, FULL, "ann@example.com", arrived=False)


def test_nothing_is_held_while_the_mail_server_is_talked_to_and_the_mail_is_pending(state, mailboxes, mail_of):
    seen = []

    def connect() -> smtplib.SMTP:
        with state.writing():
            seen.append(ledger(state)[ANN.address][0])
        return smtplib.SMTP("127.0.0.1", mailboxes.port, timeout=5)

    deliver(state, FULL, [ANN], SENDER, Smtp(connect), mail_of)

    assert seen == ["pending"]


def test_of_twenty_processes_one_sends_each_mail_and_the_others_say_nothing(state, smtp, mailboxes, mail_of, together):
    together(lambda _: deliver(state, FULL, [ANN, BO], SENDER, smtp, mail_of) and None)

    assert sorted(mailboxes.recipients()) == [ANN.address, BO.address]
    assert {status for status, *_ in ledger(state).values()} == {"sent"}


def test_a_mail_that_could_not_be_written_is_not_in_doubt_and_stops_nobody(state, smtp, mailboxes, mail_of):
    def broken_for_ann(recipient, told):
        if recipient == ANN:
            raise LookupError("the claim c3 is gone")
        return mail_of(recipient, told)

    with pytest.raises(DeliveryError, match="could not be written: LookupError: the claim c3 is gone"):
        deliver(state, FULL, [ANN, BO], SENDER, smtp, broken_for_ann)
    deliver(state, FULL, [ANN, BO], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["bo@example.com", "ann@example.com"]


def test_what_a_mail_told_is_kept_and_the_next_mail_knows_it(state, smtp, mailboxes, mail_of):
    seen = {}

    def keeping(day):
        def write(recipient, told):
            seen[day, recipient.address] = told
            return mail_of(recipient, told)

        return write

    deliver(state, FULL, [ANN], SENDER, smtp, keeping(FULL))
    for day in (SHORT, FULL + timedelta(days=14), FULL + timedelta(days=30)):
        deliver(state, day, [ANN, BO], SENDER, smtp, keeping(day))

    five = {"t1", "t2", "t3", "t4", "t5"}
    assert seen[FULL, ANN.address] == frozenset()
    assert seen[SHORT, ANN.address] == five
    assert seen[SHORT, BO.address] == frozenset()
    assert seen[FULL + timedelta(days=14), ANN.address] == five
    assert seen[FULL + timedelta(days=30), ANN.address] == frozenset()
    with state.reading() as connection:
        kept = connection.execute(select(sent_insights).filter_by(digest_date=FULL).order_by(sent_insights.c.rank))
        told = [(row.rank, row.claim_id, row.recipient) for row in kept]
    assert told == [(rank, f"c{rank}", ANN.address) for rank in range(1, 6)]


def test_a_mail_with_a_send_hour_waits_for_it_and_is_then_sent_once(state, smtp, mailboxes, mail_of):
    deliver(state, FULL, [EARLY, BO], SENDER, smtp, mail_of, BEFORE)
    assert mailboxes.recipients() == ["bo@example.com"]
    assert ledger(state)["early@example.com"][0] == "scheduled"
    assert (due(state, BEFORE), due(state, DUE)) == ([], [(FULL, "early@example.com")])

    for moment in (BEFORE, DUE, DUE + timedelta(minutes=15)):
        deliver_due(state, [EARLY, BO], SENDER, smtp, lambda day: mail_of, moment)

    assert mailboxes.recipients() == ["bo@example.com", "early@example.com"]
    assert ledger(state)["early@example.com"][0] == "sent"


def test_a_digest_that_is_ready_after_the_send_hour_is_sent_at_once_however_late(state, smtp, mailboxes, mail_of):
    deliver(state, FULL, [EARLY], SENDER, smtp, mail_of, DUE + timedelta(days=20))

    assert mailboxes.recipients() == ["early@example.com"]


def test_what_the_server_did_not_take_is_sent_by_the_next_round(state, smtp, mailboxes, mail_of):
    mailboxes.refuse = {"ann@example.com": "451 try again later"}
    with pytest.raises(DeliveryError):
        deliver(state, FULL, [ANN], SENDER, smtp, mail_of, DUE)
    mailboxes.refuse = {}

    deliver_due(state, [ANN], SENDER, smtp, lambda day: mail_of, DUE + timedelta(minutes=15))

    assert mailboxes.recipients() == ["ann@example.com"]


def test_a_round_tells_of_a_mail_in_doubt_for_a_day_serves_the_others_and_never_sends_it(
    state, smtp, mailboxes, mail_of
):
    deliver(state, FULL, [EARLY], SENDER, smtp, mail_of, BEFORE)
    deliver(state, FULL, [LATER], SENDER, smtp, mail_of, BEFORE)
    begun(state, EARLY, smtp, DUE)

    with pytest.raises(DeliveryError, match=r"not known whether the digest of 2026-01-14 reached early@example\.com"):
        deliver_due(state, [EARLY, LATER], SENDER, smtp, lambda day: mail_of, DUE + timedelta(hours=2))
    deliver_due(state, [EARLY, LATER], SENDER, smtp, lambda day: mail_of, DUE + timedelta(days=3))

    assert mailboxes.recipients() == ["later@example.com"]
    assert ledger(state)["early@example.com"][0] == "pending"


def test_what_is_a_day_late_is_given_up_and_one_who_left_gets_nothing(state, smtp, mailboxes, mail_of):
    deliver(state, FULL, [EARLY, LATER], SENDER, smtp, mail_of, BEFORE)
    assert give_up(state, [EARLY, LATER], DUE + timedelta(hours=24)) == []
    (missed,) = give_up(state, [EARLY], DUE + timedelta(hours=25))
    deliver_due(state, [EARLY, LATER], SENDER, smtp, lambda day: mail_of, DUE + timedelta(hours=25))

    assert (missed.day, missed.recipient) == (FULL, "early@example.com")
    assert mailboxes.taken == []
    assert {address: row[0] for address, row in ledger(state).items()} == {
        "early@example.com": "missed",
        "later@example.com": "withdrawn",
    }


def test_a_missed_mail_is_sent_where_a_person_wants_it(state, smtp, mailboxes, mail_of):
    deliver(state, FULL, [EARLY], SENDER, smtp, mail_of, BEFORE)
    give_up(state, [EARLY], DUE + timedelta(days=2))
    settle(state, FULL, EARLY.address, arrived=False)
    assert give_up(state, [EARLY]) == []
    deliver_due(state, [EARLY], SENDER, smtp, lambda day: mail_of)

    assert mailboxes.recipients() == ["early@example.com"]


def test_a_ledger_of_an_older_version_goes_on_working(tmp_path, smtp, mailboxes, mail_of):
    folder = tmp_path / "old"
    folder.mkdir()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as old:
        old.execute(
            """
            create schema ops;
            create table ops.deliveries (
                digest_date date, recipient varchar, status varchar, channel varchar, message_id varchar,
                pending_at timestamp, sent_at timestamp, error varchar, primary key (digest_date, recipient)
            );
            insert into ops.deliveries (digest_date, recipient, status, channel) values
                ('2026-01-14', 'ann@example.com', 'sent', 'smtp'), ('2026-01-14', 'bo@example.com', 'deferred', 'smtp')
            """
        )
    deliver(store.at(folder), FULL, [ANN, BO], SENDER, smtp, mail_of)

    assert mailboxes.recipients() == ["bo@example.com"]


@pytest.fixture
def airflow_home(tmp_path, monkeypatch):
    """Airflow reads its home once a process; where it has been read already, this changes nothing."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT", raising=False)


@pytest.mark.usefixtures("airflow_home")
def test_without_an_airflow_connection_mails_go_to_the_outbox(tmp_path):
    assert transport_from_airflow(tmp_path) == Outbox(tmp_path)


@pytest.mark.usefixtures("airflow_home")
def test_mails_leave_through_the_airflow_connection(state, mailboxes, mail_of, tmp_path, monkeypatch):
    connection = f"smtp://127.0.0.1:{mailboxes.port}/?disable_ssl=true&disable_tls=true"
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", connection)

    deliver(state, FULL, [ANN], SENDER, transport_from_airflow(tmp_path), mail_of)

    assert mailboxes.recipients() == ["ann@example.com"]
    assert ledger(state)["ann@example.com"][0] == "sent"


def test_the_outbox_gets_one_whole_file_a_recipient(state, mail_of, tmp_path):
    outbox = Outbox(tmp_path / "outbox")

    deliver(state, FULL, [ANN, Recipient("bo/x@example.com")], SENDER, outbox, mail_of)

    names = sorted(file.name for file in outbox.folder.iterdir())
    assert names == ["2026-01-14-ann@example.com.eml", "2026-01-14-bo%2Fx@example.com.eml"]
    message = message_from_bytes((outbox.folder / names[0]).read_bytes(), policy=policy.default)
    assert message["To"] == "ann@example.com"
    assert ledger(state)["ann@example.com"] == ("sent", "outbox", None)


def test_an_outbox_file_that_a_killed_run_did_not_record_is_written_again(state, mail_of, tmp_path):
    outbox = Outbox(tmp_path / "outbox")
    delivery = begun(state, ANN, outbox)
    send(delivery, ANN, frozenset(), outbox, mail_of)

    deliver(state, FULL, [ANN], SENDER, outbox, mail_of)

    assert [file.name for file in outbox.folder.iterdir()] == ["2026-01-14-ann@example.com.eml"]
    assert ledger(state)["ann@example.com"][0] == "sent"


@pytest.mark.usefixtures("airflow_home")
def test_the_steps_send_to_each_reader_their_own_and_tell_of_what_came_too_late(warehouse_file, tmp_path):
    state = store.at(tmp_path)
    (tmp_path / "recipients.toml").write_text(
        """
        [[recipient]]
        address = "now@example.com"
        muted_shows = ["Harbour Lines"]
        [[recipient]]
        address = "early@example.com"
        [[recipient]]
        address = "later@example.com"
        """
    )
    with environment(tmp_path, PODCAST_SENDER=SENDER, PODCAST_RECIPIENTS=str(tmp_path / "recipients.toml")):
        publish_digest.publish_copy()
        assert not deliver_digests.mail_is_due()
        for late, hours in ((EARLY, 1), (LATER, 25)):
            begun(state, late, Outbox(tmp_path / "outbox"), BEFORE)
            with state.writing() as connection:
                due_at = store.now() - timedelta(hours=hours)
                connection.execute(update(deliveries).filter_by(recipient=late.address).values(due_at=due_at))
        assert deliver_digests.mail_is_due()

        assert deliver_digests.send_due_mail() == {"sent": 1, "failed": 0, "missed": 1}
        assert publish_digest.send_mail(FULL.isoformat(), wanted=True) == {"sent": 1, "scheduled": 0, "failed": 0}
        assert not deliver_digests.mail_is_due()

    now, early = (
        message_from_bytes(
            (tmp_path / "outbox" / f"2026-01-14-{name}@example.com.eml").read_bytes(), policy=policy.default
        )
        for name in ("now", "early")
    )
    assert early["Subject"].startswith("Empty containers")
    assert now["Subject"].startswith("A bakery closed on Mondays")
    assert {address: status for address, (status, *_) in ledger(state).items()} == {
        "now@example.com": "sent",
        "early@example.com": "sent",
        "later@example.com": "missed",
    }
    with open_copy(tmp_path / "published" / "podcasts.duckdb") as copy:
        shown = records(copy, "select recipient, status from ops.deliveries order by recipient")
        assert records(copy, "select mails from ops.runs where partition_date = $day", {"day": FULL}) == [{"mails": 2}]
    assert [tuple(row.values()) for row in shown] == [
        ("e***@example.com", "sent"), ("l***@example.com", "missed"), ("n***@example.com", "sent")
    ]  # fmt: skip
    alert = (tmp_path / "alerts" / "missed-mail.txt").read_text()
    assert "python -m include.delivery 2026-01-14 later@example.com lost" in alert
