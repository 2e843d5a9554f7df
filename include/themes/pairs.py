"""Which pairs of claims a chat model is asked about, whether they tell the same story, and what it said.

Only what can change what a reader sees is asked: of each day, the claims that score best are held against the eight
that are likest to them among those of other episodes, said on the same day or in the 30 days before, and against two
of their own episode that are very like them. Who is among these changes when a day before is added, so a run of a day
looks at the days after it as well, and asks what was not asked yet: whatever the order of days, the pairs and what was
said of them end the same. What was said of two texts is kept (`raw.story_verdicts`), whatever becomes of their pair.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

import duckdb
import numpy as np

from include.themes.judge import Comparison, Judged, StoryJudge
from include.warehouse.database import append, noting_changes, records, transaction
from include.words import claim_text

SEEN = 30
"""How many of a day's claims, the best first, may come into a digest, its reserve or a page that it leads to."""
LIKEST = 8
# A cosine. Of pairs below it, hardly any tell the same story.
LIKE_ENOUGH = 0.3
# Of claims of one episode, which have much in common whatever they tell.
LIKEST_OF_ITS_OWN, VERY_LIKE = 2, 0.5
DAYS_BACK = 30


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim that may be compared: `text` is its headline and insight, `embedding` a unit vector; `is_seen` where a
    reader may come to see it."""

    claim_id: str
    episode_id: str
    day: date
    text: str
    embedding: np.ndarray
    is_seen: bool = True


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim and another that is among the likest to it, or has it among its likest; of the two, the claim is of the
    later day, or of the greater id. `day` is its day."""

    claim_id: str
    other_claim_id: str
    day: date
    likeness: float


def likest_pairs(claims: Sequence[Candidate], first: date) -> list[Pair]:
    """The pairs of all claims of that day and later ones that a reader may come to see. A pair depends on no claim of
    a later day."""
    ordered = sorted(claims, key=lambda claim: (claim.day, claim.claim_id))
    if not ordered:
        return []
    vectors = np.array([claim.embedding for claim in ordered], dtype=np.float32)
    days = np.array([claim.day for claim in ordered], dtype="datetime64[D]")
    _, episodes = np.unique([claim.episode_id for claim in ordered], return_inverse=True)
    pairs: dict[tuple[int, int], Pair] = {}
    for day, places in groupby(range(len(ordered)), key=lambda place: ordered[place].day):
        if day < first:
            continue
        today = list(places)
        seen = [place for place in today if ordered[place].is_seen]
        start = int(np.searchsorted(days, np.datetime64(day) - DAYS_BACK))
        # Rounded, so that a pair is as like whatever stands beside it.
        likeness = np.round(vectors[seen] @ vectors[start : today[-1] + 1].T, 5)
        for place, alike in zip(seen, likeness, strict=True):
            alike[place - start] = -1
            own = episodes[start : today[-1] + 1] == episodes[place]
            for i in (
                *_likest(np.where(own, -1, alike), LIKEST, LIKE_ENOUGH),
                *_likest(np.where(own, alike, -1), LIKEST_OF_ITS_OWN, VERY_LIKE),
            ):
                later, earlier = sorted((place, start + i), reverse=True)
                one, other = ordered[later].claim_id, ordered[earlier].claim_id
                pairs.setdefault((later, earlier), Pair(one, other, day, round(float(alike[i]), 5)))
    return [pairs[places] for places in sorted(pairs)]


def _likest(alike: np.ndarray, most: int, at_least: float) -> list[int]:
    near = np.flatnonzero(alike >= at_least)
    return near[np.argsort(-alike[near], kind="stable")][:most].tolist()


def comparisons(pairs: Sequence[Pair], claims: Sequence[Candidate]) -> list[Comparison]:
    """The pairs with their texts, the likest first, so that it is not what a short budget lacks."""
    texts = {claim.claim_id: claim.text for claim in claims}
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
    found = [(one, _key(one, judge)) for one in comparisons(likest_pairs(claims, day), claims)]
    said = _verdicts(connection, [key for _, key in found])
    return [one for one, key in found if key not in said]


