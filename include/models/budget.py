"""Caps on a day's spending, in US dollars and in hours of audio, that hold under concurrency, over retries and over
backfills: what counts is the calendar day (UTC) on which it is spent, whatever day it is spent for."""

import contextlib
import fcntl
import json
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from include.settings import Settings


class CapReached(Exception):
    """What is next might pass the day's cap."""

    is_retryable = False


class Budget:
    """A cap: the most that something can cost is reserved before it is begun, and what it did cost is settled after.

    The cap is shared by all processes that name the same ledger file, and outlives them; a reservation of a killed
    process stays, since it may have been billed.
    """

    def __init__(self, limit: float, ledger: Path):
        self.limit = limit
        self._ledger = ledger

    @property
    def spent(self) -> float:
        """All that was spent or is reserved."""
        with self._locked() as entries:
            return sum(entries.values())

    def reserve(self, amount: float, token: str | None = None) -> str | None:
        """A token for `settle`, or None where this much would pass the cap. What costs nothing is always allowed.

        A token that is given is the spender's own: reserved again, it takes the place of what it reserved before.
        """
        token = token or uuid.uuid4().hex
        with self._locked() as entries:
            others = sum(entries.values()) - entries.get(token, 0.0)
            if amount > 0 and others + amount > self.limit + 1e-9:
                return None
            self._write(token, amount)
            return token

    def hold(self, amount: float, what: str) -> str:
        """A token for `settle`. Raises CapReached where this much, for one such thing, would pass the cap."""
        token = self.reserve(amount)
        if token is None:
            raise CapReached(
                f"{what} may cost ${amount:.4f}, and of ${self.limit:.2f} ${self.spent:.4f} are spent or reserved"
            )
        return token

    def settle(self, token: str, amount: float) -> None:
        with self._locked():
            self._write(token, amount)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[dict[str, float]]:
        """What each token has, while no other thread or process reads or writes it."""
        self._ledger.parent.mkdir(parents=True, exist_ok=True)
        with self._ledger.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            entries = {}
            for line in file:
                with contextlib.suppress(ValueError):  # the last line of a process killed while writing it
                    entry = json.loads(line)
                    entries[entry["token"]] = entry["amount"]
            yield entries

    def _write(self, token: str, amount: float) -> None:
        with self._ledger.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"token": token, "amount": amount}))


def dollars(settings: Settings, day: date) -> Budget:
    """What chat models and transcription may cost together on a calendar day."""
    return Budget(settings.daily_budget_usd, ledger=settings.landing / "spending" / f"{day}-usd.jsonl")


def audio_hours(settings: Settings, day: date) -> Budget:
    """How much audio may be transcribed on a calendar day, by whatever does it."""
    return Budget(settings.daily_audio_hours, ledger=settings.landing / "spending" / f"{day}-audio-hours.jsonl")
