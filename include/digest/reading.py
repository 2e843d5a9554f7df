"""A day's digest: the insights that were chosen, what other shows say of the same, and what went into it."""

import difflib
import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import duckdb

from include.warehouse.database import records
from include.words import words

INSIGHTS_A_DAY = 5
RELATED_AN_INSIGHT = 3

WORDS_A_MINUTE = 170
"""How fast podcasts talk, for episodes whose feed gives no length: 734,644 words in 72.3 hours of ten shows."""

FAILING_DAYS = 7
"""From how many days on it is said since when a feed fails: a shorter trouble often ends by itself."""

ONE_GLANCE = 80
"""As many characters as are read without stopping."""

ALMOST_ALL = 0.9
"""The share of a text's words that another holds in the same order when showing both would be reading it twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A claim as a reader meets it: what was said, who said it, where to hear it.

    Texts are single lines without control characters; addresses are http or https, or None. `said_on` is the day (UTC)
    whose new episodes hold it; `start_seconds` is None where the transcript bears no time.
    """

    claim_id: str
    theme_id: str
    headline: str
    insight: str
    quote: str
    speaker: str | None
    show_id: str
    show_title: str
    episode_title: str
    episode_url: str | None
    listen_url: str | None
    start_seconds: float | None
    said_on: date
    score: float | None
    extractor: str | None

    @property
    def is_quotation(self) -> bool:
        """Whether the insight is the speaker's own words, as the offline extractor gives it."""
        return (self.extractor or "").startswith("offline")

    @property
    def summary(self) -> str | None:
        """The insight, or None where it says nothing beyond the quote."""
        return None if _repeats(self.insight, self.quote) else self.insight

    @property
    def quotation(self) -> str | None:
        """The speaker's words, made readable where the insight is made of them alone; None where the summary holds the
        quote word for word, so that nothing is read twice."""
        if self.summary is None and self.is_quotation:
            return self.insight
        return None if self.summary and _holds(self.summary, self.quote) else self.quote

    def repeats(self, quote: str) -> bool:
        """Whether the words are those of another quote, as where two shows publish one recording."""
        return _repeats(self.quote, quote)

    @property
    def verbatim(self) -> str | None:
        """The quote as the transcript has it, where something else is shown of it."""
        shown = self.quotation or self.summary or ""
        return None if words(shown) == words(self.quote) or _holds(shown, self.quote) else self.quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight(Mention):
    """One of the day's five. `related` are other shows' claims of the same theme, one a show, and `close` those of
    other themes that come near it in meaning, as many as make three with these; none is later than the digest.
    `why` says in plain words why it was chosen. Of an update, `news` names what is new in it and `news_since` is
    the day of the digest that told the theme last; both are None where that is not known. `has_page` says whether
    it and what is related have pages: those of themes that a digest has told."""

    rank: int
    theme_label: str
    show_count: int
    is_update: bool
    news: str | None
    news_since: date | None
    why: str
    has_page: bool
    related: tuple[Mention, ...]
    close: tuple[Mention, ...] = ()

    @property
    def update_note(self) -> str | None:
        """`New since 22 October: 12 more boats, Skagen Yard.`"""
        if not (self.is_update and self.news and self.news_since):
            return None
        return f"New since {self.news_since.day} {self.news_since:%B}: {self.news}."

    @property
    def why_in_short(self) -> str:
        """`why`, without the last and least of the reasons that stand in brackets where all are too many for one
        glance. A reason may have brackets of its own: `names things (CPU, Kubernetes)`."""
        return self.why if len(self.why) <= ONE_GLANCE else _LAST_REASON.sub(")", self.why, count=1)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that the digest could not take into account, and the reason."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What one day gave; money is US dollars. `seconds_read` is the length of what was read, in part taken from the
    number of words where `length_is_estimated`."""

    date: date
    insights: tuple[Insight, ...]
    feeds_checked: int
    shows_read: int
    episodes_read: int
    seconds_read: int
    length_is_estimated: bool
    words_read: int
    left_out: tuple[LeftOut, ...]
    models: tuple[str, ...]
    cost_usd: float
    for_you: str | None = None
    """What differs from the day's own digest for the recipient of this one."""

    @property
    def note(self) -> str | None:
        """One line for a day that gave less than five insights; None for a full one."""
        if not self.episodes_read:
            return "No new episode could be read on this day, so there are no insights."
        if not self.insights and self.for_you:
            return "Nothing else that was said in the day's episodes stood out."
        if not self.insights:
            return "Nothing that was said in the day's episodes stood out, so there are no insights."
        if len(self.insights) < INSIGHTS_A_DAY:
            number = ("", "one insight", "two insights", "three insights", "four insights")[len(self.insights)]
            return f"Only {number} stood out on this day; nothing was added to fill the list."
        return None

    @property
    def has_quotations(self) -> bool:
        return any(insight.is_quotation for insight in self.insights)


