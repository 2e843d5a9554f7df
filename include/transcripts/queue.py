"""The recordings that one source is to transcribe in a run, newest first, within the caps of the day.

Whoever transcribes takes one recording after another and says how it went; the queue writes each step down before the
next one is made, so that any process can go on where another was killed. What one process has taken, or goes on with,
no other one touches while it lives. It opens no warehouse.
"""

import contextlib
import dataclasses
import logging
import socket
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from include import leftovers
from include.addresses import is_public
from include.models import budget
from include.settings import Settings
from include.sources import web
from include.state import store
from include.transcripts import jobs
from include.transcripts.checks import check
from include.transcripts.jobs import IN_WORK, MAX_INTERRUPTIONS, MAX_TRIES, OVER, Job, JobStore
from include.transcripts.landing import Wanted
from include.transcripts.segment import Segment

log = logging.getLogger(__name__)

ASSUMED_HOURS = 1.0
"""How long a recording is taken to be until it is known, where its feed does not say."""

MAX_AUDIO_BYTES = 2 * 1024**3
KEPT_SECONDS = 86_400.0
"""For how long a recording may be in use."""


class Unreachable(Exception):
    """A recording could not be downloaded; the message says why."""


class Queue:
    """What `source` has to do of the episodes wanted.

    An episode is left alone where it has a transcript by now or another source has it in work, and after MAX_TRIES. A
    try that failed is made again by the next run.
    """

    def __init__(self, source: str, wanted: Sequence[Wanted], settings: Settings):
        self.source = source
        self._settings = settings
        self._rate = settings.assemblyai_usd_per_hour if source == jobs.ASSEMBLYAI else 0.0
        self._store = JobStore(store.of(settings))
        newest_first = sorted(wanted, key=lambda one: (one.published_at or datetime.min, one.episode_id), reverse=True)
        self._wanted = {episode.episode_id: episode for episode in newest_first if episode.audio_url}
        known = self._store.of_episodes(list(self._wanted))
        self._jobs = {job.job_key: job for jobs in known.values() for job in jobs}
        self._refused: set[str] = set()

    @property
    def is_required(self) -> bool:
        """Whether the settings name this very source."""
        return self._settings.transcriber == self.source

    def waiting(self) -> list[Job]:
        """What has not been begun, newest first, each with what it is thought to take."""
        begun: dict[str, list[Job]] = {}
        for job in self._jobs.values():
            begun.setdefault(job.episode_id, []).append(job)
        tries = (self._next_try(episode, begun.get(episode.episode_id, ())) for episode in self._wanted.values())
        return [job for job in tries if job and job.job_key not in self._refused]

    def in_work(self) -> list[Job]:
        """What was begun and has not ended, oldest first; without a `service_id` it is in doubt whether it was."""
        jobs = [job for job in self._jobs.values() if job.source == self.source and job.status in IN_WORK]
        return sorted(jobs, key=lambda job: (str(job.begun_at), job.job_key))

    def estimate(self) -> str:
        """What is to be done and what it is thought to take, in words for the log."""
        waiting = self.waiting()
        hours, cost = sum(job.estimated_hours for job in waiting), sum(job.estimated_cost_usd for job in waiting)
        money, audio = self._caps(_now().date())
        return (
            f"{len(waiting)} recordings for {self.source}, {hours:.1f} hours, ${cost:.2f}; of the day's "
            f"{audio.limit:g} hours {audio.spent:.1f} and of its ${money.limit:g} ${money.spent:.2f} are spent"
        )

    def take(self) -> Job | None:
        """The next recording that the caps allow, written down as intended; None when there is no more.

        What they do not allow is written down as left out, to be taken up another day.
        """
        for job in self.waiting():
            self._refused.add(job.job_key)
            if not self._store.take_turn(job):
                continue
            kept = self._store.get(job.job_key)
            if kept and kept.status in IN_WORK | OVER:
                log.info("%s of %s was begun before: %s", self.source, job.episode_id, kept.error or kept.status)
                self._jobs[job.job_key] = kept
                self._store.leave_turn(job)
                continue
            day = _now().date()
            reason = self._reserve(job, day)
            if reason is None:
                return self._put(job, status=jobs.INTENDED, spent_on=day, begun_at=_now())
            self._leave(job, status=jobs.SKIPPED_BUDGET, error=reason)
        return None

    def gone_on_with(self, job: Job) -> Job | None:
        """A job in work that the service is not known to have, as it is by now, for this process to go on with; None
        where another process is at it, or has gone on with it."""
        if not self._store.take_turn(job):
            return None
        kept = self._jobs[job.job_key] = self._store.get(job.job_key) or job
        if kept.status in IN_WORK and not kept.service_id:
            return kept
        self._store.leave_turn(job)
        return None

    def resumed(self, job: Job) -> Job | None:
        """A try that a killed process began on this machine, to be gone on with; it is the same try. None, and a
        failed try, where that happened MAX_INTERRUPTIONS times: then it is the recording that kills."""
        kept = self.gone_on_with(job)
        if kept and kept.interruptions >= MAX_INTERRUPTIONS:
            self.failed(kept, f"the process that transcribed it was killed {kept.interruptions} times")
            return None
        return self._put(kept, interruptions=kept.interruptions + 1) if kept else None

    def give_back(self, job: Job, reason: str) -> None:
        """Undoes `take` of a job that the service has certainly not begun."""
        self._settle(job, 0.0, 0.0)
        self._leave(job, status=jobs.NOT_ASKED, error=reason, sent_url=None, spent_on=None, begun_at=None)
        self._refused.discard(job.job_key)

    def leave_rest(self, reason: str) -> None:
        """Writes down what still waits as not asked for, to be taken up another time."""
        for job in self.waiting():
            self._refused.add(job.job_key)
            if self._store.take_turn(job):
                self._leave(job, status=jobs.NOT_ASKED, error=reason)

    def sends(self, job: Job, url: str) -> Job | None:
        """Writes down the address that the service is about to be given. None, and nothing is to be sent, where
        another process has gone on with the job since this one was last seen at it."""
        return self._put(job, sent_url=url) if self.gone_on_with(job) else None

    def submitted(self, job: Job, service_id: str) -> Job:
        """Writes down the name under which the service has the job."""
        return self._leave(job, status=jobs.SUBMITTED, service_id=service_id, error=None)

    def in_doubt(self, job: Job, error: str) -> Job:
        """Writes down why it is not known whether the service has the job."""
        return self._leave(job, error=error)

    def ended(
        self, job: Job, segments: Sequence[Segment], seconds: float, language: str | None, model: str | None
    ) -> Job:
        """Keeps the transcript, and settles what it cost: by the length that the recording turned out to have."""
        episode = self._wanted[job.episode_id]
        longest = max(seconds, episode.duration_seconds or 0.0)
        hours = seconds / 3600
        cost = round(hours * self._rate, 6)
        self._settle(job, hours, cost)
        return self._leave(
            job,
            status=jobs.OK,
            segments=tuple(segments),
            hours=hours,
            cost_usd=cost,
            language=language,
            model=model,
            marks=check(segments, longest, episode.language),
            error=None,
            ended_at=_now(),
        )

    def failed(self, job: Job, error: str, billed_hours: float = 0.0) -> Job:
        """Keeps the reason; the try counts. `billed_hours` are those that are paid or used up all the same."""
        return self._over(job, jobs.FAILED, error, billed_hours)

    def cancelled(self, job: Job, reason: str) -> Job:
        """Keeps that a person gave the job up; the try counts, and what was reserved for it may have been billed."""
        return self._over(job, jobs.CANCELLED, reason, job.estimated_hours)

    def known_ids(self) -> set[str]:
        """The names under which the service has jobs of these episodes, as far as they are written down."""
        return {job.service_id for job in self._jobs.values() if job.service_id}

    def language(self, job: Job) -> str | None:
        """The language that the job's show says it speaks."""
        return self._wanted[job.episode_id].language

    def is_public(self, job: Job) -> bool:
        """Whether others can be expected to reach the recording by its address, as far as can be seen from here."""
        try:
            parts = urlsplit(job.audio_url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError):
            return True
        if f"{parts.hostname}:{port}" in self._settings.allow_hosts:
            return False
        return all(is_public(str(entry[4][0])) for entry in found)

    @contextlib.contextmanager
    def downloaded(self, job: Job) -> Iterator[Path]:
        """The recording as a file while the block runs. Raises Unreachable where it cannot be had."""
        folder = self._settings.landing / "audio"
        folder.mkdir(parents=True, exist_ok=True)
        leftovers.forget(folder.iterdir(), KEPT_SECONDS)
        # A name of its own: a try that was given up for dead may still be at it.
        file = folder / f"{job.job_key}-{uuid.uuid4().hex}"
        try:
            hosts = web.own_hosts(self._wanted[job.episode_id].feed_url, self._settings.allow_hosts)
            answer = web.download(web.Request(job.audio_url, hosts), file, MAX_AUDIO_BYTES)
            if answer.error:
                raise Unreachable(f"the recording could not be downloaded: {answer.error}")
            yield file
        finally:
            file.unlink(missing_ok=True)

    def summary(self) -> dict[str, int]:
        """How many of the wanted are in each state by now."""
        return dict(Counter(job.status for job in self._jobs.values() if job.source == self.source))

    def _next_try(self, episode: Wanted, begun: Iterable[Job]) -> Job | None:
        assert episode.audio_url
        # Some hosts give the same recording another address each day, so only a failure is bound to its address.
        if any(job.status == jobs.OK or job.status in IN_WORK for job in begun):
            return None
        same = [job for job in begun if job.source == self.source and job.audio_url == episode.audio_url]
        tried = [job for job in same if job.status in OVER]
        if len(tried) >= MAX_TRIES or any(job.job_key not in episode.tried for job in tried):
            return None
        key = jobs.job_key(episode.episode_id, episode.audio_url, self.source, len(tried) + 1)
        hours = (episode.duration_seconds or 0) / 3600
        hours = hours if hours > 0 else ASSUMED_HOURS
        return Job(
            job_key=key,
            episode_id=episode.episode_id,
            partition_date=episode.partition_date,
            source=self.source,
            try_number=len(tried) + 1,
            status="",
            audio_url=episode.audio_url,
            estimated_hours=hours,
            estimated_cost_usd=round(hours * self._rate, 6),
        )

    def _over(self, job: Job, status: str, error: str, hours: float) -> Job:
        log.warning("%s of %s: %s", self.source, job.episode_id, error)
        cost = round(hours * self._rate, 6)
        self._settle(job, hours, cost)
        return self._leave(job, status=status, hours=hours, cost_usd=cost, error=error, ended_at=_now())

    def _put(self, job: Job, **changes: Any) -> Job:
        job = dataclasses.replace(job, **changes)
        self._store.put(job)
        self._jobs[job.job_key] = job
        return job

    def _leave(self, job: Job, **changes: Any) -> Job:
        """Puts the job, and lets others go on with it."""
        job = self._put(job, **changes)
        self._store.leave_turn(job)
        return job

    def _caps(self, day: date) -> tuple[budget.Budget, budget.Budget]:
        return budget.dollars(self._settings, day), budget.audio_hours(self._settings, day)

    def _reserve(self, job: Job, day: date) -> str | None:
        """None where both caps allow the job, else why not."""
        money, audio = self._caps(day)
        wants = f"it takes {job.estimated_hours:.1f} h"
        if audio.reserve(job.estimated_hours, job.job_key) is None:
            return f"left out: {wants}, and of the {audio.limit:g} hours of audio a day too little was left"
        if money.reserve(job.estimated_cost_usd, job.job_key) is None:
            audio.settle(job.job_key, 0.0)
            return (
                f"left out: {wants} at ${job.estimated_cost_usd:.2f}, and of the ${money.limit:g} a day too little "
                "was left"
            )
        return None

    def _settle(self, job: Job, hours: float, cost: float) -> None:
        if job.spent_on:
            money, audio = self._caps(job.spent_on)
            money.settle(job.job_key, cost)
            audio.settle(job.job_key, hours)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
