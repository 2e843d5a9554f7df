"""Whatever became of earlier mails, the next day is built."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

from include.delivery import ledger
from include.delivery.outcome import Delivery, Outcome, State
from include.digest.recipients import Recipient
from include.settings import PROJECT, settings
from include.state import store
from include.state.store import Store
from include.warehouse import mirror
from include.warehouse.database import open_warehouse, records
from tests.chain import environment

DAY = date(2026, 1, 14)
DUE = datetime(2026, 1, 15, 7, tzinfo=UTC)
BEFORE, AFTER = DUE - timedelta(hours=1), DUE + timedelta(days=2)


def lead_to_every_state(state: Store) -> None:
    """Mails whose recipients are named for the states that they end in, by what the ledger offers."""

    def begun(name: str, due_at: datetime | None = None, now: datetime = DUE) -> Delivery:
        delivery = Delivery(DAY, f"{name}@example.com", f"<{name}>")
        ledger.begin(state, delivery, due_at, "smtp", now)
        return delivery

    for name in ("pending", "sent", "failed"):
        ledger.record(state, Outcome(begun(name), name))
    begun("missed", DUE, BEFORE)
    begun("withdrawn", DUE, BEFORE)
    ledger.give_up(state, [Recipient("missed@example.com")], AFTER)
    ledger.record(state, Outcome(begun("deferred", now=AFTER), "deferred"))
    begun("scheduled", AFTER, BEFORE)


def test_dbt_takes_the_ledger_in_every_state_that_a_mail_can_come_to(tmp_path):
    from dbt.cli.main import dbtRunner

    with environment(tmp_path):
        with open_warehouse() as connection:
            lead_to_every_state(store.of(settings()))
            mirror.bring(connection, store.of(settings()))
            states = {row["recipient"]: row["status"] for row in records(connection, "from ops.deliveries")}
        project = ["--project-dir", str(PROJECT / "dbt"), "--profiles-dir", str(PROJECT / "dbt")]
        cautious = ["--indirect-selection", "cautious"]
        places = ["--log-path", str(tmp_path), "--target-path", str(settings().data_dir / "dbt")]
        built = dbtRunner().invoke(["--quiet", "build", "--select", "stg_deliveries", *cautious, *project, *places])

    assert states == {f"{state}@example.com": state for state in get_args(State) if state != "leaving"}
    assert built.success, [result.message for result in built.result or []] or built.exception
