"""Choosing the five insights of a day: the strongest claims, one a theme, at most two a show, nothing told twice.

Behind the five stands a reserve, from which a reader gets the next best for a show that they muted.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_list_like

from include.claims.facts import Unsupported, as_said, spellings, unsupported
from include.digest.seats import DAYS_REMEMBERED, SEATS, seat_claims
from include.settings import OFFLINE
from include.words import states

RESERVE = 25
"""How many claims a day keeps in line behind its five."""

NEWS_NAMED = 4

# On the scale of scores, 0 to 5: what is not worth sending, what each further show that tells a theme adds and how many
# of them count, what an update must be better by than a story that is new.
FLOOR = 1.0
FOR_ANOTHER_SHOW = 0.05
SHOWS_COUNTED = 4
BETTER_THAN_NEW = 0.15
# What it adds that a headline says what is claimed: of 52 items that readers graded nearly all of these were fit to be
# sent, and half of those under a topic line. So these others come only for what the day is about.
FOR_A_STATEMENT = 0.6
# So many a day brings whatever heads them.
FEWEST = 2
# What telling the day's story adds, for each point of the story's strength, and at most; and how much more telling it
# all than nothing of it counts for which of its claims that is.
FOR_THE_STORY, MOST_FOR_THE_STORY = 0.5, 1.5
FOR_TELLING = 1.0

# Cosines: two claims tell one story whatever their themes say; a claim merely says a sent one again.
SAME_STORY = 0.6
PARAPHRASE = 0.75

# Seconds that somebody who goes to a place in a recording listens on.
HEARD_ON = 60

# Types are given so that a result without rows still makes the right table.
COLUMNS = {
    "digest_date": pd.ArrowDtype(pa.date32()),
    "rank": "int32",
    "claim_id": "str",
    "theme_id": "str",
    "score": "float64",
    "strength": "float64",
    "is_update": "bool",
    "news_since": pd.ArrowDtype(pa.date32()),
    "news": "str",
    "show_count": "int32",
    "why": "str",
    "story": "str",
    "story_lift": "float64",
    "same_story": pd.ArrowDtype(pa.list_(pa.string())),
}


def derive(candidates: pd.DataFrame, settled: pd.DataFrame | None = None) -> pd.DataFrame:
    """The digests of all dates that have candidates and no settled digest, chosen in date order: a row an insight,
    with digest_date and the columns of `choose`.

    `candidates` has a row a scored claim: partition_date, claim_id, theme_id, show_id, episode_id, headline, insight,
    extractor, start_seconds (null where nobody knows), embedding, score, show_count; score_reason where it is to be
    told; and of a claim that tells what the day is about, story, telling, story_strength and story_show_count.
    `settled` are digests that stay as they are, with the columns of the result; digests of the 14 days after them
    remember them.
    """
    told = candidates.set_index("claim_id", drop=False)
    decided: set[date] = set()
    sent: list[pd.DataFrame] = []
    if settled is not None and len(settled):
        decided = {_day(value) for value in settled["digest_date"]}
        sent.append(_remembered(settled[settled["rank"] <= SEATS], told))
    digests = []
    for value, today in candidates.groupby("partition_date", sort=True):
        day = _day(value)
        if day in decided:
            continue
        before = pd.concat(sent, ignore_index=True) if sent else _remembered(candidates[:0], told)
        age = np.array([(day - _day(sent_on)).days for sent_on in before["digest_date"]], dtype=int)
        digest = choose(today, before[(age > 0) & (age <= DAYS_REMEMBERED)])
        digest.insert(0, "digest_date", day)
        if len(digest):
            digests.append(digest)
            sent.append(_remembered(digest[digest["rank"] <= SEATS], told))
    found = pd.concat(digests, ignore_index=True) if digests else pd.DataFrame(columns=list(COLUMNS))
    return found[list(COLUMNS)].astype(COLUMNS)


def choose(candidates: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """The insights of one digest, ranked from 1 on, and those in line behind them, ranked after the last seat.

    `candidates` are the day's scored claims. `sent` are the insights of the digests of the 14 days before: digest_date,
    theme_id, insight, embedding; the last two are None where the claim is gone. A claim that scores below `FLOOR` is
    not sent, nor is one whose headline only names its matter, unless it tells best what the day is about or the day has
    hardly anything else; so seats may stay empty. Claims are taken by strength: the score, a little for each further
    show that tells the theme, so that many loose mentions never outweigh one strong claim, and something for a headline
    that states something. Of each of the stories that the day is about, the claim that tells it best is lifted; the
    others are not. A story that was sent comes back only with numbers or names that it had not, and must then be
    stronger than one that is new; `news` names them as they are said, and `news_since` is the day it was last sent.
    `same_story` lists the other claims of the result that tell the same story, or are heard with it.
    """
    worth = candidates[candidates["score"] >= FLOOR]
    before = list(sent.itertuples(index=False))
    ranked, stated = [], set()
    for claim in worth.itertuples(index=False):
        earlier = [one for one in before if _one_story(claim, one)]
        news = _news(claim, earlier)
        if earlier and not news:
            continue
        shows = min(max(int(claim.show_count), 1), SHOWS_COUNTED)
        strength = claim.score + FOR_ANOTHER_SHOW * (shows - 1) - (BETTER_THAN_NEW if earlier else 0.0)
        if _is_stated(claim):
            stated.add(claim.claim_id)
            strength += FOR_A_STATEMENT
        ranked.append((-round(strength, 6), claim.claim_id, claim, earlier, news))
    lifts = _lifts((-negative, claim) for negative, _, claim, *_ in ranked)
    ranked = [(round(entry[0] - lifts.get(entry[1], 0.0), 6), *entry[1:]) for entry in ranked]
    ranked.sort(key=lambda entry: entry[:2])
    ranked = _fit_to_send(ranked, stated | lifts.keys())
    taken = {claim.claim_id: seat for seat, claim in enumerate(seat_claims([e[2] for e in ranked], _one_hearing), 1)}
    reserve = [entry for entry in ranked if entry[1] not in taken][:RESERVE]
    places = taken | {entry[1]: place for place, entry in enumerate(reserve, SEATS + 1)}
    line = sorted((entry for entry in ranked if entry[1] in places), key=lambda entry: places[entry[1]])
    rows = []
    for negative, claim_id, claim, earlier, news in line:
        since = max((_day(one.digest_date) for one in earlier), default=None)
        rows.append(
            {
                "rank": places[claim_id],
                "claim_id": claim_id,
                "theme_id": claim.theme_id,
                "score": claim.score,
                "strength": -negative,
                "is_update": bool(earlier),
                "news_since": since,
                "news": ", ".join(news[:NEWS_NAMED]) or None,
                "show_count": claim.show_count,
                "why": _why(claim, worth["score"].max(), since, claim_id in lifts),
                "story": _story(claim),
                "story_lift": lifts.get(claim_id, 0.0),
                "same_story": [e[1] for e in line if e[1] != claim_id and _one_hearing(claim, e[2])],
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)[1:])


def _fit_to_send(ranked: Sequence[tuple], fit: Collection[str]) -> list[tuple]:
    """The entries of the claims that are `fit`, by their ids; of a day that has fewer of these than `FEWEST`, the
    strongest others as well."""
    others = [claim_id for _, claim_id, *_ in ranked if claim_id not in fit]
    wanted = {*fit, *others[: max(0, FEWEST - len(fit))]}
    return [entry for entry in ranked if entry[1] in wanted]


def _is_stated(claim: Any) -> bool:
    """Whether a claim's headline says what is claimed, as those of chat models do, and of what was found without one
    those that are a sentence of it; a topic line, or a quotation with its topic, does not."""
    return claim.extractor != OFFLINE or states(claim.headline, claim.insight)


def _one_story(one: Any, other: Any) -> bool:
    return one.theme_id == other.theme_id or _cosine(one.embedding, other.embedding) >= SAME_STORY


def _one_hearing(one: Any, other: Any) -> bool:
    """Whether two claims of a day tell one story, or who goes to the place of one in the recording hears the other."""
    heard_with = one.episode_id == other.episode_id and abs(one.start_seconds - other.start_seconds) <= HEARD_ON
    return _one_story(one, other) or heard_with


def _news(claim: Any, earlier: Sequence[Any]) -> list[str]:
    """The numbers and names of a claim that the earlier insights of its story had not; none for a mere paraphrase.

    Numbers in words are named but are no news by themselves, since most are small counts ("two reasons"); and where an
    earlier insight is gone nobody can say what is news.
    """
    if not earlier or any(one.insight is None for one in earlier):
        return []
    if any(_cosine(claim.embedding, one.embedding) >= PARAPHRASE for one in earlier):
        return []
    texts = [one.insight for one in earlier]
    new = unsupported(claim.insight, " ".join(texts), spellings(*texts))
    if not (new.names or any(sign.isdigit() for number in new.numbers for sign in number)):
        return []
    telling = tuple(number for number in new.numbers if any(sign.isdigit() or sign in " -" for sign in number))
    return as_said(claim.insight, Unsupported(telling, new.names))


def _lifts(ranked: Iterable[tuple[float, Any]]) -> dict[str, float]:
    """What is added to the strength of the claims that tell the day's stories best, one a story, by claim."""
    best: dict[str, tuple[float, str, float]] = {}
    for strength, claim in ranked:
        if story := _story(claim):
            most = min(FOR_THE_STORY * claim.story_strength, MOST_FOR_THE_STORY)
            told = (round(strength + FOR_TELLING * claim.telling, 6), claim.claim_id, most * claim.telling**0.5)
            best[story] = max(best.get(story, told), told)
    return {claim_id: round(lift, 6) for _, claim_id, lift in best.values()}


