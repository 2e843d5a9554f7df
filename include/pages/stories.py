"""What the pages tell of a claim: its theme, the digests that told it, what other shows say, and where they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from include.digest.reading import MENTIONS, Mention, has_mart, mention, one_line
from include.warehouse.database import records

OTHERS_ON_A_PAGE = 12
CLAIMS_OF_A_SHOW = 100

CHART_WIDTH, CHART_HEIGHT = 600, 60


@dataclass(frozen=True, slots=True)
class Telling:
    """A digest that told a claim. `news` are the numbers and names that were new in an update, None where it does not
    say; `since` is the day of the digest that the news is measured against."""

    day: date
    is_update: bool
    why: str
    news: str | None
    since: date | None


@dataclass(frozen=True, slots=True)
class Related:
    """What another show says. `is_close` where it is of another theme, merely close to this one; `differs` says in
    what it contradicts, None where it does not."""

    said: Mention
    is_close: bool
    differs: str | None


@dataclass(frozen=True, slots=True)
class Dissent:
    """Two claims of a theme that contradict each other, the earlier one first."""

    one: Mention
    other: Mention
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A day in a theme's chart, `x` from the left edge, `height` from the ground."""

    day: date
    count: int
    x: float
    width: float
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
    """A theme that has pages, with every claim of it, oldest first.

    `close` are other shows' claims of other themes, by the claim of this theme that they are close to; `likeness` is
    the cosine of two claims, by their ids, where it is known.
    """

    theme_id: str
    label: str
    mentions: tuple[Mention, ...]
    tellings: Mapping[str, tuple[Telling, ...]] = field(default_factory=dict)
    dissents: tuple[Dissent, ...] = ()
    close: Mapping[str, Sequence[Mention]] = field(default_factory=dict)
    likeness: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @property
    def first(self) -> Mention:
        return self.mentions[0]

    @property
    def shows(self) -> list[tuple[Mention, int]]:
        """A claim of each show and how many it has, the one that spoke first at the head."""
        said = {claim.show_id: claim for claim in reversed(self.mentions)}
        order = sorted(said.values(), key=self.mentions.index)
        return [(claim, sum(other.show_id == claim.show_id for other in self.mentions)) for claim in order]

    @property
    def days(self) -> list[tuple[date, list[Mention]]]:
        return [(day, list(said)) for day, said in groupby(self.mentions, key=lambda said: said.said_on)]

    @property
    def bars(self) -> list[Bar]:
        """How often it was told on each day, drawn on a scale of days from the first to the last."""
        days = self.days
        first = days[0][0]
        width = round(min(CHART_WIDTH / ((days[-1][0] - first).days + 1), 24), 2)
        span = max((days[-1][0] - first).days, 1)
        most = max(len(said) for _, said in days)
        return [
            Bar(
                day,
                len(said),
                round((day - first).days / span * (CHART_WIDTH - width), 1),
                round(max(width - 1, 1.5), 2),
                round(len(said) / most * CHART_HEIGHT, 1),
            )
            for day, said in days
        ]

    def others(self, claim: Mention) -> list[Related]:
        """What other shows say of it, a dozen at most: the theme's claims before those that are merely close to this
        one, each show once before any twice, the likest first, and where that is not known the best first."""

        def order(said: Mention) -> tuple:
            return (
                -self.likeness.get((claim.claim_id, said.claim_id), 0.0),
                -(said.score or 0.0),
                said.said_on,
                said.claim_id,
            )

        others = (said for said in self.mentions if said.show_id != claim.show_id)
        of_the_theme = [said for said in others if not said.repeats(claim.quote)]
        found = []
        for group, is_close in ((of_the_theme, False), (self.close.get(claim.claim_id, ()), True)):
            ranked = sorted(group, key=order)
            first = {said.show_id: said for said in reversed(ranked)}
            ranked.sort(key=lambda said: first[said.show_id] is not said)
            found += [Related(said, is_close, self._differs(claim, said)) for said in ranked]
        return found[:OTHERS_ON_A_PAGE]

    def _differs(self, claim: Mention, said: Mention) -> str | None:
        for dissent in self.dissents:
            if {dissent.one.claim_id, dissent.other.claim_id} == {claim.claim_id, said.claim_id}:
                return f"{dissent.what}: {dissent.detail}" if dissent.detail else dissent.what
        return None


def read_themes(connection: duckdb.DuckDBPyConnection, since: date) -> Iterator[Theme]:
    """The themes that have pages and changed on that day or later: those of digests, and those with a claim that is
    close to an insight of a digest. From the schemas marts and ops of the warehouse or of its published copy."""
    tellings = read_tellings(connection)
    close, likeness = _related(connection, since)
    dissents = _dissents(connection)
    rows = records(connection, f"{_told_themes(connection)} {_THEMES}", {"since": since})
    for theme_id, group in groupby(rows, key=itemgetter("theme_id")):
        labels, mentions = zip(*((row.pop("label"), mention(row)) for row in group), strict=True)
        yield Theme(
            theme_id,
            one_line(labels[0], 200),
            mentions,
            tellings,
            tuple(_contradictions(mentions, dissents.get(theme_id, ()))),
            close,
            likeness,
        )


