"""The memory of calls: what was asked of a chat model is kept before anything uses it, and not asked again.

Any process asks it directly. Analysts find it as `ops.llm_calls`.
"""

import dataclasses
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from include.state import store, turns
from include.state.store import Store
from include.state.tables import llm_calls

ANSWERED = frozenset({"ok", "malformed", "truncated", "refused"})
"""The states of a call that brought an answer: it was paid for, is kept, and the question is not asked again."""

_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A question that was asked, or left out, as a row of `ops.llm_calls`. Times are UTC, `cost_usd` is None where the
    model's price is not known."""

    call_key: str
    subject_id: str
    task: str
    provider_model: str
    prompt_version: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = 0.0
    latency_seconds: float | None = None
    status: str = "failed"
    error: str | None = None
    answer: str | None = None
    called_at: datetime


_COLUMNS = [llm_calls.c[field.name] for field in dataclasses.fields(Call)]


class CallStore:
    """The calls that a state keeps; they outlive a power cut, and a killed process loses only the one that it was
    waiting for. Safe for several threads and processes."""

    def __init__(self, state: Store):
        self._state = state

    def get(self, key: str) -> Call | None:
        """The call of that key where it was answered; None where this process is to ask, and to `put` what came of it
        or to `leave` it.

        Where another process is asking the very same, that is waited for.
        """
        while True:
            if answered := self._answered(key):
                return answered
            if turns.take(self._state, _turn(key)):
                break
            time.sleep(_LOOK_SECONDS)
        if answered := self._answered(key):
            self.leave(key)
        return answered

    def leave(self, key: str) -> None:
        """Lets others ask what this process was to ask."""
        with self._state.writing() as connection:
            turns.leave(connection, _turn(key))

    def put(self, call: Call) -> None:
        """Keeps a call, in the place of an earlier one of its key that was not answered."""
        row = dataclasses.asdict(call) | {"changed_at": store.now()}
        with self._state.writing(durable=True) as connection:
            put = self._state.insert(llm_calls).values(row)
            unanswered = llm_calls.c.status.not_in(ANSWERED)
            put = put.on_conflict_do_update(index_elements=["call_key"], set_=row, where=unanswered)
            connection.execute(put)
            turns.leave(connection, _turn(call.call_key))

    def records(self) -> list[dict[str, Any]]:
        """All calls as rows of `ops.llm_calls`, in the order of the keys."""
        with self._state.reading() as connection:
            rows = connection.execute(select(*_COLUMNS).order_by(llm_calls.c.call_key))
            return [dict(row) for row in rows.mappings()]

    def _answered(self, key: str) -> Call | None:
        with self._state.reading() as connection:
            wanted = select(*_COLUMNS).where(llm_calls.c.call_key == key, llm_calls.c.status.in_(ANSWERED))
            row = connection.execute(wanted).mappings().one_or_none()
        return Call(**row) if row else None


def _turn(key: str) -> str:
    return f"call {key}"
