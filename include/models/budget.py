"""Caps on a day's spending, in US dollars and in hours of audio, that hold under concurrency, over retries and over
backfills: what counts is the calendar day (UTC) on which it is spent, whatever day it is spent for."""

import math
import uuid
from datetime import date
from typing import Any

from sqlalchemy import Date, TextClause, bindparam, text

from include.settings import Settings
from include.state import store
from include.state.store import Store

USD = "usd"
AUDIO_HOURS = "audio-hours"

_BILLION = 10**9
_BOUNDLESS = 2**62


class CapReached(Exception):
    """What is next might pass the day's cap."""

    is_retryable = False


class Budget:
    """A cap: the most that something can cost is reserved before it is begun, and what it did cost is settled after.

    The cap is shared by all processes that name the same store, kind and day (today where none is given), and outlives
    them; a reservation of a killed process stays, since it may have been billed. What a reservation costs does not grow
    with how many there are.
    """

    def __init__(self, limit: float, state: Store, kind: str = USD, day: date | None = None):
        self.limit = limit
        self._state = state
        self._of: dict[str, Any] = {"kind": kind, "day": day or store.now().date()}

    @property
    def spent(self) -> float:
        """All that was spent or is reserved."""
        with self._state.reading() as connection:
            return (connection.scalar(_SPENT, self._of) or 0) / _BILLION

    def reserve(self, amount: float, token: str | None = None) -> str | None:
        """A token for `settle`, or None where this much would pass the cap. What costs nothing is always allowed.

        A token that is given is the spender's own: reserved again, it takes the place of what it reserved before.
        """
        token = token or uuid.uuid4().hex
        return token if self._put(token, amount, self.limit if amount > 0 else math.inf) else None

    def hold(self, amount: float, what: str) -> str:
        """A token for `settle`. Raises CapReached where this much, for one such thing, would pass the cap."""
        token = self.reserve(amount)
        if token is None:
            raise CapReached(
                f"{what} may cost ${amount:.4f}, and of ${self.limit:.2f} ${self.spent:.4f} are spent or reserved"
            )
        return token

    def settle(self, token: str, amount: float) -> None:
        self._put(token, amount, math.inf)

    def _put(self, token: str, amount: float, limit: float) -> bool:
        """Gives a spender this much in the place of what it has, if all together stay within the limit."""
        # In whole numbers, so that a sum is what its parts are; rounded down, so that they fit where it does.
        wanted = {**self._of, "token": token, "amount": math.floor(round(amount * _BILLION, 3))}
        most = round(min(limit * _BILLION, _BOUNDLESS))
        with self._state.writing() as connection:
            connection.execute(_LOCK, self._of)
            had = connection.scalar(_HAD, {**self._of, "token": token}) or 0
            change = {"change": wanted["amount"] - had, "most": most}
            if not connection.execute(_RESERVE, {**self._of, **change}).rowcount:
                return False
            connection.execute(_NOTE, wanted)
            return True


def _on_a_day(sql: str) -> TextClause:
    return text(sql).bindparams(bindparam("day", type_=Date))


# Locks the total, so that what a spender has of it cannot change before it is written.
_LOCK = _on_a_day(
    """
    insert into budgets (kind, day, spent) values (:kind, :day, 0)
    on conflict (kind, day) do update set spent = budgets.spent
    """
)
_HAD = _on_a_day("select amount from reservations where kind = :kind and day = :day and token = :token")
_RESERVE = _on_a_day(
    "update budgets set spent = spent + :change where kind = :kind and day = :day and spent + :change <= :most"
)
_NOTE = _on_a_day(
    """
    insert into reservations (kind, day, token, amount) values (:kind, :day, :token, :amount)
    on conflict (kind, day, token) do update set amount = excluded.amount
    """
)
_SPENT = _on_a_day("select spent from budgets where kind = :kind and day = :day")


def dollars(settings: Settings, day: date) -> Budget:
    """What chat models and transcription may cost together on a calendar day."""
    return Budget(settings.daily_budget_usd, store.of(settings), USD, day)


def audio_hours(settings: Settings, day: date) -> Budget:
    """How much audio may be transcribed on a calendar day, by whatever does it."""
    return Budget(settings.daily_audio_hours, store.of(settings), AUDIO_HOURS, day)
