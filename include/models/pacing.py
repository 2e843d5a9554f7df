"""How often and how fast a model that fails, or asks for patience, is asked again."""

import threading
import time
from dataclasses import dataclass

import tenacity

from include.retry_after import retry_after

_PASSING = {408, 409, 425, 429}
_SILENT = 5


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer is waited for, how many tries a question has, and how long the pauses between them are."""

    timeout_seconds: float = 300.0
    attempts: int = 4
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0


class Pacing:
    """The tries of all questions to one model.

    A question is tried again on 429, 5xx, time-outs and lost connections, with growing pauses, or as long as
    `Retry-After` says (at most the longest wait, and then for all questions). After five questions in a row that nobody
    answered none is to be asked for the longest wait.
    """

    def __init__(self, patience: Patience):
        self._patience = patience
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._unanswered = 0
        self._silent_until = 0.0

    def tries(self) -> tenacity.Retrying:
        """The tries of one question, each begun when no pause holds it back."""
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(passes),
            stop=tenacity.stop_after_attempt(self._patience.attempts),
            wait=self._wait,
            before=lambda _: time.sleep(max(self._paused_until - time.monotonic(), 0.0)),
            reraise=True,
        )

    @property
    def is_silent(self) -> bool:
        """Whether the model answered none of the last questions, a short while ago."""
        return self._unanswered >= _SILENT and time.monotonic() < self._silent_until

    def note(self, answered: bool) -> None:
        """Takes in how a question ended."""
        with self._lock:
            self._unanswered = 0 if answered else self._unanswered + 1
            self._silent_until = time.monotonic() + self._patience.longest_wait_seconds

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        asked = retry_after(headers.get("retry-after"))
        first, longest = self._patience.first_wait_seconds, self._patience.longest_wait_seconds
        if asked is None:
            return tenacity.wait_exponential_jitter(first, longest, jitter=first)(state)
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + min(asked, longest))
        return min(asked, longest)


def status_code(error: BaseException) -> int | None:
    """The status of the response that an error stands for; None where there was no response."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) and status >= 400 else None


def passes(error: BaseException) -> bool:
    """Whether the same question may be answered on another try: after 429, 5xx, a lost connection, a time-out, or a
    response that is no chat completion; not after a refusal of the request, nor where the account is used up."""
    status = status_code(error)
    if status is not None:
        return (status in _PASSING or status >= 500) and "insufficient_quota" not in str(error)
    return getattr(error, "is_retryable", True)


def may_be_billed(error: BaseException) -> bool:
    """Whether the provider may have done the work: it was reached, and no refusal came back."""
    return status_code(error) is None and passes(error) and "Connect" not in type(error).__name__
