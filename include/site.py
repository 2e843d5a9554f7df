"""The pages: today, the archive, a page for each digest, insight, theme and show, a search, and a news feed.

Plain files without a build step or requests to anywhere else. Links are relative, so that the folder works from the
file system and under any address; only the search needs a script.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import duckdb

from include.digest import MENTIONS, Mention, digest_dates, mention, one_line, read_digest, web_address
from include.templates import FOLDER, environment
from include.warehouse import records

ENTRIES_OF_THE_FEED = 50
OTHERS_ON_A_PAGE = 12
CLAIMS_OF_A_SHOW = 100


@dataclass(frozen=True, slots=True)
class Issue:
    """A line of the archive: a day, how many insights it gave, and the first one's headline."""

    day: date
    insight_count: int
    headline: str | None


@dataclass(frozen=True, slots=True)
class Bar:
    """A day in a theme's chart, `x` from the left edge, `height` from the ground."""

    day: date
    count: int
    x: float
    height: float


@dataclass(frozen=True, slots=True)
class Show:
    """A show and what digests and their themes hold of it, newest first."""

    show_id: str
    title: str
    episodes_read: int
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme that a digest has told, with every claim of it, oldest first; `digests` are the days that told it, by
    claim."""

    theme_id: str
    label: str
    mentions: tuple[Mention, ...]
    digests: Mapping[str, tuple[date, ...]]

    @property
    def show_count(self) -> int:
        return len({said.show_id for said in self.mentions})

    @property
    def bars(self) -> list[Bar]:
        """How often it was told on each day, drawn 600 wide and 60 high, from the first day to the last."""
        days = self.days
        first, span = days[0][0], max((days[-1][0] - days[0][0]).days, 1)
        most = max(len(said) for _, said in days)
        return [
            Bar(day, len(said), round((day - first).days / span * 588, 1), round(len(said) / most * 60, 1))
            for day, said in days
        ]

    @property
    def days(self) -> list[tuple[date, list[Mention]]]:
        return [(day, list(said)) for day, said in groupby(self.mentions, key=lambda said: said.said_on)]

    def others(self, claim: Mention) -> list[Mention]:
        """What other shows say of it: the best claim of each show first, then the rest, a dozen at most."""
        others = [said for said in self.mentions if said.show_id != claim.show_id]
        others.sort(key=lambda said: (-(said.score or 0), said.said_on, said.claim_id))
        best = {said.show_id: said for said in reversed(others)}
        others.sort(key=lambda said: best[said.show_id] is not said)
        return others[:OTHERS_ON_A_PAGE]


def write_site(
    connection: duckdb.DuckDBPyConnection, folder: Path, site_url: str = "", since: date | None = None
) -> int:
    """Writes the pages from the schemas marts and ops; returns how many were new or changed.

    With `since`, only pages that depend on that day or a later one are looked at: it costs by the days, not by the
    history. Pages are replaced whole, and only where their content differs; none is ever removed, and the page of a
    digest that was sent stays as it is, so that links in mails keep working. `site_url` makes the news feed's
    addresses absolute. Safe to repeat.
    """
    site = _Writer(folder, (web_address(site_url) or "").rstrip("/"))
    issues = _issues(connection)
    sent = {row["digest_date"] for row in records(connection, _SENT)}
    digests = _digests_of_claims(connection)
    for asset in ("style.css", "search.js"):
        site.put(asset, (FOLDER / asset).read_text(encoding="utf-8"))
    for theme in _themes(connection, since or date.min, digests):
        site.page(f"themes/{theme.theme_id}.html", "theme.html", theme=theme)
        for claim in theme.mentions:
            site.page(f"insights/{claim.claim_id}.html", "insight.html", insight=claim, theme=theme)
    for show in _shows(connection, since or date.min):
        site.page(f"shows/{show.show_id}.html", "show.html", show=show, digests=digests)
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
    site.page("index.html", "index.html", digest=newest, issues=issues)
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
        self.put(path, environment().get_template(template).render(root=root, path=path, **values))

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

_TOLD_THEMES = f"""
with mentions as ({MENTIONS}),

