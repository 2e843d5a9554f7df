"""Has a queue of recordings transcribed by AssemblyAI, and gives its worker up while the service works."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from plugins.assembly_ai.hook import (
    CONNECTION,
    AccountRefused,
    AssemblyAIHook,
    Busy,
    RequestRefused,
    ServiceError,
    Unavailable,
)
from plugins.assembly_ai.transcript import is_deleted, segments
from plugins.assembly_ai.trigger import AssemblyAITrigger

if TYPE_CHECKING:
    from include.transcripts.jobs import Job
    from include.transcripts.queue import Queue

SUBMISSIONS = 3
"""How often a recording is submitted where the service gives no answer and turns out not to have taken it."""
IN_FLIGHT = 20
"""How many recordings of a run are at the service at any moment, at most."""
TIMEOUT_SECONDS = 6 * 3600.0
"""How long a recording may take there: after that it counts as failed and is deleted at the service."""
_LONGEST_SECONDS = 10 * 24 * 3600.0


class AssemblyAITranscriptionOperator(BaseOperator):
    """Works through a queue, with at most IN_FLIGHT recordings at the service at any moment. Costs money by the hour
    of audio, within the caps that the queue keeps.

    One task carries all recordings of a run: it submits, defers until some have ended, collects them, submits the next
    ones, and so on. What it knows lives in the queue, written down before each step, so `execute` and `resume` are the
    same work, and a retry, another run, another worker goes on where it was. A recording is never submitted twice: one
    process at a time may submit it, and one that was intended and has no id yet is first looked for in the service's
    own list.

    An error of one recording, and a time-out, are results in the queue, not failures of the task. It fails where the
    connection is refused, which only a person can mend, and then keeps all that is in work for the next run.

    :param recordings: the queue of the run, from the task's context; None where nothing is to be done here.
    """

    def __init__(self, *, recordings: "Callable[[Context], Queue | None]", **kwargs: Any):
        super().__init__(**kwargs)
        self.recordings = recordings

    def execute(self, context: Context) -> dict[str, int]:
        return self._go_on(context)

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, int]:
        """Goes on after the trigger's event. Which recordings have ended is asked of the service, not of the event."""
        self.log.info("%s: %s", event["status"], event["message"])
        return self._go_on(context)

    def _go_on(self, context: Context) -> dict[str, int]:
        queue = self.recordings(context)
        if queue is None or not (queue.waiting() or queue.in_work()):
            return {}
        if not AssemblyAIHook.is_configured():
            if queue.is_required:
                raise AirflowFailException(
                    f"PODCAST_TRANSCRIBER asks for AssemblyAI, and there is no connection {CONNECTION}. Add it, with "
                    "the API key as its password, or set PODCAST_TRANSCRIBER=auto."
                )
            return {}
        hook = AssemblyAIHook()
        try:
            return self._work(queue, hook)
        except AccountRefused as error:
            raise AirflowFailException(
                f"AssemblyAI refuses the connection {CONNECTION}: {error}. Put a valid API key into its password, "
                "then clear this task: what is in work at the service is not submitted again."
            ) from error
        finally:
            hook.close()

    def _work(self, queue: "Queue", hook: AssemblyAIHook) -> dict[str, int]:
        self.log.info("%s", queue.estimate())
        trouble: ServiceError | None = None
        for job in [job for job in queue.in_work() if job.service_id]:
            try:
                self._collect(queue, hook, job)
            except (Busy, Unavailable) as error:
                self.log.warning("Asking for transcript %s again later: %s", job.service_id, error)
        try:
            for job in [job for job in queue.in_work() if not job.service_id]:
                if mine := queue.gone_on_with(job):
                    self._submit(queue, hook, mine)
            while len(queue.in_work()) < IN_FLIGHT and (taken := queue.take()):
                self._submit(queue, hook, taken)
        except (Busy, Unavailable) as error:
            self.log.warning("AssemblyAI takes no more for now: %s", error)
            trouble = error
        under_way = [job for job in queue.in_work() if job.service_id]
        if under_way:
            self._wait_for(under_way, all_of_them=not queue.waiting() and not trouble)
        if trouble:
            queue.leave_rest(f"AssemblyAI was out of reach: {trouble}")
        return queue.summary()

    def _submit(self, queue: "Queue", hook: AssemblyAIHook, job: "Job") -> None:
        """Sees to it that the service has the recording exactly once and that its id is written down.

        Raises Busy where the service has not taken it, Unavailable where that cannot be found out now.
        """
        from include.transcripts.queue import Unreachable

        in_doubt = job.sent_url is not None
        failure: ServiceError | None = None
        try:
            if not in_doubt:
                sent = queue.sends(job, self._address(queue, hook, job))
                if sent is None:
                    return
                job = sent
            known = self._find(queue, hook, job) if in_doubt else None
            for _ in range(SUBMISSIONS):
                if known:
                    break
                in_doubt = False
                try:
                    known = hook.submit(job.sent_url or "")
                except Unavailable as error:
                    self.log.warning("Looking whether AssemblyAI took %s all the same: %s", job.episode_id, error)
                    failure, in_doubt = error, error.may_be_done
                    known = self._find(queue, hook, job) if in_doubt else None
            if known:
                queue.submitted(job, known)
            elif failure:
                raise failure
        except (Unreachable, ServiceError) as error:
            if in_doubt:
                queue.in_doubt(job, str(error))
            elif isinstance(error, Unreachable | RequestRefused):
                queue.failed(job, str(error))
            else:
                queue.give_back(job, str(error))
            if isinstance(error, Busy | AccountRefused | Unavailable):
                raise

    def _address(self, queue: "Queue", hook: AssemblyAIHook, job: "Job") -> str:
        if queue.is_public(job):
            return job.audio_url
        with queue.downloaded(job) as file:
            return hook.upload(file)

    def _find(self, queue: "Queue", hook: AssemblyAIHook, job: "Job") -> str | None:
        assert job.sent_url
        assert job.begun_at
        return hook.find(job.sent_url, job.begun_at, queue.known_ids())

    def _collect(self, queue: "Queue", hook: AssemblyAIHook, job: "Job") -> None:
        """Takes over what the service says of a recording that it has."""
        assert job.service_id
        try:
            answer = hook.get(job.service_id)
        except RequestRefused as error:
            queue.failed(job, f"AssemblyAI no longer knows transcript {job.service_id}: {error}")
            return
        except (Busy, Unavailable) as error:
            if self._deadline(job) > time.time():
                raise
            answer = {"status": f"unknown ({error})"}
        if answer["status"] == "error":
            queue.failed(job, f"AssemblyAI could not transcribe it: {answer.get('error')}")
        elif is_deleted(answer):
            queue.cancelled(job, "it was deleted at AssemblyAI")
        elif answer["status"] == "completed":
            self._keep(queue, job, answer)
        elif self._deadline(job) <= time.time():
            self._give_up(queue, hook, job, answer["status"])

    def _keep(self, queue: "Queue", job: "Job", answer: dict[str, Any]) -> None:
        seconds = answer.get("audio_duration")
        if not isinstance(seconds, int | float) or not 0 < seconds < _LONGEST_SECONDS:
            seconds = job.estimated_hours * 3600
        try:
            found = segments(answer)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            queue.failed(job, f"AssemblyAI's transcript is not of the specified form: {error!r}", seconds / 3600)
            return
        if not found:
            queue.failed(job, "AssemblyAI found no speech in it", seconds / 3600)
            return
        language, model = (str(answer.get(name) or "") or None for name in ("language_code", "speech_model_used"))
        queue.ended(job, found, seconds, language, model)

    def _give_up(self, queue: "Queue", hook: AssemblyAIHook, job: "Job", status: str) -> None:
        try:
            hook.delete(job.service_id or "")
        except ServiceError as error:
            self.log.warning("Transcript %s could not be deleted: %s", job.service_id, error)
        late = f"AssemblyAI was still at it after {TIMEOUT_SECONDS / 3600:.1f} h, status {status}"
        queue.failed(job, late, job.estimated_hours)

    def _deadline(self, job: "Job") -> float:
        assert job.begun_at
        return job.begun_at.replace(tzinfo=UTC).timestamp() + TIMEOUT_SECONDS

    def _wait_for(self, jobs: "list[Job]", all_of_them: bool) -> None:
        end_time = min(self._deadline(job) for job in jobs)
        self.log.info("%d recordings are at AssemblyAI", len(jobs))
        self.defer(
            trigger=AssemblyAITrigger(
                transcript_ids=[job.service_id for job in jobs if job.service_id],
                enough=len(jobs) if all_of_them else 1,
                end_time=end_time,
            ),
            method_name="resume",
            # A backstop: the trigger's own deadline comes first, and is dealt with one recording after another.
            timeout=datetime.fromtimestamp(end_time, UTC) - datetime.now(UTC) + timedelta(hours=1),
        )
