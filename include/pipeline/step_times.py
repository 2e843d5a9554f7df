"""How long each task of a day took: a file a task under `data/landing/step_times/`, written as it ends and brought into
`raw.step_times` by the next publication, since no task may ask Airflow's own database."""

import glob
import json
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from include import leftovers
from include.settings import settings


def note(context: Mapping[str, Any]) -> None:
    """Notes the task of an Airflow context that ended well; one that belongs to no day is not noted."""
    task, day = context["task_instance"], context.get("partition_key")
    if not (day and task.start_date):
        return
    times = {"begun_at": task.start_date.astimezone(UTC).isoformat(), "ended_at": datetime.now(UTC).isoformat()}
    file = _folder() / f"{day}.{task.dag_id}.{task.task_id}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".part")
    partial.write_text(json.dumps({"partition_date": day, "dag": task.dag_id, "task": task.task_id, **times}))
    os.replace(partial, file)


def take_in(connection: duckdb.DuckDBPyConnection) -> None:
    """Brings what was noted into the warehouse. Safe to repeat; the files stay as others of landing/ do."""
    leftovers.forget(_folder().glob("*"), settings().keep_landing_days * 86_400)
    if not any(_folder().glob("*.json")):
        return
    connection.execute(
        """
        insert or replace into raw.step_times by name
        select partition_date, dag, task, begun_at::timestamp as begun_at, ended_at::timestamp as ended_at
        from read_json($files, columns = {
            partition_date: 'date', dag: 'varchar', task: 'varchar',
            begun_at: 'timestamptz', ended_at: 'timestamptz'
        })
        """,
        {"files": glob.escape(str(_folder())) + "/*.json"},
    )


def has_ended(day: date, dag: str, task: str) -> bool:
    """Whether a task of a day has ended well in the last fortnight."""
    return (_folder() / f"{day}.{dag}.{task}.json").is_file()


def is_noted_before(day: date) -> bool:
    """Whether anything of an earlier day was noted, so that a day without notes is one on which nothing ran."""
    return any(file.name < str(day) for file in _folder().glob("*.json"))


def _folder() -> Path:
    return settings().landing / "step_times"
