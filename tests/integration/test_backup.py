"""A backup brings the tables back as they were, and no mail leaves twice: through the chain, on the sample."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from include.settings import PROJECT, settings
from include.state import store
from include.state.tables import reservations
from include.upkeep import backup, restore
from include.upkeep.backup import BackupFailed
from tests import chain
from tests.integration.test_order_of_days import CLOCKS, SCHEMAS, _differences

EARLIER, LATER = "2026-01-14", "2026-01-15"
MAILS = {name: {"pending_at", "sent_at", "due_at"} for name in ("ops.deliveries", "staging.stg_deliveries")}


@pytest.fixture(scope="module")
def backed_up(feeds, tmp_path_factory) -> Path:
    """An installation that ran a day, was backed up, and ran another."""
    folder = tmp_path_factory.mktemp("backed up")
    with chain.environment(folder / "data", **feeds, PODCAST_BACKUP_DIR=str(folder / "backups")):
        chain.run_and_send(EARLIER)
        backup.back_up(settings())
        shutil.copytree(folder / "data", folder / "earlier")
        chain.run_and_send(LATER)
    return folder


@pytest.fixture
def installation(backed_up, feeds, tmp_path):
    shutil.copytree(backed_up, tmp_path, dirs_exist_ok=True)
    with chain.environment(tmp_path / "data", **feeds, PODCAST_BACKUP_DIR=str(tmp_path / "backups")):
        yield tmp_path


def tables(folder: Path) -> dict[str, list]:
    found = chain.tables(folder / "warehouse.duckdb", SCHEMAS, CLOCKS | MAILS)
    for name in MAILS:
        found[name] = [row for row in found[name] if "withdrawn" not in row]
    return found


def mails() -> list[tuple[str, int]]:
    return sorted((file.name, file.stat().st_mtime_ns) for file in settings().outbox.glob("*.eml"))


def restored() -> restore.Restored:
    (folder,) = backup.backups(settings().backups)
    return restore.restore(folder, settings())


def test_after_all_is_lost_a_backup_gives_the_same_tables_and_neither_day_is_mailed_again(installation):
    earlier, later = tables(installation / "earlier"), tables(installation / "data")
    pages = {file.name for file in (installation / "data" / "site" / "digests").iterdir()}
    shutil.rmtree(installation / "data")

    done = restored()

    assert _differences(earlier, tables(installation / "data")) == {}
    assert str(done.last_day) == EARLIER
    assert not done.state_was_kept
    assert done.withheld > 300, "one a day from the earlier day on until today, whenever that is"
    chain.run_and_send(EARLIER)
    chain.run_and_send(LATER)
    assert mails() == []
    again = tables(installation / "data")
    for name in (*MAILS, "ops.sent_insights"):
        later.pop(name), again.pop(name)
    assert _differences(later, again) == {}
    assert {file.name for file in settings().site.joinpath("digests").iterdir()} == pages


def test_where_the_state_is_still_there_it_is_known_what_was_sent_since(installation):
    before, later = mails(), tables(installation / "data")
    with store.of(settings()).writing() as connection:
        connection.execute(reservations.delete())  # as maintenance does, of old ones

    done = restored()

    assert done.state_was_kept
    assert done.withheld == 0
    assert (done.aside / "warehouse.duckdb").exists()
    chain.run_and_send(LATER)
    assert mails() == before
    assert _differences(later, tables(installation / "data")) == {}


def test_a_state_that_is_damaged_or_of_another_installation_gives_way_to_the_backups(installation):
    (installation / "data" / "state.db").write_bytes(b"no database" * 1_000)

    assert not restored().state_was_kept
    assert (settings().data_dir / "state.db").read_bytes()[:6] == b"SQLite"


def test_while_a_process_holds_the_warehouse_nothing_is_restored(installation):
    hold = (
        f"import duckdb, sys; c = duckdb.connect({str(settings().warehouse)!r}); print(1, flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    try:
        with pytest.raises(BackupFailed, match=f"PID {holder.pid}"):
            restored()
    finally:
        holder.communicate(b"")
    assert not list(settings().data_dir.glob("before-restore*"))


def test_a_backup_that_was_damaged_is_refused_and_nothing_is_touched(installation):
    (folder,) = backup.backups(settings().backups)
    content = bytearray((folder / "warehouse.duckdb").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "warehouse.duckdb").write_bytes(content)
    before = settings().warehouse.read_bytes()

    with pytest.raises(BackupFailed, match="not as it was written"):
        restored()

    assert settings().warehouse.read_bytes() == before


def test_as_many_backups_are_kept_as_wanted_and_each_opens_by_itself(installation, monkeypatch):
    monkeypatch.setenv("PODCAST_BACKUPS_KEPT", "2")
    settings.cache_clear()
    (first,) = backup.backups(settings().backups)
    (settings().backups / "mine").mkdir()
    made = [backup.back_up(settings(), chain_moment(hour)).folder for hour in (1, 2, 3)]

    assert backup.backups(settings().backups) == made[-2:]
    assert not first.exists()
    assert (settings().backups / "mine").exists()
    with duckdb.connect(str(made[-1] / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.top_insights").fetchone()[0] > 5
    assert backup.opened(made[-1]).rows["state.deliveries"] == 2


def test_a_full_disk_is_told_and_costs_no_backup(installation, monkeypatch):
    before = backup.backups(settings().backups)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1_000))

    with pytest.raises(BackupFailed, match="PODCAST_BACKUPS_KEPT"):
        backup.back_up(settings())

    assert backup.backups(settings().backups) == before
    assert [entry for entry in settings().backups.iterdir() if entry.name.startswith(".")] == []


def test_no_secret_is_in_the_settings_of_a_backup_and_it_is_said_which_are_missing(installation, monkeypatch):
    monkeypatch.setenv("PODCAST_ALERT_URLS", "slack://a-key/b-key/c-key")
    monkeypatch.setenv("PODCAST_SENDER", "News <news@example.org>")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    settings.cache_clear()

    kept = (backup.back_up(settings()).folder / "settings.env").read_text()

    assert "PODCAST_SENDER='News <news@example.org>'" in kept
    assert "#   OPENAI_API_KEY\n#   PODCAST_ALERT_URLS\n" in kept or "#   PODCAST_ALERT_URLS" in kept
    assert "sk-secret" not in kept
    assert "b-key" not in kept


def test_the_commands_do_it_and_say_what_they_did(installation):
    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "include.upkeep", *words],
            env=os.environ | {"PYTHONPATH": str(PROJECT)}, cwd=PROJECT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return f"{done.returncode} {done.stdout}{done.stderr}"

    assert run("backup").startswith(f"0 {installation / 'backups'}")
    assert "The present state was kept" in run("restore", "latest")
    assert run("restore", "nowhere").startswith("1 nowhere is no backup that can be read")


def chain_moment(hour: int):
    from datetime import UTC, datetime

    return datetime(2030, 1, 1, hour, tzinfo=UTC)
