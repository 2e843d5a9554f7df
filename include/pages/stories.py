"""What the pages tell of a claim: its theme, the digests that told it, what other shows say, and where they differ."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import duckdb

from include.digest.mention import Mention, mention
from include.digest.queries import ask
from include.digest.shown import one_line

SQL = Path(__file__).parent / "sql"

OTHERS_ON_A_PAGE = 12
CLAIMS_OF_A_SHOW = 50

CHART_WIDTH, CHART_HEIGHT = 600, 60

_CONTRADICTIONS = {"number": "The numbers differ", "polarity": "They say the opposite"}


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
class Contradiction:
    """Two claims of a theme that contradict each other, the earlier one first."""

    one: Mention
    other: Mention
    what: str
    detail: str

    def __str__(self) -> str:
        return f"{self.what}: {self.detail}" if self.detail else self.what


@dataclass(frozen=True, slots=True)
class DrawnDay:
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
    """A theme whose claims have pages, with these, oldest first: all of them where several shows tell it, so that it
    `has_page` of its own.

    `close` are other shows' claims of other themes, by the claim of this theme that they are close to; `likeness` is
    the cosine of two claims, by their ids, where it is known.
    """

    theme_id: str
    label: str
    has_page: bool
    mentions: tuple[Mention, ...]
    tellings: Mapping[str, Sequence[Telling]]
    contradictions: Sequence[Contradiction]
    close: Mapping[str, Sequence[Mention]]
    likeness: Mapping[tuple[str, str], float]

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
    def chart(self) -> list[DrawnDay]:
        """How often it was told on each day, drawn on a scale of days from the first to the last."""
        first, last = self.mentions[0].said_on, self.mentions[-1].said_on
        span = (last - first).days
        width = round(min(CHART_WIDTH / (span + 1), 24), 2)
        most = max(len(said) for _, said in self.days)
        return [
            DrawnDay(
                day,
                len(said),
                x=round((day - first).days / max(span, 1) * (CHART_WIDTH - width), 1),
                width=round(max(width - 1, 1.5), 2),
                height=round(len(said) / most * CHART_HEIGHT, 1),
            )
            for day, said in self.days
        ]

    def others(self, claim: Mention) -> list[Related]:
        """What other recordings say of it, a dozen at most: the theme's claims before those that are merely close to
        this one, each show once before any twice, the likest first, and where that is not known the best first."""

        def order(said: Mention) -> tuple:
            likeness = self.likeness.get((claim.claim_id, said.claim_id), 0.0)
            return -likeness, -(said.score or 0.0), said.said_on, said.claim_id

        others = (said for said in self.mentions if said.recording_show_id != claim.recording_show_id)
        of_the_theme = [said for said in others if not said.repeats(claim.quote)]
        found = []
        for group, is_close in ((of_the_theme, False), (self.close.get(claim.claim_id, ()), True)):
            ranked = sorted(group, key=order)
            first = {said.show_id: said for said in reversed(ranked)}
            ranked.sort(key=lambda said: first[said.show_id] is not said)
            found += [Related(said, is_close, self._differs({claim.claim_id, said.claim_id})) for said in ranked]
        return found[:OTHERS_ON_A_PAGE]

    def _differs(self, pair: set[str]) -> str | None:
        of_the_pair = (found for found in self.contradictions if {found.one.claim_id, found.other.claim_id} == pair)
        return next(map(str, of_the_pair), None)


def read_themes(connection: duckdb.DuckDBPyConnection, since: date) -> Iterator[Theme]:
    """The themes of claims that have pages which changed on that day or later."""
    tellings = read_tellings(connection)
    close, likeness = _related(connection, since)
    contradictions = defaultdict(list)
    for row in ask(connection, SQL / "contradictions.sql", since=since):
        contradictions[row["theme_id"]].append(row)
    for theme_id, group in groupby(ask(connection, SQL / "themes.sql", since=since), key=itemgetter("theme_id")):
        labels, pages, mentions = zip(
            *((row.pop("label"), row.pop("has_theme_page"), mention(row)) for row in group), strict=True
        )
        said = {claim.claim_id: claim for claim in mentions}
        pairs = [
            Contradiction(
                said[row["earlier_claim_id"]],
                said[row["later_claim_id"]],
                _CONTRADICTIONS.get(row["kind"], "They differ"),
                one_line(row["detail"], 300),
            )
            for row in contradictions[theme_id]
        ]
        yield Theme(theme_id, one_line(labels[0], 200), pages[0], mentions, tellings, pairs, close, likeness)


def read_shows(connection: duckdb.DuckDBPyConnection, since: date) -> Iterator[Show]:
    """The shows of those themes that changed on that day or later, or of which an episode was read since."""
    rows = ask(connection, SQL / "shows.sql", since=since, limit=CLAIMS_OF_A_SHOW)
    for show_id, group in groupby(rows, key=itemgetter("show_id")):
        episodes, mentions = zip(*((row.pop("episodes_read"), mention(row)) for row in group), strict=True)
        yield Show(show_id, mentions[0].show_title, episodes[0], mentions)


def read_tellings(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Telling]]:
    """The digests that told a claim, oldest first, by claim."""
    found = defaultdict(list)
    for row in ask(connection, SQL / "tellings.sql"):
        claim_id, texts = row.pop("claim_id"), {"why": one_line(row["why"]), "news": one_line(row["news"]) or None}
        found[claim_id].append(Telling(**row | texts))
    return found


def _related(
    connection: duckdb.DuckDBPyConnection, since: date
) -> tuple[dict[str, list[Mention]], dict[tuple[str, str], float]]:
    close: dict[str, list[Mention]] = defaultdict(list)
    likeness: dict[tuple[str, str], float] = {}
    for row in ask(connection, SQL / "related.sql", since=since):
        claim_id, theme_id, cosine = row.pop("of_claim_id"), row.pop("of_theme_id"), row.pop("likeness")
        said = mention(row)
        if cosine is not None:
            likeness[claim_id, said.claim_id] = cosine
        if said.theme_id != theme_id:
            close[claim_id].append(said)
    return close, likeness
