"""Getting a day's transcripts: what is missing out of the warehouse, the publishers' documents over the network,
segments back in. What has to be made of audio goes through `include.transcripts.queue`.

An episode whose transcript has been landed is never asked for again.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from email.message import Message
from pathlib import Path

import duckdb

from include.addresses import without_secrets
from include.sources import web
from include.sources.feeds import OfferedTranscript
from include.transcripts import corrections, formats, process
from include.transcripts.checks import check
from include.transcripts.jobs import ASSEMBLYAI, MAX_TRIES, OK, OVER, SKIPPED_BUDGET, Job, JobStore
from include.transcripts.segment import Segment
from include.warehouse.database import append, noting_changes, records, transaction
from include.warehouse.rejections import pass_rows

log = logging.getLogger(__name__)


DAYS_TAKEN_UP = 7
"""How many days back a run looks for episodes that an earlier one left out, or whose audio failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An episode that has no transcript yet, what its publisher offers, in the feed's order, and the keys of the tries
    at its audio that were over by then. `language` is what the feed says, `published_at` in UTC without zone, `notes`
    what title, persons and description say."""

    episode_id: str
    partition_date: date
    title: str
    feed_url: str | None = None
    offers: tuple[OfferedTranscript, ...] = ()
    audio_url: str | None = None
    duration_seconds: int | None = None
    language: str | None = None
    published_at: datetime | None = None
    tried: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What became of one episode: `ok` with its segments, `none` where no source has one, `failed` or `skipped_budget`
    with the error. `publisher_status` and `publisher_error` are what became of the publisher's own; `quality_marks` say
    what is implausible."""

    episode_id: str
    status: str
    source: str = "none"
    format: str | None = None
    url: str | None = None
    language: str | None = None
    segments: tuple[Segment, ...] = ()
    error: str | None = None
    quality_marks: tuple[str, ...] = ()
    publisher_status: str | None = None
    publisher_error: str | None = None


@dataclass(frozen=True, slots=True)
class Transcribed:
    """How a day went, in numbers of episodes by status, and of segments set aside."""

    ok: int
    none: int
    failed: int
    skipped_budget: int
    set_aside: int


def wanted(connection: duckdb.DuckDBPyConnection, store: JobStore, day: date) -> list[Wanted]:
    """The day's episodes without a transcript, and those that the days before left out or whose audio failed.

    An episode keeps its day. One of the day itself that failed is wanted again; one of the DAYS_TAKEN_UP days before
    where its audio may be tried again.
    """
    rows = records(
        connection,
        """
        select
            episodes.episode_id, episodes.partition_date, episodes.title, episodes.feed_url,
            episodes.transcripts as offers,
            episodes.audio_url, episodes.duration_seconds, episodes.language, episodes.published_at, transcripts.status,
            concat_ws(
                '; ', episodes.title, array_to_string(episodes.persons, '; '), left(episodes.description, 4000)
            ) as notes
        from raw.episodes as episodes
        left join raw.transcripts as transcripts on episodes.episode_id = transcripts.episode_id
        where
            transcripts.status is distinct from 'ok'
            and (
                episodes.partition_date = $day
                or (
                    episodes.partition_date between $day - $days and $day - 1
                    and transcripts.status in ('skipped_budget', 'failed')
                )
            )
        order by episodes.partition_date desc, episodes.episode_id
        """,
        {"day": day, "days": DAYS_TAKEN_UP},
    )
    jobs = store.of_episodes([row["episode_id"] for row in rows])
    return [
        Wanted(
            **{
                **row,
                "offers": tuple(OfferedTranscript(**offer) for offer in json.loads(row["offers"])),
                "tried": tuple(job.job_key for job in jobs.get(row["episode_id"], ()) if job.status in OVER),
            }
        )
        for row in rows
        if row.pop("status") != "failed"
        or row["partition_date"] == day
        or _may_be_tried_again(jobs.get(row["episode_id"], ()))
    ]


