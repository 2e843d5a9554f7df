"""The pages: today, the archive, a page for each digest, insight, theme and show, a search, and a news feed.

Plain files without a build step or requests to anywhere else, but for a recording that is played. Links are relative,
so that the folder works from the file system and under any address; only the search needs a script.
"""

import calendar
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import duckdb

from include.digest.mention import Mention, mention
from include.digest.queries import ask
from include.digest.reading import read_digest
from include.digest.shown import one_line, web_address
from include.pages import stories
from include.pages.passage import read_passages
from include.templates import FOLDER, environment

SQL = Path(__file__).parent / "sql"

ENTRIES_OF_THE_FEED = 50
ISSUES_ON_THE_FRONT = 7
SEARCHED_LETTERS = 400


@dataclass(frozen=True, slots=True)
class Issue:
    """A line of the archive: a day, how many insights it gave, and the first one's headline."""

    day: date
    insight_count: int
    headline: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An insight in the digest of a day."""

    day: date
    is_update: bool
    said: Mention

    @property
    def urn(self) -> str:
        return uuid5(NAMESPACE_URL, f"{self.day}/{self.said.claim_id}").urn

    @property
    def published_at(self) -> str:
        return _over(self.day)


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the archive: its issues, newest first, and its weeks from Monday on, None for days outside of it."""

    first: date
    issues: tuple[Issue, ...]

    @property
    def weeks(self) -> list[list[tuple[date, Issue | None] | None]]:
        told = {issue.day: issue for issue in self.issues}
        return [
            [(day, told.get(day)) if day.month == self.first.month else None for day in week]
            for week in calendar.Calendar().monthdatescalendar(self.first.year, self.first.month)
        ]


def write_site(
    connection: duckdb.DuckDBPyConnection, folder: Path, site_url: str = "", since: date | None = None
) -> int:
    """Writes the pages from the schemas marts and ops; returns how many were new or changed.

    With `since`, only pages that depend on that day or a later one are looked at: it costs by the days, not by the
    history. A digest before it that has no page yet, since it was made up, moves that day back. Pages are replaced
    whole, and only where their content differs; none is ever removed, and the page of a digest that was sent stays as
    it is, so that links in mails keep working. `site_url` makes the news feed's addresses absolute, and tells those who
    share a page where it is. Safe to repeat.
    """
    site = _Writer(folder, (web_address(site_url) or "").rstrip("/"))
    issues = [
        Issue(**row | {"headline": one_line(row["headline"], 300) or None})
        for row in ask(connection, SQL / "issues.sql")
    ]
    sent = {row["digest_date"] for row in ask(connection, SQL / "sent.sql")}
    if since:
        since = min([since, *(issue.day for issue in issues if not site.has(f"digests/{issue.day}.html"))])
    # The month of that day is searched in one part, and the newest are in the feed.
    told_since = (since or date.min).replace(day=1)
    if issues and len(issues) > ENTRIES_OF_THE_FEED:
        told_since = min(told_since, issues[ENTRIES_OF_THE_FEED].day)
    told = [
        Told(row.pop("digest_date"), row.pop("is_update"), mention(row))
        for row in ask(connection, SQL / "told.sql", since=told_since)
    ]
    for asset in ("style.css", "search.js"):
        site.put(asset, (FOLDER / asset).read_text(encoding="utf-8"))
    tellings = stories.read_tellings(connection)
    ask(connection, SQL / "met.sql")
    passages = read_passages(connection, since or date.min)
    for theme in stories.read_themes(connection, since or date.min):
        if theme.has_page:
            site.page(f"themes/{theme.theme_id}.html", "theme.html", theme=theme)
        for claim in theme.mentions:
            site.page(
                f"insights/{claim.claim_id}.html",
                "insight.html",
                insight=claim,
                theme=theme,
                passage=passages.get(claim.claim_id),
            )
    for show in stories.read_shows(connection, since or date.min):
        site.page(f"shows/{show.show_id}.html", "show.html", show=show, tellings=tellings)
    for number, issue in enumerate(issues):
        path = f"digests/{issue.day}.html"
        if (since and issue.day < since) or (issue.day in sent and site.has(path)):
            continue
        site.page(
            path,
            "digest.html",
            digest=read_digest(connection, issue.day),
            older=issues[number + 1].day if number + 1 < len(issues) else None,
        )
    newest = read_digest(connection, issues[0].day) if issues else None
    site.page("index.html", "index.html", digest=newest, issues=issues[1 : ISSUES_ON_THE_FRONT + 1])
    _write_archive(site, issues)
    site.page("search.html", "search.html")
    _write_search(site, told, issues)
    site.put("feed.xml", _feed(told[:ENTRIES_OF_THE_FEED], site.url, issues))
    return site.changed


