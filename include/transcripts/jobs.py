"""Attempts to have a recording transcribed, each kept in a file from before it is begun until the warehouse has it.

One job is one try of one source (AssemblyAI, the local model) at one recording. Its key is made of exactly these, so
that whoever comes later, a retry, a rerun, another process, finds what was begun and never begins it twice.
"""

import hashlib
import logging
import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
from pydantic import TypeAdapter, ValidationError

from include.transcripts.segment import Segment
from include.warehouse.database import append, records

log = logging.getLogger(__name__)

ASSEMBLYAI = "assemblyai"
LOCAL = "local"

INTENDED = "intended"
"""Written down before the service is asked: whether it was asked is to be looked up there."""
SUBMITTED = "submitted"
"""The service has it, under `service_id`."""
OK = "ok"
FAILED = "failed"
CANCELLED = "cancelled"
SKIPPED_BUDGET = "skipped_budget"
"""Left out because a cap of the day was reached; it is no try."""
NOT_ASKED = "not_asked"
"""Left out because the service was out of reach; it is no try."""

IN_WORK = frozenset({INTENDED, SUBMITTED})
OVER = frozenset({OK, FAILED, CANCELLED})
"""The states of a try that counts as one."""
MAX_TRIES = 3
"""How often one source is tried on one recording, over all runs."""
MAX_INTERRUPTIONS = 5
"""How often the process may be killed amid one try on this machine, as a deployment does, before the recording counts
as what kills it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One try. Times are UTC without zone; hours are of audio, estimated ones from what the feed says.

    `spent_on` is the calendar day whose caps it counts against, `sent_url` the address that the service was given,
    `marks` what is implausible about the result, `interruptions` how often the process that worked on it was killed.
    """

    job_key: str
    episode_id: str
    partition_date: date
    source: str
    try_number: int
    status: str
    audio_url: str
    estimated_hours: float
    estimated_cost_usd: float
    sent_url: str | None = None
    service_id: str | None = None
    spent_on: date | None = None
    hours: float | None = None
    cost_usd: float | None = None
    error: str | None = None
    model: str | None = None
    language: str | None = None
    marks: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    interruptions: int = 0


def job_key(episode_id: str, audio_url: str, source: str, try_number: int) -> str:
    """The content key of a try."""
    return hashlib.sha256("\n".join((episode_id, audio_url, source, str(try_number))).encode()).hexdigest()[:24]


class JobFolder:
    """A folder with a JSON file a job, written whole or not at all. Safe for several processes."""

    def __init__(self, folder: Path):
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, job: Job) -> None:
        """Keeps a job in the place of what was kept under its key; one in work outlives a power cut, too."""
        unfinished = self._folder / f".{job.job_key}.{uuid.uuid4().hex}"
        with unfinished.open("wb") as file:
            file.write(_ADAPTER.dump_json(job))
            if job.status in IN_WORK:
                file.flush()
                os.fsync(file.fileno())
        os.replace(unfinished, self._file(job.job_key))

    def get(self, key: str) -> Job | None:
        """The job of that key; None where there is none, or where its file is damaged."""
        try:
            return _ADAPTER.validate_json(self._file(key).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def is_damaged(self, key: str) -> bool:
        """Whether the file of that key is there and cannot be read: what it began may be paid for, and nobody knows."""
        damaged = self.get(key) is None and self._file(key).exists()
        if damaged:
            log.error(
                "The job file %s is damaged (a full disk?), so its recording is left alone. Look in the service's list "
                "whether it has the recording; remove the file, and it is transcribed from the beginning.",
                self._file(key),
            )
        return damaged

    def all(self) -> list[Job]:
        """All jobs, in the order of their keys."""
        found = (self.get(file.stem) for file in sorted(self._folder.glob("[!.]*.json")))
        return [job for job in found if job is not None]

    def forget(self, jobs: Iterable[Job]) -> None:
        """Removes the files of jobs that have not changed since they were read."""
        for job in jobs:
            if self.get(job.job_key) == job:
                self._file(job.job_key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def jobs_of_episodes(connection: duckdb.DuckDBPyConnection, episode_ids: Sequence[str]) -> dict[str, list[Job]]:
    """The jobs that the warehouse has of some episodes, by episode."""
    rows = records(
        connection,
        "select * from raw.transcription_jobs where list_contains($ids, episode_id) order by job_key",
        {"ids": list(episode_ids)},
    )
    found: dict[str, list[Job]] = {}
    for row in rows:
        segments = _SEGMENTS.validate_json(row.pop("segments") or "[]")
        row["interruptions"] = row["interruptions"] or 0
        job = Job(**{**row, "segments": segments, "marks": tuple(row["marks"] or ())})
        found.setdefault(job.episode_id, []).append(job)
    return found


def keep_jobs(connection: duckdb.DuckDBPyConnection, jobs: Sequence[Job]) -> None:
    """Writes jobs to the warehouse, each in the place of what it has under that key. Run it in a transaction."""
    keys = [job.job_key for job in jobs]
    connection.execute("delete from raw.transcription_jobs where list_contains($keys, job_key)", {"keys": keys})
    append(connection, "raw.transcription_jobs", [_row(job) for job in jobs])


def _row(job: Job) -> dict:
    row = {name: getattr(job, name) for name in Job.__dataclass_fields__}
    segments = _SEGMENTS.dump_json(job.segments).decode() if job.segments else None
    return {**row, "marks": list(job.marks), "segments": segments}


_ADAPTER: TypeAdapter[Job] = TypeAdapter(Job)
_SEGMENTS: TypeAdapter[tuple[Segment, ...]] = TypeAdapter(tuple[Segment, ...])