def digest_dates(connection: duckdb.DuckDBPyConnection) -> list[date]:
    """The days that have a digest, with or without insights, oldest first."""
    rows = records(
        connection,
        """
        select partition_date as day from ops.feed_status
        union select partition_date from marts.episodes
        union select digest_date from marts.top_insights
        order by day
        """,
    )
    return [row["day"] for row in rows]


def read_digest(connection: duckdb.DuckDBPyConnection, day: date, claim_ids: Sequence[str] | None = None) -> Digest:
    """The digest of a day, from the schemas marts and ops of the warehouse or of its published copy; with `claim_ids`,
    those of the day's shortlist, in that order, take the place of its five.

    Raises LookupError where the day has never been run, or where a chosen claim is no longer among the claims.
    """
    parameters = {"day": day}
    (read,) = records(connection, _READ, {**parameters, "words_a_minute": WORDS_A_MINUTE})
    (feeds,) = records(
        connection, "select count(*) as feeds from ops.feed_status where partition_date = $day", parameters
    )
    insights = _insights(connection, day, claim_ids)
    if not (read["episodes"] or feeds["feeds"] or insights):
        raise LookupError(f"There is no digest of {day}: that day has not been run. Run it, then try again.")
    (cost,) = records(connection, _COST, parameters)
    return Digest(
        date=day,
        insights=insights,
        feeds_checked=feeds["feeds"],
        shows_read=read["shows_read"],
        episodes_read=read["episodes_read"],
        seconds_read=read["seconds_read"],
        length_is_estimated=read["length_is_estimated"],
        words_read=read["words_read"],
        left_out=tuple(
            LeftOut(one_line(row["what"]), one_line(row["reason"]))
            for row in records(connection, _LEFT_OUT, {**parameters, "failing_days": FAILING_DAYS})
        ),
        models=tuple(
            f"{row['what']} by {_MAKERS.get(row['maker'], one_line(row['maker'], 100))}"
            for row in records(connection, _MODELS, parameters)
        ),
        cost_usd=cost["cost_usd"],
    )


def mention(row: dict) -> Mention:
    """A row of `MENTIONS` as a value, its texts and addresses made safe to show."""
    return Mention(**_shown(row))


def one_line(text: str | None, limit: int = 2000) -> str:
    """Text on one line: white space folded, control and direction-changing characters removed, cut at `limit`."""
    kept = "".join(c if unicodedata.category(c) not in _UNSEEN or c in _JOINERS else " " for c in text or "")
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def web_address(address: str | None) -> str | None:
    """The address where it is http or https with a host, else None: a feed may hold `javascript:` and worse."""
    address = (address or "").strip()
    if len(address) > 2000 or any(c.isspace() or unicodedata.category(c) in _UNSEEN for c in address):
        return None
    try:
        parts = urlsplit(address)
        return address if parts.scheme.lower() in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


_LAST_REASON = re.compile(r"; (?:[^();]|\([^()]*\))*\)(?=[;.])")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"

MENTIONS = """
    select
        claims.claim_id, coalesce(claims.theme_id, claims.claim_id) as theme_id, claims.headline, claims.insight,
        claims.quote, claims.speaker,
        episodes.show_id, episodes.show_title, episodes.title as episode_title, episodes.episode_url,
        claims.listen_url, claims.start_seconds, claims.partition_date as said_on, claims.score, claims.extractor
    from marts.claims as claims
    inner join marts.episodes as episodes on claims.episode_id = episodes.episode_id
"""

_THE_FIVE = "select *, true as has_page from marts.top_insights where digest_date = $day"
_PICKED = """
    select
        * replace (list_position($claim_ids, claim_id)::integer as rank),
        theme_id in (select theme_id from marts.top_insights) as has_page
    from marts.shortlist
    where digest_date = $day and list_contains($claim_ids, claim_id)
"""

_CHOSEN = f"""
mentions as ({MENTIONS})

select
    picks.claim_id as chosen_claim_id, picks.rank, picks.theme_id as chosen_theme_id, picks.show_count,
    picks.is_update, picks.news, picks.news_since, picks.why, picks.has_page, themes.label as theme_label, mentions.*
from picks
left join mentions on picks.claim_id = mentions.claim_id
left join marts.themes as themes on picks.theme_id = themes.theme_id
order by picks.rank
"""

