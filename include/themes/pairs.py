"""Which pairs of claims a chat model is asked about, whether they tell the same story, and what it said.

A claim is held against the eight that are likest to it among those of other episodes, said on its own day or in the
30 days before, and against two of its own episode that are very like it. Who is among them changes when a day before is
added, so a run of a day looks at the days after it as well, and asks what was not asked yet: whatever the order of
days, the pairs and what was said of them end the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

import duckdb
import numpy as np

from include.themes.judge import Comparison, Judged, StoryJudge
from include.warehouse.database import append, noting_changes, records, transaction
from include.words import claim_text

LIKEST = 8
# A cosine. Of pairs below it, hardly any tell the same story.
LIKE_ENOUGH = 0.3
# Of claims of one episode, which have much in common whatever they tell.
LIKEST_OF_ITS_OWN, VERY_LIKE = 2, 0.5
DAYS_BACK = 30


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim that may be compared: `text` is its headline and insight, `embedding` a unit vector."""

    claim_id: str
    episode_id: str
    day: date
    text: str
    embedding: np.ndarray


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim and an earlier one that is among the likest to it; `day` is the day of the claim."""

    claim_id: str
    other_claim_id: str
    day: date
    likeness: float


def likest_pairs(claims: Sequence[Candidate], first: date) -> list[Pair]:
    """The pairs of all claims of that day and later ones, the likest of each claim first. Of a pair on one day, the
    claim of the greater id is held against the other. A pair depends on no claim of a later day."""
    ordered = sorted(claims, key=lambda claim: (claim.day, claim.claim_id))
    if not ordered:
        return []
    vectors = np.array([claim.embedding for claim in ordered], dtype=np.float32)
    days = np.array([claim.day for claim in ordered], dtype="datetime64[D]")
    _, episodes = np.unique([claim.episode_id for claim in ordered], return_inverse=True)
    pairs = []
    for day, places in groupby(range(len(ordered)), key=lambda place: ordered[place].day):
        if day < first:
            continue
        today = list(places)
        start = int(np.searchsorted(days, np.datetime64(day) - DAYS_BACK))
        # Rounded, so that a pair is as like whatever stands beside it.
        likeness = np.round(vectors[today] @ vectors[start : today[-1] + 1].T, 5)
        for place, alike in zip(today, likeness, strict=True):
            alike[place - start :] = -1
            own = episodes[start : today[-1] + 1] == episodes[place]
            likest = [
                *_likest(np.where(own, -1, alike), LIKEST, LIKE_ENOUGH),
                *_likest(np.where(own, alike, -1), LIKEST_OF_ITS_OWN, VERY_LIKE),
            ]
            pairs += [
                Pair(ordered[place].claim_id, ordered[start + i].claim_id, day, round(float(alike[i]), 5))
                for i in likest
            ]
    return pairs


def _likest(alike: np.ndarray, most: int, at_least: float) -> list[int]:
    near = np.flatnonzero(alike >= at_least)
    return near[np.argsort(-alike[near], kind="stable")][:most].tolist()


def comparisons(pairs: Sequence[Pair], texts: Mapping[str, str]) -> list[Comparison]:
    """The pairs with their texts, the likest first, so that it is not what a short budget lacks."""
    ordered = sorted(pairs, key=lambda pair: (-pair.likeness, pair.claim_id, pair.other_claim_id))
    return [
        Comparison(pair.claim_id, pair.other_claim_id, texts[pair.claim_id], texts[pair.other_claim_id])
        for pair in ordered
    ]


def unjudged(
    connection: duckdb.DuckDBPyConnection, day: date, judge: StoryJudge, embedding_model: str
) -> list[Comparison]:
    """What is to be asked about a day's claims, and about those of later days that are like them."""
    claims = _claims(connection, day, judge, embedding_model)
    by_this_judge = (judge.name, judge.version)
    judged = {pair for pair, (_, *by) in _verdicts(connection, day).items() if tuple(by) == by_this_judge}
    pairs = [pair for pair in likest_pairs(claims, day) if (pair.claim_id, pair.other_claim_id) not in judged]
    return comparisons(pairs, {claim.claim_id: claim.text for claim in claims})


def land(
    connection: duckdb.DuckDBPyConnection,
    day: date,
    judged: Sequence[Judged],
    judge: StoryJudge,
    embedding_model: str,
) -> dict[str, int]:
    """Gives the pairs of the day and of the 30 days after it these verdicts, and where there is none, the ones they
    had, in one transaction. Pairs on which nothing was said are there without a verdict. Says how many of the day's
    pairs there are of each verdict."""
    with transaction(connection), noting_changes(connection, day, "raw.story_pairs"):
        said = _verdicts(connection, day)
        said |= {(one.claim_id, one.other_claim_id): (one.verdict, judge.name, judge.version) for one in judged}
        claims = _claims(connection, day, judge, embedding_model)
        pairs = likest_pairs(claims, day)
        rows = [_row(pair, *said.get((pair.claim_id, pair.other_claim_id), (None, None, None))) for pair in pairs]
        connection.execute(
            "delete from raw.story_pairs where claim_id in (select unnest($claims))",
            {"claims": [claim.claim_id for claim in claims if claim.day >= day]},
        )
        append(connection, "raw.story_pairs", rows)
    verdicts = [row["verdict"] or "unjudged" for row in rows if row["partition_date"] == day]
    return {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))}


def _claims(
    connection: duckdb.DuckDBPyConnection, day: date, judge: StoryJudge, embedding_model: str
) -> list[Candidate]:
    """The claims that have to do with the pairs of a day and of the 30 days after it. Those of a later day that
    another model found are left alone: they are found anew, and compared, when that day is run again. So are those
    that this embedding model has not read."""
    found = connection.execute(
        """
        select
            claims.claim_id, claims.episode_id, claims.partition_date, claims.headline, claims.insight,
            embeddings.embedding
        from raw.claims as claims
        inner join raw.claim_embeddings as embeddings on claims.claim_id = embeddings.claim_id
        where
            claims.partition_date between $first and $last
            and (claims.partition_date <= $day or claims.extractor = $judge)
            and embeddings.model = $embedding_model
        """,
        {
            "day": day,
            "first": day - timedelta(DAYS_BACK),
            "last": day + timedelta(DAYS_BACK),
            "judge": judge.name,
            "embedding_model": embedding_model,
        },
    ).df()
    return [
        Candidate(
            row.claim_id,
            row.episode_id,
            row.partition_date.date(),
            claim_text(row.headline, row.insight),
            row.embedding,
        )
        for row in found.itertuples(index=False)
    ]


def _verdicts(
    connection: duckdb.DuckDBPyConnection, day: date
) -> dict[tuple[str, str], tuple[str | None, str | None, str | None]]:
    """What was said of the pairs of a day and of the 30 days after it, by whom, and in which version."""
    rows = records(
        connection,
        """
        select claim_id, other_claim_id, verdict, judge, prompt_version from raw.story_pairs
        where verdict is not null and partition_date between $day and $last
        """,
        {"day": day, "last": day + timedelta(DAYS_BACK)},
    )
    return {
        (row["claim_id"], row["other_claim_id"]): (row["verdict"], row["judge"], row["prompt_version"]) for row in rows
    }


def _row(pair: Pair, verdict: str | None, judge: str | None, version: str | None) -> dict:
    return {
        "claim_id": pair.claim_id,
        "other_claim_id": pair.other_claim_id,
        "partition_date": pair.day,
        "likeness": pair.likeness,
        "verdict": verdict,
        "judge": judge,
        "prompt_version": version,
    }