def write_gone(folder: Path, path: str, site_url: str = "") -> None:
    """Says in the place of a page that what it told was removed."""
    _Writer(folder, (web_address(site_url) or "").rstrip("/")).page(path, "gone.html")


class _Writer:
    """Puts pages into a folder and counts those that changed."""

    def __init__(self, folder: Path, url: str):
        self.folder = folder
        self.url = url
        self.changed = 0

    def page(self, path: str, template: str, **values: Any) -> None:
        root = "../" * path.count("/")
        page = environment().get_template(template).render(root=root, path=path, url=self.url, **values)
        self.put(path, page)

    def put(self, path: str, text: str) -> None:
        file = self.folder / path
        content = text.encode()
        if file.exists() and file.read_bytes() == content:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.partial")
        partial.write_bytes(content)
        os.replace(partial, file)
        self.changed += 1

    def has(self, path: str) -> bool:
        return (self.folder / path).exists()


def _write_archive(site: _Writer, issues: Sequence[Issue]) -> None:
    """A page for each year, and the newest year's again under an address that stays."""
    months = [
        Month(date(year, month, 1), tuple(told))
        for (year, month), told in groupby(issues, key=lambda issue: (issue.day.year, issue.day.month))
    ]
    years = sorted({month.first.year for month in months}, reverse=True)
    site.page("archive.html", "archive.html", year=years[0] if years else None, years=years, months=months)
    for year in years:
        site.page(f"archive/{year}.html", "archive.html", year=year, years=years, months=months)


def _write_search(site: _Writer, told: Sequence[Told], issues: Sequence[Issue]) -> None:
    """What is searched: every insight that a digest told, a script a month, since a page from the file system may not
    fetch data; and which months there are, newest first. A month has some 100 KB."""
    months = [month for month, _ in groupby(f"{issue.day:%Y-%m}" for issue in issues if issue.insight_count)]
    for month, of_month in groupby(told, key=lambda insight: f"{insight.day:%Y-%m}"):
        site.put(f"search/{month}.js", f"add({_entries(list(of_month))});\n")
    site.put("search-data.js", f"const MONTHS = {json.dumps(months)};\n")


def _entries(told: Sequence[Told]) -> str:
    entries = [
        {
            "id": insight.said.claim_id,
            "day": insight.day.isoformat(),
            "headline": insight.said.headline,
            "text": one_line(insight.said.summary or insight.said.quotation, SEARCHED_LETTERS),
            "speaker": insight.said.speaker or "",
            "show": insight.said.show_title,
        }
        for insight in told
    ]
    return json.dumps(entries, indent=0)


def _feed(told: Sequence[Told], url: str, issues: Sequence[Issue]) -> str:
    """Atom. A digest counts as published when its day is over."""
    return (
        environment()
        .get_template("feed.xml")
        .render(
            url=url,
            id=uuid5(NAMESPACE_URL, url or "podcast-insights").urn,
            updated=_over(issues[0].day) if issues else "1970-01-01T00:00:00Z",
            entries=told,
        )
    )


def _over(day: date) -> str:
    return datetime.combine(day + timedelta(days=1), time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
