"""`python -m include.upkeep backup`, `restore` and `forget`: what `make` does by these names."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import dotenv

from include.settings import PROJECT, Settings
from include.upkeep import backup, forget, restore


def main(arguments: Sequence[str] | None = None) -> int:
    """Does it and says what was done; 0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m include.upkeep", description="Backups, and the way back.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("backup", help="a backup now")
    going_back = commands.add_parser("restore", help="back to a backup")
    going_back.add_argument("source", metavar="FROM", help="the folder of a backup, or `latest`")
    removing = commands.add_parser("forget", help="an episode, a show or a feed with every trace")
    which = removing.add_mutually_exclusive_group(required=True)
    which.add_argument("--episode", help="its id, guid or title")
    which.add_argument("--show", help="its id or title")
    which.add_argument("--feed", help="its address")
    removing.add_argument("--dry-run", action="store_true", help="list what would go, and remove nothing")
    dotenv.load_dotenv(PROJECT / ".env")
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s")
    try:
        os.environ["PODCAST_DATA_DIR"] = str(Settings().data_dir)  # dbt asks for it
        if given.command == "backup":
            _say(f"{backup.back_up(Settings()).folder} is written and was read again.")
        elif given.command == "restore":
            _restore(given.source)
        else:
            kind = next(kind for kind in ("episode", "show", "feed") if getattr(given, kind))
            _forget(kind, getattr(given, kind), given.dry_run)
    except (RuntimeError, ValueError, LookupError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _restore(source: str) -> None:
    settings = Settings()
    there = backup.backups(settings.backups)
    if source == "latest" and there:
        folder = there[-1]
    else:
        folder = settings.backups / source if (settings.backups / source).is_dir() else Path(source)
    done = restore.restore(folder, settings)
    _say(f"Restored {folder}, made {done.backup.taken_at:%Y-%m-%d %H:%M} UTC. What was there is in {done.aside}.")
    if done.state_was_kept:
        _say("The present state was kept: what was sent, asked and paid since is known, and not done again.")
    else:
        _say(
            "The state was lost and is the backup's. What was asked and paid since may be asked and paid again. "
            f"{done.withheld} mails are not sent by themselves, since they may have been: those that waited, and all "
            f"from {done.last_day} to yesterday; ops.deliveries names them. To have one sent:\n"
            "  python -m include.delivery DATE RECIPIENT lost"
        )
    _say(f"The last digest in it is of {done.last_day}. The next run makes up the days since; older ones: backfill.")


def _forget(kind: str, name: str, is_dry: bool) -> None:
    settings = Settings()
    found = forget.find(settings, kind, name)
    _say(f"{len(found.episodes)} episodes with {len(found.claims)} claims, and all that came of them:")
    for episode in found.episodes:
        _say(f"  {episode['partition_date'] or 'not read'}  {episode['episode_id']}  {episode['title']}")
    if is_dry:
        _say("With them go files, pages, mails in the outbox, and answers to questions that they were in.")
        _say("Nothing was removed.")
        return
    done = forget.forget(settings, found)
    for table, count in sorted(done.rows.items()):
        _say(f"  {count:7,} rows of {table}")
    _say(f"  {len(done.files):7,} files, {len(done.backups)} backups rewritten")
    for folder in done.unread:
        _say(f"{folder} cannot be read, so it was not rewritten: remove it by hand.")
    if found.feeds:
        _say(f"Take it out of the feed list as well; it is not read any more: {', '.join(sorted(found.feeds))}")
    _say(
        "Out of reach, and yours to see to: mails that were sent, Parquet and copies made elsewhere, backups in other "
        "places, a web server's or proxy's own copy of the pages, and what AssemblyAI or a chat model's provider keeps."
    )


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
