"""What was forgotten is nowhere: no row of a table and no byte of a file says four words of it in a row."""

import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from include.local import parquet_files
from include.pipeline import ingest_episodes
from include.settings import PROJECT, settings
from include.upkeep import backup, forget, restore
from include.warehouse.database import open_warehouse, records
from tests import chain

DAYS = ("2026-01-13", "2026-01-14")
SAID_IN = {".sql", ".yml", ".py", ".html", ".csv"}
EPISODE = "Eleven Weeks of Warnings"
SHOW = "Slow Steaming"


@pytest.fixture(scope="module")
def days(feeds, tmp_path_factory) -> Path:
    """An installation that mailed two days and was backed up."""
    made = os.environ.get("PODCAST_TWO_DAYS")
    folder = Path(made) if made else tmp_path_factory.mktemp("days")
    with chain.environment(folder, **feeds):
        if not made:
            for day in DAYS:
                chain.run_and_send(day)
            backup.back_up(settings())
    return folder


@pytest.fixture
def data(days, feeds, tmp_path):
    shutil.copytree(days, tmp_path / "data")
    with chain.environment(tmp_path / "data", **feeds):
        yield tmp_path / "data"


def runs(text: str, length: int = 4) -> set[str]:
    """So many words in a row."""
    words = re.findall(r"[^\W_]+", text.lower())
    return {" ".join(words[n : n + length]) for n in range(len(words) - length + 1)}


def own_words(where: str) -> set[str]:
    """What the episodes of a condition say, with titles and notes, and neither others nor the program does."""
    spoken = """
        select {0} as is_wanted, text from raw.transcript_segments inner join raw.episodes using (episode_id)
        union all
        select {0}, unnest([title, description, title || ' ' || title]) from raw.feed_items
    """
    with open_warehouse() as connection:
        rows = records(connection, spoken.format(where))
    ours = [
        file.read_text()
        for folder in ("dbt", "include")
        for file in (PROJECT / folder).rglob("*.*")
        if file.suffix in SAID_IN and "sample" not in file.parts
    ]
    theirs = [row["text"] for row in rows if not row["is_wanted"]]
    wanted = [row["text"] for row in rows if row["is_wanted"]]
    said = [{run for text in some for n in (4, 8) for run in runs(text, n)} for some in (wanted, theirs + ours)]
    own = said[0] - said[1]
    assert len(own) > 500
    return own


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """All that an installation says, with where."""
    for file in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
        content, name = file.read_bytes(), str(file.relative_to(folder))
        yield name, unescape(content.decode("latin-1"))
        if file.suffix == ".eml":
            for part in message_from_bytes(content, policy=policy.default).walk():
                if part.get_content_maintype() == "text":
                    yield name, unescape(part.get_content())
        elif file.suffix == ".duckdb":
            with duckdb.connect(str(file)) as connection:
                for (table,) in connection.execute(
                    "select format('{}.\"{}\"', schema_name, table_name) from duckdb_tables()"
                ).fetchall():
                    for row in connection.execute(f"from {table}").fetchall():
                        yield f"{name} {table}", " ".join(map(str, row))
        elif file.suffix == ".db":
            with sqlite3.connect(file) as connection:
                tables = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
                for (table,) in tables:
                    for row in connection.execute(f'select * from "{table}"'):
                        yield f"{name} {table}", " ".join(map(str, row))


def where_said(folder: Path, words: set[str]) -> set[str]:
    """In a database's file the texts of different rows stand side by side, so more words in a row are looked for."""
    return {
        place
        for place, text in texts(folder)
        if not words.isdisjoint(runs(text, 8 if place.endswith((".duckdb", ".db")) else 4))
    }