told as (
    select theme_id, digest_date from marts.top_insights
    union all
    select mentions.theme_id, top_insights.digest_date
    from marts.top_insights as top_insights
    inner join mentions on top_insights.claim_id = mentions.claim_id
),

told_themes as (
    select
        told.theme_id,
        greatest(max(told.digest_date), max(mentions.said_on)) as touched_on
    from told
    inner join mentions on told.theme_id = mentions.theme_id
    group by told.theme_id
)
"""

_THEMES = f"""
{_TOLD_THEMES}

select coalesce(themes.label, mentions.headline) as label, mentions.*
from mentions
inner join told_themes on mentions.theme_id = told_themes.theme_id
left join marts.themes as themes on mentions.theme_id = themes.theme_id
where told_themes.touched_on >= $since
order by mentions.theme_id, mentions.said_on, mentions.score desc nulls last, mentions.claim_id
"""

_SHOWS = f"""
{_TOLD_THEMES},

read as (
    select show_id, count(*) as episodes_read, max(partition_date) as last_read
    from marts.episodes
    where transcript_status = 'ok'
    group by show_id
)

select coalesce(read.episodes_read, 0) as episodes_read, mentions.*
from mentions
inner join told_themes on mentions.theme_id = told_themes.theme_id
left join read on mentions.show_id = read.show_id
qualify
    greatest(
        max(told_themes.touched_on) over (partition by mentions.show_id),
        max(coalesce(read.last_read, date '0001-01-01')) over (partition by mentions.show_id)
    ) >= $since
    and row_number() over (
        partition by mentions.show_id
        order by mentions.said_on desc, mentions.score desc nulls last, mentions.claim_id
    ) <= $limit
order by mentions.show_id, mentions.said_on desc, mentions.score desc nulls last, mentions.claim_id
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


def _digests_of_claims(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[date, ...]]:
    """The days that told a claim, by claim."""
    rows = records(
        connection,
        "select claim_id, list(digest_date order by digest_date) as days from marts.top_insights group by claim_id",
    )
    return {row["claim_id"]: tuple(row["days"]) for row in rows}


def _themes(
    connection: duckdb.DuckDBPyConnection, since: date, digests: Mapping[str, tuple[date, ...]]
) -> Iterator[Theme]:
    for theme_id, group in groupby(records(connection, _THEMES, {"since": since}), key=itemgetter("theme_id")):
        rows = list(group)
        label = one_line(rows[0]["label"], 200)
        mentions = tuple(mention({name: value for name, value in row.items() if name != "label"}) for row in rows)
        yield Theme(theme_id, label, mentions, {m.claim_id: digests.get(m.claim_id, ()) for m in mentions})


def _shows(connection: duckdb.DuckDBPyConnection, since: date) -> Iterator[Show]:
    rows = records(connection, _SHOWS, {"since": since, "limit": CLAIMS_OF_A_SHOW})
    for show_id, group in groupby(rows, key=itemgetter("show_id")):
        episodes, mentions = 0, []
        for row in group:
            episodes = row.pop("episodes_read")
            mentions.append(mention(row))
        yield Show(show_id, mentions[0].show_title, episodes, tuple(mentions))


def _search_data(connection: duckdb.DuckDBPyConnection) -> str:
    """Every insight that a digest told, as a script, since a page from the file system may not fetch data."""
    rows = records(connection, _NEWS, {"entries": None})
    found = [(row["digest_date"], mention({k: v for k, v in row.items() if k not in _OF_THE_DIGEST})) for row in rows]
    entries = [
        {
            "id": said.claim_id,
            "day": day.isoformat(),
            "headline": said.headline,
            "text": said.summary or said.quote,
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
