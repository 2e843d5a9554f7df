"""Going back to a backup, so that nothing is sent, asked or paid again that was since.

The warehouse becomes the one of the backup. The state does not go back where the present one can be read and goes on
from the backup's: it keeps all that it has, so it is known what was sent and paid since. Where it is lost, the backup's
takes its place, and no digest is mailed by itself that may have been mailed since: what waited then, and every day from
the backup's last digest to yesterday.
"""

import contextlib
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import sqlalchemy
from sqlalchemy import Connection, delete, func, insert, select, update

from include.digest import recipients
from include.settings import Settings
from include.state import store
from include.state.store import Store
from include.state.tables import deliveries, metadata, turns
from include.upkeep import forget, rebuild
from include.upkeep.backup import Backup, BackupFailed, opened, require_room
from include.warehouse import snapshot
from include.warehouse.database import open_warehouse

_WAITING = ("scheduled", "deferred")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done. `aside` holds what was there before, `last_day` is the last digest of the backup, `withheld` says
    how many mails are not sent by themselves, since they may have been sent after the backup was made."""

    backup: Backup
    aside: Path
    last_day: date | None
    state_was_kept: bool
    withheld: int


def restore(folder: Path, settings: Settings, now: datetime | None = None) -> Restored:
    """Puts a backup in place, and what was there aside; publishes the copy and writes the pages anew. Raises
    BackupFailed, with nothing changed, where it cannot be used or a process has the warehouse open."""
    backup, now = opened(folder), (now or datetime.now(UTC)).astimezone(UTC)
    if holder := snapshot.holder(settings.warehouse):
        raise BackupFailed(
            f"{settings.warehouse} is open in {holder}. Stop the pipeline (`make down`, or `docker compose stop "
            "scheduler triggerer`) and close what else reads the file; then restore."
        )
    readers = recipients.read(settings.recipients)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    require_room(settings.data_dir, backup.warehouse, backup.state)
    aside = settings.data_dir / f"before-restore-{now:%Y-%m-%dT%H-%M-%SZ}"
    aside.mkdir()
    for file in (backup.warehouse, backup.state):
        shutil.copy(file, aside / f"{file.name}.part")
    then = Store(f"sqlite:///{aside}/state.db.part", aside / "nothing")
    present = store.of(settings)
    goes_on = _goes_on(present, then, settings)
    if settings.state_url.get_secret_value() and not goes_on:
        present.copy_to(Store(f"sqlite:///{aside}/state.db", aside / "nothing"))
    present.close()
    gone = ("warehouse.duckdb*",) if goes_on else ("warehouse.duckdb*", "state.db*")
    for left in [left for pattern in gone for left in settings.data_dir.glob(pattern)]:
        os.replace(left, aside / left.name)
    os.replace(aside / "warehouse.duckdb.part", settings.warehouse)
    with open_warehouse(settings.warehouse) as connection:
        # All of the state is to be brought in, not only what changed since.
        connection.execute("delete from raw.mirrored")
        last_day = _last_digest(connection)
    with then.reading() as old, present.writing(durable=True) as connection:
        if not goes_on:
            _empty(connection)
        for table in [table for table in metadata.sorted_tables if table is not turns]:
            for rows in old.execute(select(table)).mappings().partitions(1_000):
                connection.execute(present.insert(table).on_conflict_do_nothing(), [dict(row) for row in rows])
        withheld = 0
        if goes_on:
            # These were not sent; who makes these days anew has them mailed.
            late = deliveries.c.digest_date > (last_day or date.min)
            connection.execute(delete(deliveries).where(deliveries.c.status.in_(_WAITING), late))
        else:
            withheld = _withhold(connection, last_day, now.date(), [reader.address for reader in readers], backup)
    then.close()
    (aside / "state.db.part").unlink()
    with contextlib.suppress(OSError):
        aside.rmdir()  # where there was nothing
    if not forget.forget_again(settings) and last_day:
        rebuild.publish(settings)
    return Restored(backup, aside, last_day, goes_on, withheld)


def _goes_on(present: Store, then: Store, settings: Settings) -> bool:
    """Whether the present state can be read and knows all mails that the backup's does: it is the same, later."""
    is_there = bool(settings.state_url.get_secret_value()) or (settings.data_dir / "state.db").exists()
    with then.reading() as old:
        known = _mails(old)
    try:
        if not is_there:
            return False
        with present.reading() as now:
            return bool(_mails(now)) and _mails(now) >= known
    except sqlalchemy.exc.DatabaseError as error:
        if settings.state_url.get_secret_value():
            raise BackupFailed(f"The state cannot be reached, so it is not known what was sent: {error}") from error
        return False


def _mails(connection: Connection) -> set[tuple]:
    return {tuple(row) for row in connection.execute(select(deliveries.c.digest_date, deliveries.c.recipient))}


def _empty(connection: Connection) -> None:
    for table in metadata.sorted_tables:
        connection.execute(delete(table))


def _withhold(connection: Connection, last_day: date | None, today: date, addresses: list[str], backup: Backup) -> int:
    """Has no mail sent by itself that may have been sent after the backup; returns how many these are."""
    told = {
        "status": "withdrawn",
        "error": f"it may have been sent after the backup of {backup.taken_at:%Y-%m-%d %H:%M} UTC, which was restored",
        "changed_at": store.now(),
    }
    waited = deliveries.c.status.in_((*_WAITING, "pending"))
    count = connection.scalar(select(func.count()).select_from(deliveries).where(waited)) or 0
    connection.execute(update(deliveries).where(waited).values(**told))
    first = last_day or backup.taken_at.date() - timedelta(days=1)
    days = [first + timedelta(number) for number in range((today - first).days)]  # to the last that is over
    known = _mails(connection)
    rows = [
        {"digest_date": day, "recipient": address, **told}
        for day in days
        for address in addresses
        if (day, address) not in known
    ]
    if rows:
        connection.execute(insert(deliveries), rows)
    return count + len(rows)


def _last_digest(connection: duckdb.DuckDBPyConnection) -> date | None:
    there = "select 1 from duckdb_tables() where schema_name = 'marts' and table_name = 'top_insights'"
    if not connection.execute(there).fetchone():
        return None
    ((day,),) = connection.execute("select max(digest_date) from marts.top_insights").fetchall()
    return day
