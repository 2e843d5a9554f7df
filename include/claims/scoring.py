"""Scoring a day's claims: claims with their transcripts out of the warehouse, scores from a scorer back in.

A day whose claims all bear this scorer's score, in this version, is not scored again.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from include.claims.claim import UNRATED, Claim, Extractor, ReadEpisode, Score, Scorer
from include.claims.extraction import transcripts_of
from include.warehouse.database import noting_changes, records, replace_partition, transaction
from include.warehouse.rejections import pass_rows


@dataclass(frozen=True, slots=True)
class Unscored:
    """A day's claims by episode; `claim_ids` runs along `read.claims`."""

    claim_ids: tuple[str, ...]
    read: ReadEpisode


@dataclass(frozen=True, slots=True)
class Scored:
    """How a day went: claims that now bear a score, rows set aside."""

    claims: int
    set_aside: int


def unscored(connection: duckdb.DuckDBPyConnection, day: date, extractor: Extractor, scorer: Scorer) -> list[Unscored]:
    """The whole day's claims where one of them lacks this scorer's score, else nothing.

    A scorer compares the claims of a day with each other, so a day is scored as a whole.
    """
    (missing,) = connection.execute(
        """
        select count(*)
        from raw.claims as claims
        left join raw.claim_scores as scores
            on claims.claim_id = scores.claim_id
                and scores.scorer = $scorer and scores.prompt_version = $version
        where claims.partition_date = $day and scores.claim_id is null
        """,
        {"day": day, "scorer": scorer.name, "version": scorer.version},
    ).fetchone() or (0,)
    if not missing:
        return []
    by_episode: dict[str, list[tuple[str, Claim]]] = {}
    for row in records(
        connection,
        """
        select
            episode_id, claim_id, quote, headline, insight, speaker, first_segment, last_segment, start_seconds, kind,
            features
        from raw.claims
        where partition_date = $day
        order by episode_id, first_segment, claim_id
        """,
        {"day": day},
    ):
        episode_id, claim_id = row.pop("episode_id"), row.pop("claim_id")
        row["features"] = json.loads(row["features"] or "{}")
        by_episode.setdefault(episode_id, []).append((claim_id, Claim(**row)))
    found = []
    for entry in transcripts_of(connection, day, extractor):
        claims = by_episode.get(entry.episode.episode_id, [])
        if claims:
            ids, values = zip(*claims, strict=True)
            found.append(Unscored(ids, ReadEpisode(entry.episode, entry.segments, values)))
    return found


def score_all(work: Sequence[Unscored], scorer: Scorer) -> list[tuple[str, Score]]:
    """A score for each claim of the day that could be rated, with its id; the others are scored another time."""
    scores = scorer.score([entry.read for entry in work])
    return [
        (claim_id, score)
        for entry, episode_scores in zip(work, scores, strict=True)
        for claim_id, score in zip(entry.claim_ids, episode_scores, strict=True)
        if not score.reason.startswith(UNRATED)
    ]


def land(
    connection: duckdb.DuckDBPyConnection, day: date, scores: Sequence[tuple[str, Score]], scorer: Scorer, docs: Path
) -> Scored:
    """Makes these the day's scores, in one transaction; where there is nothing new, those it has stay."""
    with transaction(connection), noting_changes(connection, day, "raw.claim_scores"):
        rows = [
            {
                "claim_id": claim_id,
                "partition_date": day,
                "scorer": scorer.name,
                "prompt_version": scorer.version,
                **asdict(score),
            }
            for claim_id, score in scores
        ]
        set_aside = 0
        if rows:
            passed, set_aside = pass_rows(connection, "scores", rows, day, docs)
            replace_partition(connection, "raw.claim_scores", day, passed)
        (claims,) = connection.execute(
            "select count(*) from raw.claim_scores where partition_date = $day", {"day": day}
        ).fetchone() or (0,)
    return Scored(claims, set_aside)
