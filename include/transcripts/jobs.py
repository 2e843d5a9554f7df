"""Attempts to have a recording transcribed, each kept in the state from before it is begun.

One job is one try of one source (AssemblyAI, the local model) at one recording. Its key is made of exactly these, so
that whoever comes later, a retry, a rerun, another process, finds what was begun and never begins it twice.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, select

from include.state import store, turns
from include.state.store import Store
from include.state.tables import transcription_jobs
from include.transcripts.segment import Segment

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


class JobStore:
    """The jobs that a state keeps. Safe for several processes: who begins or goes on with one has its turn first."""

    def __init__(self, state: Store):
        self._state = state

    def put(self, job: Job) -> None:
        """Keeps a job in the place of what was kept under its key; it outlives a power cut."""
        row = {name: getattr(job, name) for name in Job.__dataclass_fields__}
        segments = _SEGMENTS.dump_json(job.segments).decode() if job.segments else None
        row |= {"marks": list(job.marks), "segments": segments, "changed_at": store.now()}
        with self._state.writing(durable=True) as connection:
            self._state.upsert(connection, transcription_jobs, row)

    def get(self, key: str) -> Job | None:
        """The job of that key; None where there is none."""
        return next(iter(self._found(transcription_jobs.c.job_key == key)), None)

    def of_episodes(self, episode_ids: Sequence[str]) -> dict[str, list[Job]]:
        """The jobs of some episodes, by episode."""
        found: dict[str, list[Job]] = {}
        for first in range(0, len(episode_ids), _AT_ONCE):
            for job in self._found(transcription_jobs.c.episode_id.in_(episode_ids[first : first + _AT_ONCE])):
                found.setdefault(job.episode_id, []).append(job)
        return found

    def take_turn(self, job: Job) -> bool:
        """Whether this process may begin the job, or go on with it; it has to leave it then."""
        return turns.take(self._state, _turn(job))

    def leave_turn(self, job: Job) -> None:
        with self._state.writing() as connection:
            turns.leave(connection, _turn(job))

    def _found(self, which: ColumnElement[bool]) -> list[Job]:
        wanted = select(*_COLUMNS).where(which).order_by(transcription_jobs.c.job_key)
        with self._state.reading() as connection:
            return [_job(dict(row)) for row in connection.execute(wanted).mappings()]


def _job(row: dict[str, Any]) -> Job:
    read = {
        "segments": _SEGMENTS.validate_json(row["segments"] or "[]"),
        "marks": tuple(row["marks"] or ()),
        "interruptions": row["interruptions"] or 0,
    }
    return Job(**{**row, **read})


def _turn(job: Job) -> str:
    return f"job {job.job_key}"


_SEGMENTS: TypeAdapter[tuple[Segment, ...]] = TypeAdapter(tuple[Segment, ...])
_COLUMNS = [transcription_jobs.c[name] for name in Job.__dataclass_fields__]
_AT_ONCE = 500