def _story(claim: Any) -> str | None:
    story = getattr(claim, "story", None)
    return story if pd.notna(story) else None


def _why(claim: Any, highest: float, since: date | None, is_lifted: bool) -> str:
    reasons = ["the highest score of the day" if claim.score == highest else f"scored {claim.score:.1f} of 5"]
    if pd.notna(reason := getattr(claim, "score_reason", None)) and reason:
        reasons[0] += f" ({reason.rstrip('.')})"
    if claim.show_count > 1:
        reasons.append(f"told by {claim.show_count} shows so far")
    if is_lifted:
        shows = "one show" if claim.story_show_count == 1 else f"{int(claim.story_show_count)} shows in three days"
        reasons.insert(0, f"what the day is about ({_story(claim)}), told by {shows}")
    if since:
        reasons.append(f"back with news since {since.day} {since:%B}")
    text = "; ".join(reasons)
    return text[0].upper() + text[1:] + "."


def _cosine(one: Any, other: Any) -> float:
    """Of unit vectors of one model; 0 where one is missing."""
    if not (is_list_like(one) and is_list_like(other)):
        return 0.0
    return float(np.dot(one, other))


def _remembered(picks: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Chosen insights with what is known of their claims: the theme of today where there is one, else that of then."""
    columns: dict[str, list] = {"digest_date": [], "theme_id": [], "insight": [], "embedding": []}
    for pick in picks.itertuples(index=False):
        known = told.loc[pick.claim_id] if pick.claim_id in told.index else None
        columns["digest_date"].append(pick.digest_date)
        columns["theme_id"].append(pick.theme_id if known is None else known["theme_id"])
        columns["insight"].append(None if known is None else known["insight"])
        columns["embedding"].append(None if known is None else known["embedding"])
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def _day(value: Any) -> date:
    return pd.Timestamp(str(value)).date()
