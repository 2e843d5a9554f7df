"""A mail to a recipient, and what became of it."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from include.digest.reading import Insight

State = Literal["scheduled", "pending", "sent", "deferred", "failed", "missed", "withdrawn", "leaving"]
"""`scheduled`: not due yet. `pending`: it is leaving, or a run stopped while it was; nobody knows. `sent`: taken by the
server. `deferred`: certainly not taken, to be tried again. `failed`: refused for good. `missed`: not sent within a day
of when it was due. `withdrawn`: its recipient left the list before. `leaving`: another process is sending it right now;
no row of the ledger says so."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail to one recipient, as the ledger keys it."""

    day: date
    recipient: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state of a delivery, the reason for it, and the insights that the mail told."""

    delivery: Delivery
    state: State
    error: str | None = None
    insights: tuple[Insight, ...] = ()
