"""Getting a day's transcripts: what is missing out of the warehouse, the documents over the network, segments back in.

An episode whose transcript has been landed is never asked for again.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from include import corrections, transcripts, web
from include.claims.claim import Segment
from include.feeds import OfferedTranscript
from include.rejections import pass_rows
from include.warehouse import append, records, transaction

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An episode that has no transcript yet, and what its publisher offers, in the feed's order."""

    episode_id: str
    title: str
    offers: tuple[OfferedTranscript, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """What became of one episode: `ok` with its segments, `none` where none is offered, `failed` with the error."""

    episode_id: str
    status: str
    source: str = "none"
    format: str | None = None
    url: str | None = None
    language: str | None = None
    segments: tuple[Segment, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Transcribed:
    """How a day went, in numbers of episodes by status, and of segments set aside."""

    ok: int
    none: int
    failed: int
    set_aside: int


def wanted(connection: duckdb.DuckDBPyConnection, day: date) -> list[Wanted]:
    """The day's episodes without a transcript. One that failed before is wanted again."""
    rows = records(
        connection,
        """
        select episodes.episode_id, episodes.title, episodes.transcripts
        from raw.episodes as episodes
        left join raw.transcripts as transcripts
            on episodes.episode_id = transcripts.episode_id and transcripts.status = 'ok'
        where episodes.partition_date = $day and transcripts.episode_id is null
        order by episodes.episode_id
        """,
        {"day": day},
    )
    return [
        Wanted(
            row["episode_id"],
            row["title"],
            tuple(OfferedTranscript(**offer) for offer in json.loads(row["transcripts"])),
        )
        for row in rows
    ]


def read_published(episodes: Sequence[Wanted], allow_hosts: frozenset[str] = frozenset()) -> list[Transcript]:
    """The publishers' own transcripts, one result an episode, in the order given.

    The best offered format is asked for first; the next one where it cannot be fetched or read. Nothing raises.
    """
    offers = {episode.episode_id: transcripts.best_first(episode.offers) for episode in episodes}
    found: dict[str, Transcript] = {}
    errors: dict[str, list[str]] = {episode.episode_id: [] for episode in episodes}
    for choice in range(max(map(len, offers.values()), default=0)):
        asked = [(key, *ranked[choice]) for key, ranked in offers.items() if key not in found and choice < len(ranked)]
        answers = web.fetch_all([web.Request(offer.url) for _, _, offer in asked], allow_hosts)
        for (key, kind, offer), answer in zip(asked, answers, strict=True):
            try:
                if answer.body is None:
                    raise transcripts.UnreadableTranscript(answer.error or "no content")
                segments = tuple(transcripts.parse(answer.body, kind))
            except transcripts.UnreadableTranscript as error:
                errors[key].append(f"{offer.url}: {error}")
                log.warning("transcript %s: %s", offer.url, error)
                continue
            found[key] = Transcript(key, "ok", "publisher", kind, offer.url, offer.language, segments)
    return [found.get(episode.episode_id) or _missing(episode, errors[episode.episode_id]) for episode in episodes]


def land(connection: duckdb.DuckDBPyConnection, day: date, read: Sequence[Transcript], docs: Path) -> Transcribed:
    """Writes a day's transcripts in one transaction; those landed before stay, those of episodes now gone go."""
    with transaction(connection):
        _forget(connection, day, [transcript.episode_id for transcript in read])
        rows = [
            {"episode_id": transcript.episode_id, "partition_date": day, **_segment_row(segment)}
            for transcript in read
            for segment in transcript.segments
        ]
        passed, set_aside = pass_rows(connection, "segments", rows, day, docs)
        append(connection, "raw.transcript_segments", passed)
        append(connection, "raw.transcripts", [_transcript_row(transcript, day) for transcript in read])
        corrections.correct(connection, day, corrections.load())
        counts = dict(
            connection.execute(
                "select status, count(*) from raw.transcripts where partition_date = $day group by all", {"day": day}
            ).fetchall()
        )
    return Transcribed(counts.get("ok", 0), counts.get("none", 0), counts.get("failed", 0), set_aside)


def _missing(episode: Wanted, errors: Sequence[str]) -> Transcript:
    if errors:
        return Transcript(episode.episode_id, "failed", error="; ".join(errors))
    if episode.offers:
        kinds = ", ".join(sorted({offer.type or offer.url for offer in episode.offers}))
        return Transcript(episode.episode_id, "none", error=f"offered only in formats that are not read: {kinds}")
    return Transcript(episode.episode_id, "none", error="the publisher offers no transcript")


def _forget(connection: duckdb.DuckDBPyConnection, day: date, reread: Sequence[str]) -> None:
    for table in ("raw.transcripts", "raw.transcript_segments"):
        connection.execute(
            f"""
            delete from {table}
            where partition_date = $day
                and (
                    list_contains($reread, episode_id)
                    or episode_id not in (select episode_id from raw.episodes where partition_date = $day)
                )
            """,
            {"day": day, "reread": list(reread)},
        )


def _segment_row(segment: Segment) -> dict:
    row = asdict(segment)
    row["segment_index"] = row.pop("index")
    return row


def _transcript_row(transcript: Transcript, day: date) -> dict:
    segments = transcript.segments
    return {
        "episode_id": transcript.episode_id,
        "partition_date": day,
        "status": transcript.status,
        "source": transcript.source,
        "format": transcript.format,
        "url": transcript.url,
        "language": transcript.language,
        "segment_count": len(segments),
        "word_count": transcripts.word_count(segments),
        "has_times": any(segment.start_seconds is not None for segment in segments),
        "has_speakers": any(segment.speaker for segment in segments),
        "content_hash": transcripts.content_hash(segments),
        "error": transcript.error,
    }
