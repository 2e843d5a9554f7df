"""A day's digest: the insights that were chosen, what other shows say of the same, and what went into it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from include.digest.mention import Mention, mention, shown
from include.digest.queries import SQL, ask
from include.digest.seats import SEATS, in_words
from include.digest.shown import one_line

RELATED_AN_INSIGHT = 3

WORDS_A_MINUTE = 170
"""How fast podcasts talk, for episodes whose feed gives no length: 734,644 words in 72.3 hours of ten shows."""

DAYS_OF_FAILURE = 7
"""From how many days on it is said since when a feed fails: a shorter trouble often ends by itself."""

ONE_GLANCE = 80
"""As many characters as are read without stopping."""

_LAST_REASON = re.compile(r"; (?:[^();]|\([^()]*\))*\)(?=[;.])")

_MAKERS = {
    "offline": "the bundled model",
    "publisher": "the publishers",
    "assemblyai": "AssemblyAI",
    "local": "the local speech model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight(Mention):
    """One of the day's. `related` are other shows' claims of the same theme, one a show, and `close` those of other
    themes that come near it in meaning, as many as make three with these; none is later than the digest. `why` says in
    plain words why it was chosen. Of an update, `news` names what is new in it and `news_since` is the day of the
    digest that told the theme last; both are None where that is not known."""

    rank: int
    is_update: bool
    news: str | None
    news_since: date | None
    why: str
    related: tuple[Mention, ...]
    close: tuple[Mention, ...]

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


@dataclass(frozen=True, slots=True)
class MadeUp:
    """Feeds that were read late: by the run of the digest's own day for the earlier `day`, or, where it `is_own`, for
    the digest's own day by the run of the later `day`."""

    is_own: bool
    day: date
    feeds: int
    episodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What one day gave; money is US dollars. `seconds_read` is the length of what was read, in part taken from the
    number of words where `length_is_estimated`. `for_you` says what differs from the day's own digest for the
    recipient of this one."""

    date: date
    insights: tuple[Insight, ...]
    feeds_checked: int
    shows_read: int
    episodes_read: int
    seconds_read: int
    length_is_estimated: bool
    made_up: tuple[MadeUp, ...]
    left_out: tuple[LeftOut, ...]
    models: tuple[str, ...]
    chat_usd: float
    speech_usd: float
    for_you: str | None = None

    @property
    def cost_usd(self) -> float:
        return self.chat_usd + self.speech_usd

    @property
    def note(self) -> str | None:
        """One line for a day that gave less insights than a digest has; None for a full one."""
        if not self.episodes_read:
            return "No new episode could be read on this day, so there are no insights."
        if not self.insights and self.for_you:
            return "Nothing else that was said in the day's episodes stood out."
        if not self.insights:
            return "Nothing that was said in the day's episodes stood out, so there are no insights."
        if (found := len(self.insights)) < SEATS:
            insights = f"{in_words(found)} insight{'s' if found > 1 else ''}"
            return f"Only {insights} stood out on this day; nothing was added to fill the list."
        return None

    @property
    def on_quotations(self) -> str | None:
        """One line where insights are the speakers' own words; None where a chat model wrote them all."""
        if not any(insight.is_quotation for insight in self.insights):
            return None
        return "No chat model is set up, so the insights are the speakers’ own words, chosen from the transcripts."


def digest_dates(connection: duckdb.DuckDBPyConnection) -> list[date]:
    """The days that have a digest, with or without insights, oldest first."""
    return [row["day"] for row in ask(connection, SQL / "days.sql")]


def read_digest(connection: duckdb.DuckDBPyConnection, day: date, claim_ids: Sequence[str] | None = None) -> Digest:
    """The digest of a day; with `claim_ids`, those of the day's shortlist, in that order, take the place of its own.

    Raises LookupError where the day has never been run, or where a chosen claim is no longer among the claims.
    """
    (read,) = ask(connection, SQL / "read.sql", day=day, words_a_minute=WORDS_A_MINUTE)
    (cost,) = ask(connection, SQL / "cost.sql", day=day)
    insights = _insights(connection, day, claim_ids)
    if not (read.pop("episodes") or read["feeds_checked"] or insights):
        raise LookupError(f"There is no digest of {day}: that day has not been run. Run it, then try again.")
    return Digest(
        date=day,
        insights=insights,
        made_up=tuple(MadeUp(**row) for row in ask(connection, SQL / "made_up.sql", day=day)),
        left_out=tuple(
            LeftOut(one_line(row["what"], 300), one_line(row["reason"], 300))
            for row in ask(connection, SQL / "left_out.sql", day=day, failing_days=DAYS_OF_FAILURE)
        ),
        models=tuple(
            f"{row['what']} by {_MAKERS.get(row['maker'], one_line(row['maker'], 100))}"
            for row in ask(connection, SQL / "makers.sql", day=day)
        ),
        **read,
        **cost,
    )


def _insights(connection: duckdb.DuckDBPyConnection, day: date, claim_ids: Sequence[str] | None) -> tuple[Insight, ...]:
    chosen = ask(connection, SQL / "insights.sql", day=day, claim_ids=claim_ids, seats=SEATS)
    told: dict[str, tuple[list[Mention], list[Mention]]] = {row["chosen_claim_id"]: ([], []) for row in chosen}
    for row in ask(connection, SQL / "others.sql", day=day, claim_ids=list(told)):
        told[row.pop("chosen_claim_id")][row.pop("is_close")].append(mention(row))
    return tuple(_insight(row, day, *told[row["chosen_claim_id"]]) for row in chosen)


def _insight(row: dict, day: date, related: Sequence[Mention], close: Sequence[Mention]) -> Insight:
    claim_id, theme_id = row.pop("chosen_claim_id"), row.pop("chosen_theme_id")
    if row["claim_id"] is None:
        raise LookupError(
            f"The digest of {day} names the claim {claim_id}, which is no longer among the claims. "
            "Run the day again from build_claims on."
        )
    related = [said for said in related if not said.repeats(row["quote"])][:RELATED_AN_INSIGHT]
    shows = {said.show_id for said in related}
    close = [said for said in close if said.show_id not in shows][: RELATED_AN_INSIGHT - len(related)]
    texts = {"theme_id": theme_id, "why": one_line(row["why"]), "news": one_line(row["news"], 200) or None}
    return Insight(**shown(row) | texts, related=tuple(related), close=tuple(close))
