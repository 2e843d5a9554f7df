"""What one recipient's digest holds: the day's own, but without the shows they muted, and with their interests first.

The day's shortlist, its five and the reserve behind them, is gone through in order of strength, as the day's own digest
was chosen; so for a recipient without wishes the outcome is that digest. An interest adds one point to the strength of
a claim that is about it: that moves it ahead, and never brings what was not worth sending.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import duckdb
import numpy as np

from include.digest.queries import SQL, ask
from include.digest.reading import Digest, Insight, read_digest
from include.digest.recipients import Recipient
from include.digest.seats import SEATS, seat_claims
from include.digest.shown import one_line
from include.words import claim_text, words

LIFT = 1.0
"""What an interest adds to the strength, on the scale of scores, 0 to 5."""

ABOUT = 0.33
"""The cosine of the bundled claim encoder from which a claim is about an interest that it does not name. On four days
of the sample and of real shows, judged by eye with 19 interests, most above it was about the interest, and of what had
less than 0.25 next to nothing."""

Encode = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A claim of the day's shortlist."""

    claim_id: str
    theme_id: str
    show_id: str
    show_title: str
    headline: str
    insight: str
    rank: int
    strength: float
    is_update: bool
    same_story: Sequence[str]

    @property
    def text(self) -> str:
        return claim_text(self.headline, self.insight)


def read_for(
    connection: duckdb.DuckDBPyConnection, day: date, recipient: Recipient, told: frozenset[str], encode: Encode
) -> Digest:
    """The digest of a day for one recipient, who has been told the themes of the ids `told` in the 14 days before.

    `encode` gives unit vectors of texts; it is called where the recipient has interests. Raises LookupError as
    `read_digest` does.
    """
    if not (recipient.interests or recipient.muted_shows):
        return read_digest(connection, day)
    line = [Listed(**row) for row in ask(connection, SQL / "shortlist.sql", day=day)]
    muted = frozenset(map(_folded, recipient.muted_shows))
    about = interests_met(line, recipient.interests, encode)
    picks = pick(line, muted, told, frozenset(about))
    digest = read_digest(connection, day, [claim.claim_id for claim in picks])
    insights = tuple(_worded(insight, muted, about.get(insight.claim_id)) for insight in digest.insights)
    return replace(digest, insights=insights, for_you=_difference(line, picks, muted, about))


def pick(line: Sequence[Listed], muted: frozenset[str], told: frozenset[str], wanted: frozenset[str]) -> list[Listed]:
    """Those of the shortlist that the recipient gets, best first. `muted` are titles of shows, folded; `wanted` are the
    ids of claims about an interest.

    A theme that this recipient was sent comes back only as an update, also where the day's own digest never told it.
    """
    heard = [
        claim
        for claim in line
        if _folded(claim.show_title) not in muted and (claim.is_update or claim.theme_id not in told)
    ]
    heard.sort(key=lambda claim: (-claim.strength - (LIFT if claim.claim_id in wanted else 0.0), claim.claim_id))
    return seat_claims(heard, lambda one, other: one.claim_id in other.same_story)


def interests_met(line: Sequence[Listed], interests: Sequence[str], encode: Encode) -> dict[str, str]:
    """The interest that each claim is about, by claim id: one all of whose words it says, else the nearest in meaning,
    where that is near enough."""
    if not (line and interests):
        return {}
    likeness = encode([claim.text for claim in line]) @ encode(list(interests)).T
    met = {}
    for claim, row in zip(line, likeness, strict=True):
        said = set(map(_stem, words(claim.text)))
        named = [interest for interest in interests if words(interest) and said.issuperset(map(_stem, words(interest)))]
        if named or row.max() >= ABOUT:
            met[claim.claim_id] = named[0] if named else interests[int(row.argmax())]
    return met


def _worded(insight: Insight, muted: frozenset[str], interest: str | None) -> Insight:
    """The insight without what muted shows say of it, and with the interest that it is about."""
    related, close = (
        tuple(other for other in others if _folded(other.show_title) not in muted)
        for others in (insight.related, insight.close)
    )
    why = f"{insight.why.rstrip('.')}; close to your interest in {one_line(interest)}." if interest else insight.why
    return replace(insight, related=related, close=close, why=why)


def _difference(
    line: Sequence[Listed], picks: Sequence[Listed], muted: frozenset[str], about: dict[str, str]
) -> str | None:
    """In one line, what the recipient's wishes changed; None where they changed nothing."""
    own = {claim.claim_id for claim in line if claim.rank <= SEATS}
    left = sorted({one_line(c.show_title, 100) for c in line if c.claim_id in own and _folded(c.show_title) in muted})
    brought = sum(claim.claim_id not in own and claim.claim_id in about for claim in picks)
    said = [f"what {' and '.join(left)} said is left out, as you asked"] if left else []
    if brought:
        said.append(f"{'one insight is' if brought == 1 else f'{brought} insights are'} here for your interests")
    return f"Chosen for you: {'; '.join(said)}." if said else None


def _folded(title: str) -> str:
    return " ".join(title.casefold().split())


def _stem(word: str) -> str:
    """Singular and plural alike."""
    return word.removesuffix("s") if len(word) > 3 else word
