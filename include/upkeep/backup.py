"""Backups: a folder each, with the warehouse, the state and the settings as they were at one moment.

    2026-01-15T04-40-02Z/
        warehouse.duckdb      a copy of the file
        state.db              the state as SQLite, whatever database keeps it
        settings.env          the settings that were set, without secrets, and which secrets are to be put back
        feeds…, recipients…   the files that these name
        manifest.json         when it was, the rows of each table, the digest of each file

A folder bears its name once all of it was written, opened and counted. Backups hold what the warehouse holds, with the
addresses of private feeds and of recipients: keep them from others.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy
from pydantic import SecretStr

from include.addresses import bears_secret
from include.settings import Settings
from include.state import store
from include.state.store import Store
from include.state.tables import metadata
from include.warehouse import snapshot

_NAME = "%Y-%m-%dT%H-%M-%SZ"
_NAMED = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ")
_MANIFEST = "manifest.json"
_SECRET = re.compile(r"AIRFLOW_CONN_\w+|\w+_API_KEY")
_ROOM = 100_000_000
"""Bytes that are to be free besides what is written."""


class BackupFailed(RuntimeError):
    """A backup could not be made, or cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is whole. `rows` are those of each table, `digests` the SHA-256 of each file."""

    folder: Path
    taken_at: datetime
    rows: dict[str, int]
    digests: dict[str, str]

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def state(self) -> Path:
        return self.folder / "state.db"


def back_up(settings: Settings, now: datetime | None = None) -> Backup:
    """Makes a backup, and removes the oldest beyond PODCAST_BACKUPS_KEPT. Waits for the warehouse, and holds it while
    it is copied; nothing of it is changed. Raises BackupFailed, leaving the backups there are."""
    taken_at = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    folder = settings.backups / taken_at.strftime(_NAME)
    part = folder.with_name(f".{folder.name}.part")
    try:
        for left in settings.backups.glob(".*.part"):
            shutil.rmtree(left)
        part.mkdir(parents=True, mode=0o700)
        require_room(part, settings.warehouse)
        # The state last: what the warehouse has is in it, and may be nowhere else.
        rows = snapshot.take(settings.warehouse, part / "warehouse.duckdb")
        copy = Store(f"sqlite:///{part}/state.db", part / "nothing")
        store.of(settings).copy_to(copy)
        rows |= state_rows(part / "state.db")
        _write_settings(part, settings)
        backup = _seal(Backup(part, taken_at, rows, {}))
        os.replace(part, folder)
    except (OSError, duckdb.Error, sqlalchemy.exc.SQLAlchemyError) as error:
        raise BackupFailed(f"No backup could be made in {settings.backups}: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    for old in backups(settings.backups)[: -settings.backups_kept]:
        shutil.rmtree(old)
    return Backup(folder, backup.taken_at, backup.rows, backup.digests)


def is_due(settings: Settings, now: datetime | None = None) -> bool:
    """Whether the newest backup is PODCAST_BACKUP_EVERY_DAYS old; never, where that is 0."""
    every = timedelta(days=settings.backup_every_days)
    taken = [datetime.strptime(folder.name, _NAME).replace(tzinfo=UTC) for folder in backups(settings.backups)]
    # The schedule is not to the second.
    return bool(every) and (not taken or (now or datetime.now(UTC)) - taken[-1] > every - timedelta(hours=1))


def backups(folder: Path) -> list[Path]:
    """The backups of a folder, oldest first; what else lies there is nobody's."""
    return sorted(entry for entry in folder.glob("*") if _NAMED.fullmatch(entry.name) and (entry / _MANIFEST).is_file())


def opened(folder: Path) -> Backup:
    """A backup whose files are as they were written, and whose tables can all be read. Raises BackupFailed."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        backup = Backup(folder, datetime.fromisoformat(manifest["taken_at"]), manifest["rows"], manifest["digests"])
        for name, digest in backup.digests.items():
            if _digest(folder / name) != digest:
                raise BackupFailed(f"{folder / name} is not as it was written: take another backup.")
        if (rows := snapshot.counted(backup.warehouse) | state_rows(backup.state)) != backup.rows:
            raise BackupFailed(f"{folder} has other rows than its manifest says ({rows}): take another backup.")
    except (OSError, ValueError, KeyError, TypeError, duckdb.Error, sqlalchemy.exc.SQLAlchemyError) as error:
        raise BackupFailed(f"{folder} is no backup that can be read: {error}") from error
    return backup


def _seal(backup: Backup) -> Backup:
    """Writes the manifest of what lies in the folder, and has all of it on the disk."""
    files = [file for file in sorted(backup.folder.iterdir()) if file.name != _MANIFEST]
    sealed = Backup(backup.folder, backup.taken_at, backup.rows, {file.name: _digest(file) for file in files})
    manifest = {"taken_at": sealed.taken_at.isoformat(), "rows": sealed.rows, "digests": sealed.digests}
    (backup.folder / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    for file in (*files, backup.folder / _MANIFEST, backup.folder):
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    return sealed


def seal_again(folder: Path) -> None:
    """Writes the manifest anew of a backup whose tables were changed on purpose; of another folder, none."""
    if (folder / _MANIFEST).is_file():
        taken_at = datetime.fromisoformat(json.loads((folder / _MANIFEST).read_text())["taken_at"])
        rows = snapshot.counted(folder / "warehouse.duckdb") | state_rows(folder / "state.db")
        _seal(Backup(folder, taken_at, rows, {}))


def require_room(folder: Path, *files: Path) -> None:
    """Raises BackupFailed where the disk of a folder has no room for copies of some files."""
    wanted = sum(file.stat().st_size for file in files if file.exists()) + _ROOM
    if (free := shutil.disk_usage(folder).free) < wanted:
        raise BackupFailed(
            f"The disk of {folder} has {free / 1e9:.1f} GB free, and {wanted / 1e9:.1f} GB are needed. Nothing was "
            "changed. Make room, lower PODCAST_BACKUPS_KEPT, or name another disk in PODCAST_BACKUP_DIR."
        )


def state_rows(file: Path) -> dict[str, int]:
    """The rows of each table of the state in a SQLite file."""
    engine = sqlalchemy.create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        counts = {
            f"state.{table.name}": connection.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return counts


def _write_settings(folder: Path, settings: Settings) -> None:
    given = {name: os.environ.get(f"PODCAST_{name.upper()}", "") for name in sorted(settings.model_fields_set)}
    secret = {name for name in given if _is_secret(getattr(settings, name)) or bears_secret(given[name])}
    shown = [name for name in given if given[name] and name not in secret]
    lines = [f"PODCAST_{name.upper()}={shlex.quote(given[name])}" for name in shown]
    missing = sorted([*(f"PODCAST_{name.upper()}" for name in secret), *filter(_SECRET.fullmatch, os.environ)])
    feeds, recipients = Path(settings.feeds or "/"), Path(settings.recipients)
    if feeds.is_file():
        shutil.copy(feeds, folder / f"feeds{feeds.suffix}")
    if recipients.is_file() and "channel" not in recipients.read_text():
        shutil.copy(recipients, folder / f"recipients{recipients.suffix}")
    elif recipients.is_file():
        missing.append(f"the file {recipients}, in which addresses of channels stand")
    missing.append("connections that were made in Airflow's UI")
    heading = "# To be put back by hand, since these are secrets or may hold some:"
    (folder / "settings.env").write_text("\n".join([*lines, "", heading, *(f"#   {name}" for name in missing), ""]))


def _is_secret(value: Any) -> bool:
    return isinstance(value, SecretStr) or (isinstance(value, tuple) and any(map(_is_secret, value)))


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