@pytest.fixture(scope="module")
def after(days, feeds, tmp_path_factory):
    """What was there before an episode was forgotten, and what was done; the settings point at what is there now."""
    folder = tmp_path_factory.mktemp("after") / "data"
    shutil.copytree(days, folder)
    with chain.environment(folder, **feeds):
        words = own_words(f"title = '{EPISODE}'")
        found = forget.find(settings(), "episode", EPISODE.upper())
        before = {name: records_of(query) for name, query in KEPT.items()} | {"pages": pages()}
        places = {place.partition("/")[0] for place in where_said(folder, words)}
        elsewhere = shutil.copytree(backup.backups(settings().backups)[0], folder.parent / "elsewhere")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["forget", "--episode", EPISODE])  # dbt notes by what it was begun
            done = forget.forget(settings(), found)
        yield SimpleNamespace(data=folder, words=words, before=before, places=places, done=done, elsewhere=elsewhere)


KEPT = {
    "mails": "select digest_date, recipient, status from ops.deliveries order by all",
    "told": "select digest_date, recipient, rank, claim_id from ops.sent_insights order by all",
    "places": "select digest_date, rank, claim_id, theme_id from marts.top_insights order by all",
    "others": f"select * exclude (position) from raw.feed_items where title <> '{EPISODE}' order by all",
    "claims": f"""
        select claim_id, headline, quote, score
        from marts.claims
        where episode_id not in (select episode_id from marts.episodes where title = '{EPISODE}')
        order by all
    """,
}


def pages() -> dict[str, str]:
    return {str(page.relative_to(settings().site)): page.read_text() for page in settings().site.rglob("*.html")}


def test_an_episode_that_is_forgotten_is_nowhere(after):
    assert after.places >= {"site", "outbox", "landing", "published", "backups", "warehouse.duckdb"}
    assert where_said(after.data, after.words) == set()
    assert after.done.rows["raw.episodes"] == 1
    with pytest.raises(LookupError, match="known here"):
        forget.find(settings(), "episode", EPISODE)


def test_that_it_was_mailed_and_all_that_others_said_stays(after):
    assert {name: records_of(query) for name, query in KEPT.items()} == {
        name: rows for name, rows in after.before.items() if name != "pages"
    }


def test_no_mail_leads_to_a_page_that_is_not_there(after):
    lost = {page for page in after.before["pages"].keys() - pages().keys() if not page.startswith("themes/")}
    assert lost == set()
    gone = [page for page, text in pages().items() if "was removed at the request" in text]
    assert len(gone) == sum("insights/" in page for page in gone) > 0


def test_its_backups_are_whole_without_it(after):
    (kept,) = backup.backups(settings().backups)
    assert backup.opened(kept).rows['raw."episodes"'] == len(records_of("from raw.episodes"))


def test_it_does_not_come_back_by_a_backfill_or_a_backup_from_elsewhere(after):
    restore.restore(after.elsewhere, settings())
    assert where_said(after.data, after.words) == set()
    for day in DAYS:
        chain.run_steps(ingest_episodes, day)
    chain.run_day(DAYS[1])
    assert where_said(after.data, after.words) == set()


def test_a_show_is_forgotten_with_its_feed_and_is_not_read_again(data):
    words = own_words(f"show_title = '{SHOW}'")
    parquet_files.write_days(settings().published, data / "export")
    (data / "feeds.opml").write_text(f"<outline text='{SHOW}'/>")

    forget.forget(settings(), forget.find(settings(), "show", SHOW))
    chain.run_day(DAYS[1])

    assert where_said(data, words) == set()
    assert (data / "feeds.opml").exists(), "what the operator put there is theirs"
    exported = {file.relative_to(data / "export").parts[1] for file in (data / "export").rglob("*.parquet")}
    assert "episodes" not in exported, "both days had one of the show"
    assert "transcript_corrections.parquet" in exported
    assert records_of(f"select 1 from raw.feed_fetches where show_title = '{SHOW}'") == []
    assert len(records_of("from marts.top_insights where digest_date = '2026-01-14'")) == 5


def test_of_several_episodes_of_one_title_none_is_forgotten_unasked(data):
    with open_warehouse() as connection:
        connection.execute("insert into raw.episodes by name select * replace ('e2' as episode_id) from raw.episodes")

    with pytest.raises(LookupError, match="e2"):
        forget.find(settings(), "episode", EPISODE)


def records_of(query: str) -> list[dict]:
    with open_warehouse() as connection:
        return records(connection, query)