_RELATED = f"""
mentions as ({MENTIONS}),

chosen as (
    select picks.claim_id as chosen_claim_id, picks.theme_id, mentions.show_id
    from picks
    inner join mentions on picks.claim_id = mentions.claim_id
),

best_of_each_show as (
    select chosen.chosen_claim_id, mentions.*
    from chosen
    inner join mentions on chosen.theme_id = mentions.theme_id
    where mentions.show_id <> chosen.show_id and mentions.said_on <= $day
    qualify row_number() over (
        partition by chosen.chosen_claim_id, mentions.show_id
        order by mentions.score desc nulls last, mentions.said_on desc, mentions.claim_id
    ) = 1
)

select *
from best_of_each_show
qualify row_number() over (
    partition by chosen_claim_id order by score desc nulls last, said_on desc, claim_id
) <= $related
order by chosen_claim_id, score desc nulls last, said_on desc, claim_id
"""

_CLOSE = f"""
mentions as ({MENTIONS}),

chosen as (
    select picks.claim_id as chosen_claim_id, mentions.theme_id
    from picks
    inner join mentions on picks.claim_id = mentions.claim_id
),

likest_of_each_show as (
    select chosen.chosen_claim_id, related.likeness, mentions.*
    from chosen
    inner join marts.related_claims as related on chosen.chosen_claim_id = related.claim_id
    inner join mentions on related.related_claim_id = mentions.claim_id
    where mentions.theme_id <> chosen.theme_id and mentions.said_on <= $day
    qualify row_number() over (
        partition by chosen.chosen_claim_id, mentions.show_id order by related.likeness desc, mentions.claim_id
    ) = 1
)

select * exclude (likeness)
from likest_of_each_show
order by chosen_claim_id, likeness desc, claim_id
"""

_READ = """
select
    count(*) as episodes,
    count(*) filter (transcript_status = 'ok') as episodes_read,
    count(distinct show_id) filter (transcript_status = 'ok') as shows_read,
    coalesce(
        sum(coalesce(duration_seconds, word_count * 60 / $words_a_minute)) filter (transcript_status = 'ok'), 0
    )::bigint as seconds_read,
    count(*) filter (transcript_status = 'ok' and duration_seconds is null) > 0 as length_is_estimated,
    coalesce(sum(word_count) filter (transcript_status = 'ok'), 0)::bigint as words_read
from marts.episodes
where partition_date = $day
"""

_SUBJECTS = """
    select episode_id as subject_id from marts.episodes where partition_date = $day
    union select claim_id from marts.claims where partition_date = $day
    union select strftime($day::date, '%Y-%m-%d')
"""

_COST = f"""
select
    coalesce((select sum(cost_usd) from ops.llm_calls where subject_id in ({_SUBJECTS})), 0)::double
    + coalesce((select sum(cost_usd) from ops.transcription_jobs where partition_date = $day), 0)::double as cost_usd
"""

_LEFT_OUT = """
with last_tries as (
    -- What became of an episode's audio says more than that its publisher has no transcript.
    select episode_id, string_agg(error, '; ' order by source) as error
    from (
        select episode_id, source, arg_max(error, tries) as error
        from ops.transcription_jobs
        group by episode_id, source
        qualify source <> 'publisher' or count(*) over (partition by episode_id) = 1
    )
    where error is not null
    group by episode_id
)

select what, reason
from (
    select
        1 as part, coalesce(show_title, feed_url) as what,
        coalesce(reason, status) || case
            when failing_days >= $failing_days then strftime(failing_since, '; failing since %-d %B %Y') else ''
        end as reason
    from ops.feed_status
    where partition_date = $day and status in ('failed', 'blocked', 'skipped')

    union all

    select
        2, episodes.show_title || ': ' || episodes.title,
        coalesce(
            jobs.error,
            case episodes.transcript_status when 'none' then 'no transcript is offered' else 'no transcript yet' end
        )
    from marts.episodes as episodes
    left join last_tries as jobs on episodes.episode_id = jobs.episode_id
    where episodes.partition_date = $day and episodes.transcript_status is distinct from 'ok'

    union all

    select
        3, episodes.show_title || ': ' || episodes.title,
        count(*)::varchar || case when count(*) = 1 then ' part' else ' parts' end || case dropped.reason
            when 'skipped_budget' then ' not read, as the budget was spent'
            when 'refused' then ' refused by the chat model'
            else ' not read, as the chat model gave no answer'
        end
    from ops.dropped_claims as dropped
    inner join marts.episodes as episodes on dropped.episode_id = episodes.episode_id
    where dropped.partition_date = $day and dropped.quote = ''
    group by episodes.show_title, episodes.title, dropped.reason

    union all

    select
        4, count(*)::varchar || case when count(*) = 1 then ' claim' else ' claims' end,
        'the transcript does not bear them out'
    from ops.dropped_claims
    where
        partition_date = $day
        and reason in ('quote_not_found', 'wrong_speaker', 'unsupported_number', 'unsupported_name')
    having count(*) > 0

    union all

    select
        5,
        count(distinct subject_id)::varchar || case when count(distinct subject_id) = 1 then ' claim' else ' claims' end
        || case when task = 'same_story' then ' not compared with all that is like it' else ' not rated' end,
        coalesce(any_value(error order by call_key), status)
    from ops.llm_calls as calls
    where
        status not in ('ok', 'truncated')
        and subject_id in (select claim_id from marts.claims where partition_date = $day)
        and not (
            status = 'malformed'
            and exists (
                select 1 from ops.llm_calls as again
                where again.subject_id = calls.subject_id and again.task = calls.task and again.status = 'ok'
            )
        )
    group by task = 'same_story', status

    union all

    select
        6,
        count(*)::varchar || ' ' || case when count(*) = 1 then regexp_replace(door, 's$', '') else door end,
        any_value(reason order by row_key)
    from ops.rejected_rows
    where partition_date = $day
    group by door, rule
)
order by part, what, reason
"""