def read_shows(connection: duckdb.DuckDBPyConnection, since: date) -> Iterator[Show]:
    """The shows of those themes that changed on that day or later, or of which an episode was read since."""
    parameters = {"since": since, "limit": CLAIMS_OF_A_SHOW}
    rows = records(connection, f"{_told_themes(connection)} {_SHOWS}", parameters)
    for show_id, group in groupby(rows, key=itemgetter("show_id")):
        episodes, mentions = zip(*((row.pop("episodes_read"), mention(row)) for row in group), strict=True)
        yield Show(show_id, mentions[0].show_title, episodes[0], mentions)


def read_tellings(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[Telling, ...]]:
    """The digests that told a claim, oldest first, by claim."""
    found: dict[str, tuple[Telling, ...]] = {}
    # Digests of older warehouses do not say what was new in an update.
    for row in records(connection, "select * from marts.top_insights order by digest_date, rank"):
        telling = Telling(
            row["digest_date"],
            bool(row["is_update"]),
            one_line(row["why"]),
            one_line(row.get("news")) or None,
            row.get("news_since"),
        )
        found[row["claim_id"]] = (*found.get(row["claim_id"], ()), telling)
    return found


_CONTRADICTIONS = {"number": "The numbers differ", "polarity": "They say the opposite"}

_NO_RELATED = """
    select
        null::varchar as claim_id, null::varchar as related_claim_id, null::double as likeness,
        null::date as partition_date
    where false
"""

_TOLD_THEMES = """
with mentions as ({mentions}),

related as ({related}),

told as (
    select theme_id, digest_date as day from marts.top_insights
    union all
    select mentions.theme_id, top_insights.digest_date
    from marts.top_insights as top_insights
    inner join mentions on top_insights.claim_id = mentions.claim_id
    union all
    select mentions.theme_id, related.partition_date
    from related
    inner join mentions on related.claim_id = mentions.claim_id
    union all
    select mentions.theme_id, related.partition_date
    from related
    inner join mentions on related.related_claim_id = mentions.claim_id
),

told_themes as (
    select
        told.theme_id,
        greatest(max(told.day), max(mentions.said_on)) as touched_on
    from told
    inner join mentions on told.theme_id = mentions.theme_id
    group by told.theme_id
)
"""

_THEMES = """
select coalesce(themes.label, mentions.headline) as label, mentions.*
from mentions
inner join told_themes on mentions.theme_id = told_themes.theme_id
left join marts.themes as themes on mentions.theme_id = themes.theme_id
where told_themes.touched_on >= $since
order by mentions.theme_id, mentions.said_on, mentions.score desc nulls last, mentions.claim_id
"""

_RELATED = """
, pairs as (
    select claim_id, related_claim_id, likeness from related
    union
    select related_claim_id, claim_id, likeness from related
)

select pairs.claim_id as of_claim_id, own.theme_id as of_theme_id, pairs.likeness, mentions.*
from pairs
inner join mentions as own on pairs.claim_id = own.claim_id
inner join told_themes on own.theme_id = told_themes.theme_id
inner join mentions on pairs.related_claim_id = mentions.claim_id
where told_themes.touched_on >= $since
"""

_SHOWS = """
, read as (
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


def _told_themes(connection: duckdb.DuckDBPyConnection) -> str:
    """The common part of the queries; copies that were published by older versions hold no related claims."""
    there = has_mart(connection, "related_claims")
    return _TOLD_THEMES.format(
        mentions=MENTIONS, related="select * from marts.related_claims" if there else _NO_RELATED
    )


def _related(
    connection: duckdb.DuckDBPyConnection, since: date
) -> tuple[dict[str, list[Mention]], dict[tuple[str, str], float]]:
    close: dict[str, list[Mention]] = {}
    likeness: dict[tuple[str, str], float] = {}
    for row in records(connection, f"{_told_themes(connection)} {_RELATED}", {"since": since}):
        claim_id, theme_id, cosine = row.pop("of_claim_id"), row.pop("of_theme_id"), row.pop("likeness")
        said = mention(row)
        if cosine is not None:
            likeness[claim_id, said.claim_id] = cosine
        if said.theme_id != theme_id:
            close.setdefault(claim_id, []).append(said)
    return close, likeness


def _dissents(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    if not has_mart(connection, "theme_dissent"):
        return {}
    rows = records(
        connection,
        """
        select theme_id, claim_id, other_claim_id, kind, detail from marts.theme_dissent
        order by claim_id, other_claim_id, kind, detail
        """,
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["theme_id"], []).append(row)
    return found


def _contradictions(mentions: Sequence[Mention], rows: Sequence[dict[str, Any]]) -> Iterator[Dissent]:
    """Each pair once, in the order in which the second of it was said."""
    place = {claim.claim_id: number for number, claim in enumerate(mentions)}
    pairs: dict[tuple[int, int, str], str] = {}
    for row in rows:
        if row["claim_id"] in place and row["other_claim_id"] in place:
            pair = sorted((place[row["claim_id"]], place[row["other_claim_id"]]))
            what = _CONTRADICTIONS.get(row["kind"], "They differ")
            pairs.setdefault((pair[1], pair[0], what), one_line(row["detail"], 300))
    for (later, earlier, what), detail in sorted(pairs.items()):
        yield Dissent(mentions[earlier], mentions[later], what, detail)
