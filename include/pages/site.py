"""The pages: today, the archive, a page for each digest, insight, theme and show, a search, and a news feed.

Plain files without a build step or requests to anywhere else. Links are relative, so that the folder works from the
file system and under any address; only the search needs a script.
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

from include.digest.reading import MENTIONS, digest_dates, mention, one_line, read_digest, web_address
from include.pages import stories
from include.templates import FOLDER, environment
from include.warehouse.database import records

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
    history. Pages are replaced whole, and only where their content differs; none is ever removed, and the page of a
    digest that was sent stays as it is, so that links in mails keep working. `site_url` makes the news feed's
    addresses absolute, and tells those who share a page where it is. Safe to repeat.
    """
    site = _Writer(folder, (web_address(site_url) or "").rstrip("/"))
    issues = _issues(connection)
    sent = {row["digest_date"] for row in records(connection, _SENT)}
    for asset in ("style.css", "search.js"):
        site.put(asset, (FOLDER / asset).read_text(encoding="utf-8"))
    tellings = stories.read_tellings(connection)
    for theme in stories.read_themes(connection, since or date.min):
        site.page(f"themes/{theme.theme_id}.html", "theme.html", theme=theme)
        for claim in theme.mentions:
            site.page(f"insights/{claim.claim_id}.html", "insight.html", insight=claim, theme=theme)
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
    site.put("search-data.js", _search_data(connection))
    site.put("feed.xml", _feed(connection, site.url, issues))
    return site.changed


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


_SENT = "select distinct digest_date from ops.deliveries where status = 'sent'"

_OF_THE_DIGEST = ("digest_date", "is_update")

_ISSUES = """
select
    top_insights.digest_date as day, count(*) as insight_count,
    first(claims.headline order by top_insights.rank) as headline
from marts.top_insights as top_insights
left join marts.claims as claims on top_insights.claim_id = claims.claim_id
group by top_insights.digest_date
"""

_NEWS = f"""
with mentions as ({MENTIONS})

select top_insights.digest_date, top_insights.is_update, mentions.*
from marts.top_insights as top_insights
inner join mentions on top_insights.claim_id = mentions.claim_id
order by top_insights.digest_date desc, top_insights.rank
limit $entries
"""


def _issues(connection: duckdb.DuckDBPyConnection) -> list[Issue]:
    """Newest first."""
    told = {row["day"]: row for row in records(connection, _ISSUES)}
    return [
        Issue(day, told[day]["insight_count"], one_line(told[day]["headline"], 300) or None)
        if day in told
        else Issue(day, 0, None)
        for day in reversed(digest_dates(connection))
    ]


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


def _search_data(connection: duckdb.DuckDBPyConnection) -> str:
    """Every insight that a digest told, as a script, since a page from the file system may not fetch data."""
    rows = records(connection, _NEWS, {"entries": None})
    found = [(row["digest_date"], mention({k: v for k, v in row.items() if k not in _OF_THE_DIGEST})) for row in rows]
    entries = [
        {
            "id": said.claim_id,
            "day": day.isoformat(),
            "headline": said.headline,
            "text": one_line(said.summary or said.quotation, SEARCHED_LETTERS),
            "speaker": said.speaker or "",
            "show": said.show_title,
        }
        for day, said in found
    ]
    return f"const INSIGHTS = {json.dumps(entries, indent=0)};\n"


def _feed(connection: duckdb.DuckDBPyConnection, url: str, issues: list[Issue]) -> str:
    """Atom. A digest counts as published when its day is over."""
    entries = []
    for row in records(connection, _NEWS, {"entries": ENTRIES_OF_THE_FEED}):
        day, is_update = row.pop("digest_date"), row.pop("is_update")
        entries.append(
            {
                "insight": mention(row),
                "is_update": is_update,
                "id": uuid5(NAMESPACE_URL, f"{day}/{row['claim_id']}").urn,
                "at": _over(day),
            }
        )
    return (
        environment()
        .get_template("feed.xml")
        .render(
            url=url,
            id=uuid5(NAMESPACE_URL, url or "podcast-insights").urn,
            updated=_over(issues[0].day) if issues else "1970-01-01T00:00:00Z",
            entries=entries,
        )
    )


def _over(day: date) -> str:
    return datetime.combine(day + timedelta(days=1), time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
