"""Files that carry what a task got from the network or a model to the task that writes it to the warehouse.

One file a step and day under `data/landing/`, replaced atomically, so that a task that is run again finds what the
one before it left. They are safe to delete while nothing runs.
"""

import functools
import os
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from include.settings import settings


def put(step: str, day: date, value: Any, kind: Any) -> str:
    """Writes a value of type `kind` (built from dataclasses, lists, dicts) and returns the file's path."""
    file = _file(step, day)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    unfinished.write_bytes(_adapter(kind).dump_json(value))
    os.replace(unfinished, file)
    return str(file)


def get(step: str, day: date, kind: Any) -> Any:
    """The value that `put` wrote. Raises FileNotFoundError with advice where the step before left none."""
    file = _file(step, day)
    if not file.is_file():
        raise FileNotFoundError(
            f"The step {step!r} left nothing for {day}: {file} is missing. Clear the whole DAG run, not one task."
        )
    return _adapter(kind).validate_json(file.read_bytes())


def _file(step: str, day: date) -> Path:
    return settings().landing / step / f"{day}.json"


@functools.cache
def _adapter(kind: Any) -> TypeAdapter:
    return TypeAdapter(kind)
