"""One run of a DAG: the day it is for and the name it bears, and how a step of it says what it did."""

import logging
from dataclasses import dataclass
from datetime import date
from typing import Any

from include.warehouse import partition

log = logging.getLogger(__name__)

BY_HAND = "by-hand"
"""The name of a run that Airflow knows nothing of."""

Summary = dict[str, Any]
"""What a step did, in a few numbers."""


@dataclass(frozen=True, slots=True)
class Run:
    """The partition of a run (a day in UTC) and its name, which retries and cleared tasks of the run share."""

    day: date
    run_id: str = BY_HAND

    @classmethod
    def of(cls, partition_key: str | None, run_id: str = BY_HAND) -> "Run":
        """Raises ValueError where the key is missing or is no date."""
        return cls(partition.day(partition_key), run_id)


def said(**summary: Any) -> Summary:
    """The summary, written to the task's log as well."""
    log.info("%s", ", ".join(f"{name} {value}" for name, value in summary.items()))
    return summary
