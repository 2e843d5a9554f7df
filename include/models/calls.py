"""The memory of calls: what was asked of a chat model is kept before anything uses it, and not asked again.

It lives in two places: `raw.llm_calls`, and while a step runs, a folder that the step can write to without the
warehouse. `lay_out` fills the folder, `take_in` takes in what came new.
"""

import dataclasses
import json
import logging
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from include import leftovers
from include.warehouse.database import append, records, transaction

log = logging.getLogger(__name__)

ANSWERED = frozenset({"ok", "malformed", "truncated", "refused"})
"""The states of a call that brought an answer: it was paid for, is kept, and the question is not asked again."""

_KEPT_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A question that was asked, or left out, as a row of `raw.llm_calls`. Times are UTC, `cost_usd` is None where the
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


class CallStore:
    """A folder with a JSON file a call: written whole or not at all, so that a killed process loses only the call that
    it was waiting for. Safe for several threads and processes."""

    def __init__(self, folder: Path):
        self.folder = folder

    def get(self, key: str) -> Call | None:
        """The call of that key where it was answered; None where it was not, or was never made."""
        call = _read(self.folder / f"{key}.json")
        return call if call is not None and call.status in ANSWERED else None

    def put(self, call: Call) -> None:
        """Keeps a call, in the place of an earlier one of its key that was not answered."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{call.call_key}.json"
        partial = file.with_name(f".{call.call_key}.{uuid.uuid4().hex}")
        row = dataclasses.asdict(call) | {"called_at": call.called_at.isoformat()}
        partial.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
        os.replace(partial, file)

    def records(self) -> list[dict[str, Any]]:
        """All calls as rows of `raw.llm_calls`, in the order of the keys; `called_at` is a datetime in UTC, no zone."""
        calls = (_read(file) for file in sorted(self.folder.glob("*.json")))
        return [dataclasses.asdict(call) for call in calls if call is not None]

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Takes in calls made earlier (rows of `raw.llm_calls`); those kept here already stay as they are."""
        for row in rows:
            if row["status"] in ANSWERED and not (self.folder / f"{row['call_key']}.json").exists():
                self.put(Call(**row))


def lay_out(connection: duckdb.DuckDBPyConnection, store: CallStore, provider_model: str, day: date) -> None:
    """Lays out the calls by which the day's claims were found and scored, so that none of them is made again."""
    rows = records(
        connection,
        """
        select calls.* from raw.llm_calls as calls
        where provider_model = $model and task <> 'same_story' and (
            subject_id in (select episode_id from raw.episodes where partition_date = $day)
            or subject_id in (select claim_id from raw.claims where partition_date = $day)
        )
        """,
        {"model": provider_model, "day": day},
    )
    store.load(rows)


def lay_out_keys(connection: duckdb.DuckDBPyConnection, store: CallStore, keys: Sequence[str]) -> None:
    """Lays out the calls of these keys, so that none of them is made again."""
    store.load(
        records(connection, "select * from raw.llm_calls where call_key in (select unnest($keys))", {"keys": keys})
    )


def take_in(connection: duckdb.DuckDBPyConnection, store: CallStore) -> None:
    """Takes the calls that were made since into `raw.llm_calls`; a call that was answered there stays.

    The folder keeps what is younger than a day: a step of another day may be at work, and find its answers there if it
    has to start again.
    """
    made = store.records()
    if made:
        with transaction(connection):
            answered = connection.execute(
                "select call_key from raw.llm_calls where call_key in (select unnest($keys)) and status in $answered",
                {"keys": [row["call_key"] for row in made], "answered": sorted(ANSWERED)},
            ).fetchall()
            new = [row for row in made if (row["call_key"],) not in set(answered)]
            keys = [row["call_key"] for row in new]
            connection.execute("delete from raw.llm_calls where list_contains($keys, call_key)", {"keys": keys})
            append(connection, "raw.llm_calls", new)
    leftovers.forget(store.folder.glob("*.json"), _KEPT_SECONDS)


def _read(file: Path) -> Call | None:
    try:
        row = json.loads(file.read_text(encoding="utf-8"))
        return Call(**row | {"called_at": datetime.fromisoformat(row["called_at"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        log.warning("%s is no record of a call and is left aside: %s", file, error)
        return None