def read_published(episodes: Sequence[Wanted], allow_hosts: frozenset[str] = frozenset()) -> list[Transcript]:
    """The publishers' own transcripts, one result an episode, in the order given.

    The best offered format is asked for first; the next one where it cannot be fetched or read. Nothing raises.
    """
    offers = {episode.episode_id: formats.best_first(episode.offers) for episode in episodes}
    notes = {episode.episode_id: episode.notes for episode in episodes}
    hosts = {episode.episode_id: web.own_hosts(episode.feed_url, allow_hosts) for episode in episodes}
    found: dict[str, Transcript] = {}
    errors: dict[str, list[str]] = {episode.episode_id: [] for episode in episodes}
    for choice in range(max(map(len, offers.values()), default=0)):
        asked = [(key, *ranked[choice]) for key, ranked in offers.items() if key not in found and choice < len(ranked)]
        answers = web.fetch_all([web.Request(offer.url, hosts[key]) for key, _, offer in asked])
        documents = [
            process.Unparsed(answer.body or b"", kind, _charset(answer.headers), notes[key])
            for (key, kind, _), answer in zip(asked, answers, strict=True)
        ]
        for (key, _, offer), answer, read in zip(asked, answers, process.read_all(documents), strict=True):
            if answer.body is None or isinstance(read, str):
                reason = read if answer.body is not None else answer.error or "no content"
                errors[key].append(without_secrets(f"{offer.url}: {reason}"))
                log.warning("transcript %s", errors[key][-1])
                continue
            unusable = f"{read.unusable_rows} rows could not be used" if read.unusable_rows else None
            found[key] = Transcript(
                key, "ok", "publisher", read.format, offer.url, offer.language, read.segments, unusable
            )
    return [found.get(episode.episode_id) or _missing(episode, errors[episode.episode_id]) for episode in episodes]


def _charset(headers: Mapping[str, str]) -> str | None:
    """The encoding that an answer names for its text."""
    message = Message()
    message["content-type"] = headers.get("content-type", "")
    return message.get_content_charset()


def outcome(episode: Wanted, published: Transcript, jobs: Sequence[Job]) -> Transcript:
    """What is to be landed of an episode: the publisher's transcript, else what the jobs brought, else why there is
    none."""
    if published.status == "ok":
        marks = check(published.segments, episode.duration_seconds, episode.language)
        return replace(published, quality_marks=marks, publisher_status="ok")
    tried = replace(published, publisher_status=published.status, publisher_error=published.error)
    jobs = sorted(jobs, key=_order_of_sources)
    done = next((job for job in jobs if job.status == OK), None)
    if done:
        return replace(
            tried,
            status="ok",
            source=done.source,
            url=done.audio_url,
            language=done.language,
            segments=done.segments,
            error=None,
            quality_marks=done.marks,
        )
    if not jobs:
        return tried
    last = {job.source: job for job in jobs}.values()
    errors = [f"{job.source}: {job.error or 'it was begun and has not ended yet'}" for job in last]
    left_out = any(job.status == SKIPPED_BUDGET for job in last)
    return replace(
        tried,
        status=SKIPPED_BUDGET if left_out else "failed",
        error="; ".join([f"publisher: {published.error}", *errors]),
    )


def land(connection: duckdb.DuckDBPyConnection, day: date, read: Sequence[Transcript], docs: Path) -> Transcribed:
    """Writes a day's transcripts in one transaction; those landed before stay, those of episodes now gone go."""
    with transaction(connection), noting_changes(connection, day, "raw.transcripts", "raw.transcript_segments"):
        episodes = [transcript.episode_id for transcript in read]
        _forget(connection, day, episodes)
        rows = [
            {"episode_id": transcript.episode_id, "partition_date": day, **_segment_row(segment)}
            for transcript in read
            for segment in transcript.segments
        ]
        passed, set_aside = pass_rows(connection, "segments", rows, day, docs, episodes)
        append(connection, "raw.transcript_segments", passed)
        append(connection, "raw.transcripts", [_transcript_row(transcript, day) for transcript in read])
        corrections.correct(connection, day, corrections.load())
        counts = dict(
            connection.execute(
                "select status, count(*) from raw.transcripts where partition_date = $day group by all", {"day": day}
            ).fetchall()
        )
    statuses = ("ok", "none", "failed", SKIPPED_BUDGET)
    return Transcribed(**{status: counts.get(status, 0) for status in statuses}, set_aside=set_aside)


def _may_be_tried_again(jobs: Sequence[Job]) -> bool:
    """Whether a source that failed, or that has it in work, may have another go at an episode's audio."""
    sources = {job.source for job in jobs}
    return any(sum(job.source == source and job.status in OVER for job in jobs) < MAX_TRIES for source in sources)


def _order_of_sources(job: Job) -> tuple[bool, int]:
    return job.source != ASSEMBLYAI, job.try_number


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
        **{name: getattr(transcript, name) for name in Transcript.__slots__ if name != "segments"},
        "partition_date": day,
        "segment_count": len(segments),
        "word_count": formats.word_count(segments),
        "has_times": any(segment.start_seconds is not None for segment in segments),
        "has_speakers": any(segment.speaker for segment in segments),
        "content_hash": formats.content_hash(segments),
        "quality_marks": list(transcript.quality_marks),
    }
