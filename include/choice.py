"""Choosing the five insights of a day: the strongest claims, one a theme, at most two a show, nothing told twice."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from include.claims.facts import spellings, unsupported

SEATS = 5
SEATS_A_SHOW = 2
DAYS_REMEMBERED = 14
FLOOR = 1.0
FOR_ANOTHER_SHOW = 0.1
SHOWS_COUNTED = 4
SAME_STORY = 0.75

# Types are given so that a result without rows still makes the right table.
COLUMNS = {
    "digest_date": pd.ArrowDtype(pa.date32()),
    "rank": "int32",
    "claim_id": "str",
    "theme_id": "str",
    "score": "float64",
    "is_update": "bool",
    "show_count": "int32",
    "why": "str",
}


def derive(candidates: pd.DataFrame, settled: pd.DataFrame | None = None, floor: float = FLOOR) -> pd.DataFrame:
    """The digests of all dates that have candidates and no settled digest, chosen in date order.

    `candidates` has a row a scored claim: partition_date, claim_id, theme_id, show_id, headline, insight, embedding,
    score, show_count. `settled` has digests that stay as they are, with the columns of the result; later digests
    remember them. Returns digest_date, rank (from 1), claim_id, theme_id, score, is_update, show_count, why; a row an
    insight of a digest that was not settled.
    """
    told = candidates.set_index("claim_id", drop=False)
    sent = pd.DataFrame(columns=["digest_date", "claim_id", "theme_id", "insight", "embedding"])
    decided = set()
    if settled is not None and len(settled):
        decided = {_day(value) for value in settled["digest_date"]}
        sent = pd.concat([_remembered(settled, told)], ignore_index=True)
    chosen = []
    for value, today in candidates.groupby("partition_date", sort=True):
        day = _day(value)
        if day in decided:
            continue
        dates = sent["digest_date"].map(_day)
        recent = sent[(dates < day) & (dates >= day - timedelta(days=DAYS_REMEMBERED))]
        five = choose(today, recent, floor)
        five.insert(0, "digest_date", day)
        if len(five):
            chosen.append(five)
            more = _remembered(five, told)
            sent = more if sent.empty else pd.concat([sent, more], ignore_index=True)
    digests = pd.concat(chosen, ignore_index=True) if chosen else pd.DataFrame(columns=list(COLUMNS))
    return digests[list(COLUMNS)].astype(COLUMNS)


def choose(candidates: pd.DataFrame, sent: pd.DataFrame, floor: float = FLOOR) -> pd.DataFrame:
    """The insights of one digest, at most five: rank (from 1), claim_id, theme_id, score, is_update, show_count, why.

    `candidates` are the day's scored claims, `sent` the insights of the digests of the 14 days before (claim_id,
    theme_id, insight, embedding; insight and embedding are None where the claim is gone). A claim below `floor` is not
    worth sending, so a digest may be shorter than five. Claims are taken by strength: the score, and a little for each
    further show that tells the theme, so that many loose mentions never outweigh one strong claim.
    """
    ordered = candidates[candidates["score"] >= floor].copy()
    shows = ordered["show_count"].clip(1, SHOWS_COUNTED)
    ordered["strength"] = (ordered["score"] + FOR_ANOTHER_SHOW * (shows - 1)).round(6)
    ordered = ordered.sort_values(["strength", "claim_id"], ascending=[False, True])
    before = list(sent.itertuples())
    taken: list = []
    picks = []
    for claim in ordered.itertuples():
        if len(taken) == SEATS:
            break
        if any(claim.theme_id == other.theme_id or _alike(claim, other) >= SAME_STORY for other in taken):
            continue
        if sum(claim.show_id == other.show_id for other in taken) == SEATS_A_SHOW:
            continue
        earlier = [other for other in before if claim.theme_id == other.theme_id or _alike(claim, other) >= SAME_STORY]
        news = _news(claim, earlier)
        if earlier and not news:
            continue
        taken.append(claim)
        picks.append(
            {
                "rank": len(taken),
                "claim_id": claim.claim_id,
                "theme_id": claim.theme_id,
                "score": float(claim.score),
                "is_update": bool(earlier),
                "show_count": int(claim.show_count),
                "why": _why(claim, len(taken), news),
            }
        )
    return pd.DataFrame(picks, columns=list(COLUMNS)[1:])


def _news(claim, earlier: list) -> list[str]:
    """The numbers and names of a claim that earlier insights of its theme did not have; none for a near paraphrase."""
    if any(other.insight is None or _alike(claim, other) >= SAME_STORY for other in earlier):
        return []
    texts = [other.insight for other in earlier]
    new = unsupported(claim.insight, " ".join(texts), spellings(*texts)) if texts else None
    return [*new.numbers, *new.names] if new else []


def _why(claim, rank: int, news: list[str]) -> str:
    parts = ["The strongest claim of the day" if rank == 1 else f"Scored {claim.score:.1f} of 5"]
    if claim.show_count > 1:
        parts.append(f"told by {claim.show_count} shows")
    if news:
        parts.append("an earlier story with news: " + ", ".join(news[:3]))
    return "; ".join(parts) + "."


def _alike(one, other) -> float:
    if one.embedding is None or other.embedding is None:
        return 0.0
    return float(np.dot(np.asarray(one.embedding, dtype=np.float32), np.asarray(other.embedding, dtype=np.float32)))


def _remembered(picks: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Chosen insights with what is known of their claims. A claim's theme of today counts; one gone keeps its old."""
    rows = []
    for pick in picks.itertuples():
        known = told.loc[pick.claim_id] if pick.claim_id in told.index else None
        rows.append(
            {
                "digest_date": pick.digest_date,
                "claim_id": pick.claim_id,
                "theme_id": pick.theme_id if known is None else known["theme_id"],
                "insight": None if known is None else known["insight"],
                "embedding": None if known is None else known["embedding"],
            }
        )
    return pd.DataFrame(rows)


def _day(value):
    return pd.Timestamp(value).date()