_MODELS = """
select distinct part, what, maker
from (
    select 1 as part, 'insights' as what, extractor as maker from marts.claims where partition_date = $day
    union all
    select 2, 'scores', scorer from marts.claims where partition_date = $day
    union all
    select 3, 'transcripts', transcript_source
    from marts.episodes
    where partition_date = $day and transcript_status = 'ok'
)
where maker is not null
order by part, maker
"""

_MAKERS = {
    "offline": "the bundled model",
    "publisher": "the publishers",
    "assemblyai": "AssemblyAI",
    "local": "the local speech model",
}


def has_mart(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether there is such a table; copies that older versions published lack some."""
    return bool(
        records(
            connection,
            """
            select 1 from information_schema.tables
            where table_catalog = current_database() and table_schema = 'marts' and table_name = $table
            """,
            {"table": table},
        )
    )


def _insights(connection: duckdb.DuckDBPyConnection, day: date, claim_ids: Sequence[str] | None) -> tuple[Insight, ...]:
    picks = f"with picks as ({_THE_FIVE if claim_ids is None else _PICKED}),"
    parameters: dict[str, Any] = {"day": day} if claim_ids is None else {"day": day, "claim_ids": list(claim_ids)}
    chosen = records(connection, picks + _CHOSEN, parameters)
    if not chosen:
        return ()
    related: dict[str, list[Mention]] = {}
    # One more than is told, since a recording that another show publishes as well is no second telling.
    for row in records(connection, picks + _RELATED, {**parameters, "related": RELATED_AN_INSIGHT + 1}):
        related.setdefault(row.pop("chosen_claim_id"), []).append(mention(row))
    close: dict[str, list[Mention]] = {}
    if has_mart(connection, "related_claims"):
        for row in records(connection, picks + _CLOSE, parameters):
            close.setdefault(row.pop("chosen_claim_id"), []).append(mention(row))
    insights = []
    for row in chosen:
        claim_id, theme_id = row.pop("chosen_claim_id"), row.pop("chosen_theme_id")
        if row["claim_id"] is None:
            raise LookupError(
                f"The digest of {day} names the claim {claim_id}, which is no longer among the claims. "
                "Run the day again from build_claims on."
            )
        others = [said for said in related.get(claim_id, ()) if not said.repeats(row["quote"])][:RELATED_AN_INSIGHT]
        told = {said.show_id for said in others}
        near = [said for said in close.get(claim_id, ()) if said.show_id not in told]
        row.update(
            theme_id=theme_id or row["theme_id"],
            theme_label=one_line(row["theme_label"] or row["headline"], 200),
            why=one_line(row["why"]),
            news=one_line(row["news"], 200) or None,
            is_update=bool(row["is_update"]),
            show_count=row["show_count"] or 1,
            related=tuple(others),
            close=tuple(near[: RELATED_AN_INSIGHT - len(others)]),
        )
        insights.append(Insight(**_shown(row)))
    return tuple(insights)


def _shown(row: dict) -> dict:
    return row | {
        "headline": one_line(row["headline"], 300),
        "insight": one_line(row["insight"]),
        "quote": one_line(row["quote"]),
        "speaker": one_line(row["speaker"], 100) or None,
        "show_title": one_line(row["show_title"], 200) or "A show without a name",
        "episode_title": one_line(row["episode_title"], 300) or "Untitled episode",
        "episode_url": web_address(row["episode_url"]),
        "listen_url": web_address(row["listen_url"]),
    }


def _holds(longer: str, shorter: str) -> bool:
    return f" {' '.join(words(shorter))} " in f" {' '.join(words(longer))} "


@functools.lru_cache(maxsize=10_000)
def _repeats(text: str, other: str) -> bool:
    """Whether all but a few of the text's words stand in the other, in the same order."""
    own = words(text)
    matcher = difflib.SequenceMatcher(None, own, words(other), autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) >= ALMOST_ALL * len(own)
