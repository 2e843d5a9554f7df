"""The steps of the DAG `maintain_service`: what keeps an installation for months."""

from include.pipeline.run import Summary, said
from include.settings import settings
from include.upkeep import backup, retention
from include.warehouse import snapshot
from include.warehouse.database import open_warehouse

PAYS_FROM = 0.25
"""The share of the warehouse's file that holds nothing, from which on it is written anew."""


def back_up() -> Summary:
    """Makes a backup, where one is due."""
    if not backup.is_due(settings()):
        return said(backups=len(backup.backups(settings().backups)), reason="none is due")
    made = backup.back_up(settings())
    size = sum(file.stat().st_size for file in made.folder.iterdir())
    return said(backup=str(made.folder), megabytes=round(size / 1e6), rows=sum(made.rows.values()))


def remove_expired() -> Summary:
    """Removes what is older than the settings say."""
    with open_warehouse() as connection:
        removed = retention.remove_expired(settings(), connection)
    return said(**{removal.what: removal.count for removal in removed})


def compact_warehouse() -> Summary:
    """Writes the warehouse's file anew, where enough of it holds nothing."""
    free = snapshot.free_share(settings().warehouse)
    if free < PAYS_FROM:
        return said(free=f"{free:.0%}", reason="it does not pay")
    backup.require_room(settings().data_dir, settings().warehouse)
    before, after = snapshot.compact(settings().warehouse)
    return said(megabytes_before=round(before / 1e6), megabytes_after=round(after / 1e6))
