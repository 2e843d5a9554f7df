"""Whether a chain of runs is to end in a mail: decided where it begins, and passed on from DAG to DAG with the events
of their assets."""

from collections.abc import Mapping
from typing import Any


def delivery_wish(run_type: str, conf: Mapping[str, Any] | None) -> dict[str, bool]:
    """Whether the chain that this run starts is to end in a mail: yes, but for a backfill; `deliver` overrules."""
    return {"deliver": bool((conf or {}).get("deliver", run_type != "backfill"))}


def passed_on(events: Mapping[Any, Any] | None, partition_key: str | None = None) -> dict[str, bool]:
    """The wish that came with the events which started this run; no wish where a person started it.

    With a partition key only wishes for that day count: a run that takes up what earlier days left out announces
    those days too, and their digests are not to be mailed for it.
    """
    extras = [event.extra for asset_events in (events or {}).values() for event in asset_events]
    wishes = [e.get("deliver", False) for e in extras if partition_key in (None, e.get("day", partition_key))]
    return {"deliver": bool(wishes) and bool(wishes[-1])}


def wants_delivery(conf: Mapping[str, Any] | None, events: Mapping[Any, Any] | None) -> bool:
    """Whether the digest of this run is to be mailed: as its configuration says, else as the chain was started."""
    return bool((conf or {}).get("deliver", passed_on(events)["deliver"]))
