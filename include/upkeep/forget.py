"""Removing an episode, a show or a feed with every trace of it, at its owner's request.

It stays known by hashes alone, so that no later reading of a feed takes it in again. That a mail was sent stays known,
not what it said. What left this installation, a mail in a mailbox or a copy that somebody made, is out of reach.
"""

import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy

from include.pages.site import write_gone
from include.settings import Settings
from include.sources import forgotten
from include.state import store
from include.state.store import Store, UnusableState
from include.upkeep import backup, rebuild, traces
from include.upkeep.traces import Traces
from include.warehouse import mirror, snapshot
from include.warehouse.database import UnusableWarehouse, open_warehouse, records

log = logging.getLogger(__name__)

_FOUND = {
    "episode": """
        select distinct episode_id, feed_url, show_id, title || ' (' || show_title || ')' as name
        from (from raw.episodes select * exclude (partition_date) union all by name from raw.feed_items)
        where $name in (episode_id, guid) or lower(title) = lower($name)
    """,
    "show": """
        select distinct null as episode_id, feed_url, show_id, show_title as name
        from (
            select feed_url, show_id, show_title from raw.feeds
            union
            select feed_url, show_id, show_title from raw.episodes
        )
        where show_id = $name or lower(show_title) = lower($name)
    """,
    "feed": """
        select distinct null as episode_id, feed_url, show_id, show_title as name
        from raw.feeds
        where $name in (feed_url, moved_to)
    """,
}


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was struck: rows by table, of warehouse and state; files; backups, and what a restoration put aside, that
    were rewritten, or could not be read."""

    rows: dict[str, int]
    files: list[Path]
    backups: list[Path]
    unread: list[Path]


def find(settings: Settings, kind: str, name: str) -> Traces:
    """The traces of what a person names: an `episode` by id, guid or title, a `show` by id or title, a `feed` by its
    address. Raises LookupError where that is nothing, or more than one episode."""
    with open_warehouse(settings.warehouse) as connection:
        mirror.bring(connection, store.of(settings))
        found = records(connection, _FOUND[kind], {"name": name})
        if not found:
            raise LookupError(f"No {kind} {name!r} is known here. Give its id, as ops and marts have it, or its title.")
        if kind != "episode":
            return traces.of(connection, (), {row["feed_url"] for row in found}, {row["show_id"] for row in found})
        ids = {row["episode_id"]: row["name"] for row in found}
        if len(ids) > 1:
            listed = "\n".join(f"  {episode_id}  {title}" for episode_id, title in sorted(ids.items()))
            raise LookupError(f"Several episodes bear that name; give the id of one:\n{listed}")
        return traces.of(connection, ids, (), ())


def forget(settings: Settings, found: Traces) -> Forgotten:
    """Strikes the traces, derives again what came of them, publishes and writes the pages anew. Raises BackupFailed,
    with nothing changed, where a process has the warehouse open. An interrupted one may be begun again."""
    if holder := snapshot.holder(settings.warehouse):
        raise backup.BackupFailed(f"{settings.warehouse} is open in {holder}. Stop the pipeline, then forget.")
    backup.require_room(settings.data_dir, settings.warehouse)
    state = store.of(settings)
    forgotten.remember(state, found.marks)
    rows = {f"state.{name}": count for name, count in traces.strike_from_state(state, found).items()}
    files: list[Path] = []
    pages = _pages_told_of(settings, found)
    for place in _places(settings):
        files += traces.strike_from_files(place, found)
    for page in pages:
        write_gone(settings.site, page, settings.site_url)
    for day in found.days:
        for checked in settings.data_docs.glob(f"validations/*/{day}"):
            shutil.rmtree(checked)
    copies = [*backup.backups(settings.backups), *sorted(settings.data_dir.glob("before-restore-*"))]
    unread = [folder for folder in copies if not _rewritten(folder, found)]
    with open_warehouse(settings.warehouse) as connection:
        rows |= traces.strike_from_warehouse(connection, found)
    if found.days:
        rebuild.derive(settings, found.days[0])
        # dbt notes the command by which it was begun, and that names what is forgotten.
        files += traces.strike_from_files(settings.data_dir / "dbt", found)
    if found.days or settings.published.exists():
        rebuild.publish(settings)
    snapshot.compact(settings.warehouse)
    return Forgotten(rows, files, [folder for folder in copies if folder not in unread], unread)


def forget_again(settings: Settings) -> bool:
    """Strikes what was forgotten and is there again, as after going back to a backup that was kept elsewhere; says
    whether anything was."""
    known = forgotten.marks(store.of(settings))
    if not known:
        return False
    with open_warehouse(settings.warehouse) as connection:
        feeds = records(connection, "select feed_url, show_id from raw.feeds")
        episodes = records(connection, "from raw.episodes")
        gone = [row["episode_id"] for row in episodes if known & forgotten.episode_marks(row)]
        shows = {row["show_id"] for row in feeds if forgotten.show_mark(row["show_id"]) in known}
        urls = {row["feed_url"] for row in feeds if forgotten.feed_mark(row["feed_url"]) in known}
        found = traces.of(connection, gone, urls, shows)
    is_there = bool(found.episodes or found.feeds or found.shows)
    if is_there:
        forget(settings, found)
    return is_there


def _rewritten(folder: Path, found: Traces) -> bool:
    """Strikes the traces from a backup, or from what a restoration put aside; says whether it could be read."""
    try:
        if (file := folder / "warehouse.duckdb").exists():
            with open_warehouse(file) as connection:
                there = traces.of(connection, found.episode_ids, found.feeds, found.shows)
                traces.strike_from_warehouse(connection, there)
            snapshot.compact(file)
        if (folder / "state.db").exists():
            state = Store(f"sqlite:///{folder}/state.db", folder / "nothing")
            traces.strike_from_state(state, found)
            forgotten.remember(state, found.marks)
            state.close()
    except (UnusableWarehouse, UnusableState, sqlalchemy.exc.DatabaseError):
        log.exception("%s cannot be read", folder)
        return False
    backup.seal_again(folder)
    return True


def _places(settings: Settings) -> list[Path]:
    """Where files are that the service writes; what else lies in the data directory is the operator's."""
    names = ("landing", "outbox", "alerts", "site", "data_docs", "dbt", "airflow/logs", "airflow/standalone.log")
    homes = [Path(home) / "logs" for home in [os.environ.get("AIRFLOW_HOME")] if home]
    return [*(settings.data_dir / name for name in names), *homes, *sorted(settings.data_dir.rglob("*.parquet"))]


def _pages_told_of(settings: Settings, found: Traces) -> list[str]:
    """The pages of their own, to which a mail may lead."""
    pages = [f"insights/{claim}.html" for claim in found.claims] + [f"shows/{show}.html" for show in found.shows]
    return sorted(page for page in pages if (settings.site / page).exists())