def land(
    connection: duckdb.DuckDBPyConnection,
    day: date,
    asked: Sequence[Comparison],
    judged: Sequence[Judged],
    judge: StoryJudge,
    embedding_model: str,
) -> dict[str, int]:
    """Keeps what was said of the pairs that were asked about, and gives the pairs of the day and of the 30 days after
    it their verdicts, and where there is none, the ones they had, in one transaction. Pairs on which nothing was said
    are there without a verdict. Says how many of the day's pairs there are of each verdict."""
    with transaction(connection), noting_changes(connection, day, "raw.story_pairs"):
        _keep(connection, asked, judged, judge)
        claims = _claims(connection, day, judge, embedding_model)
        pairs = likest_pairs(claims, day)
        key_of = {(one.claim_id, one.other_claim_id): _key(one, judge) for one in comparisons(pairs, claims)}
        said = _verdicts(connection, list(key_of.values()))
        before = _landed(connection, day)
        rows = []
        for pair in pairs:
            ids = (pair.claim_id, pair.other_claim_id)
            verdict = said.get(key_of[ids])
            judged_by = (verdict, judge.name, judge.version) if verdict else before.get(ids, (None, None, None))
            rows.append(_row(pair, *judged_by))
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
    another model scored are left alone: they are scored anew, and compared, when that day is run again. So are those
    that this embedding model has not read."""
    found = connection.execute(
        """
        select
            claims.claim_id, claims.episode_id, claims.partition_date, claims.headline, claims.insight,
            embeddings.embedding,
            coalesce(scores.score > 0, false) and row_number() over (
                partition by claims.partition_date order by scores.score desc nulls last, claims.claim_id
            ) <= $seen as is_seen
        from raw.claims as claims
        inner join raw.claim_embeddings as embeddings on claims.claim_id = embeddings.claim_id
        left join raw.claim_scores as scores on claims.claim_id = scores.claim_id
        where
            claims.partition_date between $first and $last
            and (claims.partition_date <= $day or scores.scorer = $judge)
            and embeddings.model = $embedding_model
        """,
        {
            "day": day,
            "first": day - timedelta(DAYS_BACK),
            "last": day + timedelta(DAYS_BACK),
            "judge": judge.name,
            "embedding_model": embedding_model,
            "seen": SEEN,
        },
    ).df()
    return [
        Candidate(
            row.claim_id,
            row.episode_id,
            row.partition_date.date(),
            claim_text(row.headline, row.insight),
            row.embedding,
            bool(row.is_seen),
        )
        for row in found.itertuples(index=False)
    ]


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


def _key(one: Comparison, judge: StoryJudge) -> str:
    """What names two texts, whichever comes first, and who compares them in which version."""
    named = "\n".join((judge.name, judge.version, *sorted((one.text, one.other_text))))
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def _verdicts(connection: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> dict[str, str]:
    """What was said of the pairs of these keys, where something was."""
    query = "select pair_key, verdict from raw.story_verdicts where pair_key in (select unnest($keys))"
    return {row["pair_key"]: row["verdict"] for row in records(connection, query, {"keys": list(keys)})}


def _landed(
    connection: duckdb.DuckDBPyConnection, day: date
) -> dict[tuple[str, str], tuple[str | None, str | None, str | None]]:
    """The verdicts that pairs of a day and of the 30 days after it have, by whom, and in which version."""
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


def _keep(
    connection: duckdb.DuckDBPyConnection, asked: Sequence[Comparison], judged: Sequence[Judged], judge: StoryJudge
) -> None:
    key_of = {frozenset((one.claim_id, one.other_claim_id)): _key(one, judge) for one in asked}
    said = {key_of[frozenset((one.claim_id, one.other_claim_id))]: str(one.verdict) for one in judged}
    kept = _verdicts(connection, list(said))
    new = [{"pair_key": key, "verdict": verdict} for key, verdict in said.items() if key not in kept]
    append(connection, "raw.story_verdicts", new)
