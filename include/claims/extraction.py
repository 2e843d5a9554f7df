"""Finding a day's claims: transcripts out of the warehouse, claims from an extractor, claims back in.

A transcript that this extractor, in this version, has read before is not read again.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from include.claims.claim import UNREAD, Claim, DroppedClaim, Episode, Extraction, Extractor, claim_id
from include.models.questions import UnusableModel
from include.transcripts.segment import Segment
from include.warehouse.database import append, noting_changes, records, transaction
from include.warehouse.rejections import pass_rows

log = logging.getLogger(__name__)

NOTHING = Extraction(())


@dataclass(frozen=True, slots=True)
class ToRead:
    """A transcript that is to be read for claims; `extraction_key` names it together with who is to read it."""

    extraction_key: str
    episode: Episode
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What reading one transcript gave. With an `error` it failed, or was read in part; it will be read again."""

    episode_id: str
    extraction_key: str
    extractor: str
    version: str
    claims: tuple[Claim, ...] = ()
    dropped: tuple[DroppedClaim, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """How a day went: transcripts that have been read, claims, claims dropped, rows set aside, transcripts failed."""

    transcripts: int
    claims: int
    dropped: int
    set_aside: int
    failed: int


def to_read(connection: duckdb.DuckDBPyConnection, day: date, extractor: Extractor) -> list[ToRead]:
    """The day's transcripts that this extractor has not read in this version. Of what is old only that there was a
    transcript may be left: its claims stay."""
    done = {
        (row["episode_id"], row["extraction_key"])
        for row in records(
            connection,
            "select episode_id, extraction_key from raw.extractions where partition_date = $day and error is null",
            {"day": day},
        )
    }
    entries = transcripts_of(connection, day, extractor)
    return [
        entry for entry in entries if entry.segments and (entry.episode.episode_id, entry.extraction_key) not in done
    ]


def read_all(work: Sequence[ToRead], extractor: Extractor) -> list[Read]:
    """Reads transcripts one after another; one that fails is recorded and the others go on.

    Raises UnusableModel where a chat model refuses every question, since then no transcript can be read.
    """
    results = []
    for number, entry in enumerate(work, 1):
        try:
            extraction = extractor.extract(entry.episode, entry.segments)
        except UnusableModel:
            raise
        except Exception as failure:
            log.exception("claims of %s (%s)", entry.episode.title, entry.episode.episode_id)
            results.append(_result(entry, extractor, error=f"{type(failure).__name__}: {failure}"))
            continue
        log.info(
            "%d of %d: %s: %d claims, %d dropped",
            number, len(work), entry.episode.title, len(extraction.claims), len(extraction.dropped),
        )  # fmt: skip
        unread = [dropped.detail for dropped in extraction.dropped if dropped.reason in UNREAD]
        error = f"{len(unread)} parts of the transcript were not read: {unread[0]}" if unread else None
        results.append(_result(entry, extractor, extraction, error))
    return results


def land(connection: duckdb.DuckDBPyConnection, day: date, results: Sequence[Read], docs: Path) -> Extracted:
    """Writes a day's claims in one transaction; claims of transcripts read before stay, of transcripts now gone go."""
    with transaction(connection), noting_changes(connection, day, "raw.claims"):
        episodes = [result.episode_id for result in results]
        _forget(connection, day, episodes)
        rows = {
            claim_id(result.episode_id, claim.quote): _claim_row(result, claim, day)
            for result in results
            for claim in reversed(result.claims)
        }
        passed, set_aside = pass_rows(connection, "claims", list(rows.values()), day, docs, episodes)
        append(connection, "raw.claims", passed)
        append(connection, "ops.dropped_claims", [row for r in results for row in _dropped_rows(r, day)])
        append(connection, "raw.extractions", [_extraction_row(result, day) for result in results])
        (totals,) = records(
            connection,
            """
            select
                count(*) filter (error is null) as transcripts,
                coalesce(sum(claim_count), 0) as claims,
                coalesce(sum(dropped_count), 0) as dropped,
                count(error) as failed
            from raw.extractions
            where partition_date = $day
            """,
            {"day": day},
        )
    return Extracted(totals["transcripts"], totals["claims"], totals["dropped"], set_aside, totals["failed"])


def transcripts_of(connection: duckdb.DuckDBPyConnection, day: date, extractor: Extractor) -> list[ToRead]:
    """The day's transcripts, by episode id, each with the key of its reading by this extractor."""
    episodes = records(
        connection,
        """
        select
            episodes.episode_id, episodes.show_title, episodes.title, episodes.description, episodes.persons,
            episodes.duration_seconds, episodes.published_at::date as published, transcripts.content_hash
        from raw.episodes as episodes
        inner join raw.transcripts as transcripts
            on episodes.episode_id = transcripts.episode_id and transcripts.status = 'ok'
        where episodes.partition_date = $day
        order by episodes.episode_id
        """,
        {"day": day},
    )
    spoken: dict[str, list[Segment]] = {}
    for row in records(
        connection,
        """
        select episode_id, segment_index, text, speaker, start_seconds, end_seconds
        from raw.transcript_segments
        where partition_date = $day
        order by episode_id, segment_index
        """,
        {"day": day},
    ):
        episode_id, index = row.pop("episode_id"), row.pop("segment_index")
        spoken.setdefault(episode_id, []).append(Segment(index=index, **row))
    found = []
    for row in episodes:
        key = _extraction_key(row.pop("content_hash"), extractor)
        episode = Episode(**{**row, "persons": tuple(row["persons"] or ()), "description": row["description"] or ""})
        found.append(ToRead(key, episode, tuple(spoken.get(episode.episode_id, ()))))
    return found


def _extraction_key(content_hash: str, extractor: Extractor) -> str:
    return hashlib.sha256(f"{content_hash}\n{extractor.name}\n{extractor.version}".encode()).hexdigest()[:24]


def _result(
    entry: ToRead,
    extractor: Extractor,
    extraction: Extraction = NOTHING,
    error: str | None = None,
) -> Read:
    return Read(
        entry.episode.episode_id,
        entry.extraction_key,
        extractor.name,
        extractor.version,
        extraction.claims,
        extraction.dropped,
        error,
    )


def _forget(connection: duckdb.DuckDBPyConnection, day: date, reread: Sequence[str]) -> None:
    """Removes what the day has of episodes that were read again or are no longer its own, with all that hangs on it."""
    gone = """
        partition_date = $day
        and (
            list_contains($reread, episode_id)
            or episode_id not in (
                select episode_id from raw.transcripts where partition_date = $day and status = 'ok'
            )
        )
    """
    parameters = {"day": day, "reread": list(reread)}
    for table, column in (
        ("raw.claim_embeddings", "claim_id"),
        ("raw.claim_scores", "claim_id"),
        ("raw.story_pairs", "claim_id"),
        ("raw.story_pairs", "other_claim_id"),
    ):
        connection.execute(
            f"delete from {table} where {column} in (select claim_id from raw.claims where {gone})", parameters
        )
    for table in ("raw.claims", "ops.dropped_claims", "raw.extractions"):
        connection.execute(f"delete from {table} where {gone}", parameters)


def _claim_row(result: Read, claim: Claim, day: date) -> dict:
    return {
        "claim_id": claim_id(result.episode_id, claim.quote),
        "episode_id": result.episode_id,
        "partition_date": day,
        "quote": claim.quote,
        "headline": claim.headline,
        "insight": claim.insight,
        "speaker": claim.speaker,
        "first_segment": claim.first_segment,
        "last_segment": claim.last_segment,
        "start_seconds": claim.start_seconds,
        "kind": claim.kind,
        "features": json.dumps(dict(claim.features), sort_keys=True),
        "extractor": result.extractor,
        "prompt_version": result.version,
    }


def _dropped_rows(result: Read, day: date) -> list[dict]:
    return [
        {
            "episode_id": result.episode_id,
            "partition_date": day,
            "quote": dropped.quote,
            "reason": dropped.reason,
            "detail": dropped.detail,
            "extractor": result.extractor,
            "prompt_version": result.version,
        }
        for dropped in result.dropped
    ]


def _extraction_row(result: Read, day: date) -> dict:
    return {
        "episode_id": result.episode_id,
        "partition_date": day,
        "extraction_key": result.extraction_key,
        "extractor": result.extractor,
        "prompt_version": result.version,
        "claim_count": len({claim_id(result.episode_id, claim.quote) for claim in result.claims}),
        "dropped_count": len(result.dropped),
        "status": "ok" if not result.error else "partial" if result.claims else "failed",
        "error": result.error,
    }
