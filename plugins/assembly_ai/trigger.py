"""Waits in the triggerer until some of the transcripts that AssemblyAI has in work have ended."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from plugins.assembly_ai.hook import AccountRefused, AssemblyAIHook, RequestRefused, ServiceError

POLL_SECONDS = 15.0
_ENDED_BY_A_PERSON = ("failed", "success", "skipped", "upstream_failed", "removed")


class AssemblyAITrigger(BaseTrigger):
    """Fires one event: `ended` when `enough` of the transcripts have ended, `refused` where asking again is no use, or
    `timeout` at `end_time` (seconds of the wall clock, since another triggerer may take over). An answer that does not
    come, or cannot be read, is asked for again at the next poll.

    The event carries ids and no text; who resumes asks the service itself.
    """

    def __init__(self, transcript_ids: Sequence[str], enough: int, end_time: float):
        super().__init__()
        self.transcript_ids = list(transcript_ids)
        self.enough = enough
        self.end_time = end_time

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "plugins.assembly_ai.trigger.AssemblyAITrigger",
            {"transcript_ids": self.transcript_ids, "enough": self.enough, "end_time": self.end_time},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        hook = AssemblyAIHook(attempts=1)
        await hook.load()
        try:
            yield TriggerEvent(await self._wait(hook))
        finally:
            hook.close()

    async def on_kill(self) -> None:
        """Deletes the transcripts where a person gave the task up, so that nothing more is done or paid for it.

        A task that was cleared goes on with them instead, and a triggerer that is slow or restarts does not ask. In a
        thread, which goes on where the triggerer loses patience: its first question about a state can take long.
        """
        await asyncio.to_thread(self._delete_what_was_given_up)

    async def _wait(self, hook: AssemblyAIHook) -> dict[str, Any]:
        ended: set[str] = set()
        while True:
            await asyncio.sleep(min(POLL_SECONDS, max(self.end_time - time.time(), 0.01)))
            asked = [one for one in self.transcript_ids if one not in ended]
            answers = await asyncio.gather(*(asyncio.to_thread(hook.get, one) for one in asked), return_exceptions=True)
            for transcript_id, answer in zip(asked, answers, strict=True):
                if isinstance(answer, AccountRefused):
                    return {"status": "refused", "ended": sorted(ended), "message": str(answer)}
                if isinstance(answer, RequestRefused):
                    ended.add(transcript_id)
                elif isinstance(answer, ServiceError):
                    self.log.warning("Asking for transcript %s again later: %s", transcript_id, answer)
                elif isinstance(answer, BaseException):
                    raise answer
                elif answer["status"] in ("completed", "error"):
                    ended.add(transcript_id)
            if len(ended) >= min(self.enough, len(self.transcript_ids)):
                return {"status": "ended", "ended": sorted(ended), "message": f"{len(ended)} transcripts have ended"}
            if time.time() >= self.end_time:
                waiting = len(self.transcript_ids) - len(ended)
                return {"status": "timeout", "ended": sorted(ended), "message": f"{waiting} transcripts are late"}

    def _delete_what_was_given_up(self) -> None:
        if not self._is_given_up():
            self.log.info("The task goes on: its transcripts stay at the service")
            return
        hook = AssemblyAIHook(attempts=3)
        try:
            for transcript_id in self.transcript_ids:
                try:
                    hook.delete(transcript_id)
                    self.log.info("Deleted transcript %s, since its task was given up", transcript_id)
                except ServiceError as error:
                    self.log.warning("Transcript %s could not be deleted: %s", transcript_id, error)
        finally:
            hook.close()

    def _is_given_up(self) -> bool:
        """Whether a person set the task's state to an end."""
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        task = self.task_instance
        if task is None:
            return True
        states = RuntimeTaskInstance.get_task_states(dag_id=task.dag_id, task_ids=[task.task_id], run_ids=[task.run_id])
        return states.get(task.run_id, {}).get(task.task_id) in _ENDED_BY_A_PERSON
