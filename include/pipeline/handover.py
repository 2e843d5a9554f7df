"""Files that carry what a task got from the network or a model to the task that writes it to the warehouse.

One file a step and day under `data/landing/`, replaced atomically, so that a task that is run again finds what the
one before it left. They are safe to delete while nothing runs.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
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
    return _adapter(kind).validate_json(_left(_file(step, day), step, day).read_bytes())


@contextlib.contextmanager
def put_each(step: str, day: date, kind: Any) -> Iterator[Callable[[Any], None]]:
    """Gives a function that writes one value of type `kind` after another; the file is there once the block ends
    well. For what is too much to be held in memory at once."""
    file = _file(step, day, ".jsonl")
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    with unfinished.open("wb") as out:
        yield lambda value: out.writelines((_adapter(kind).dump_json(value), b"\n"))
    os.replace(unfinished, file)


def get_each(step: str, day: date, kind: Any) -> Iterator[Any]:
    """The values that `put_each` wrote, read one by one. Raises FileNotFoundError as `get` does."""
    with _left(_file(step, day, ".jsonl"), step, day).open("rb") as lines:
        for line in lines:
            yield _adapter(kind).validate_json(line)


def _left(file: Path, step: str, day: date) -> Path:
    if not file.is_file():
        raise FileNotFoundError(
            f"The step {step!r} left nothing for {day}: {file} is missing. Clear the whole DAG run, not one task."
        )
    return file


def _file(step: str, day: date, suffix: str = ".json") -> Path:
    return settings().landing / step / f"{day}{suffix}"


@functools.cache
def _adapter(kind: Any) -> TypeAdapter:
    return TypeAdapter(kind)
