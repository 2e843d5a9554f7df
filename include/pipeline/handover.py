"""What one step of a run leaves for the next: files under `data/landing/`, since a step either opens the warehouse or
talks to the network, and each is a process of its own.

One file a hand-over and run, replaced atomically, so that a task that is run again finds what the one before it left,
and two runs of one day do not find each other's. They are safe to delete while nothing runs; what is older than
PODCAST_KEEP_LANDING_DAYS goes by itself when the same hand-over is written again.
"""

import contextlib
import functools
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from include import leftovers
from include.pipeline.run import Run
from include.settings import settings

Left = TypeVar("Left")


class Unusable(Exception):
    """What the step before left is missing or damaged; the message says what to clear."""


@dataclass(frozen=True)
class Handover(Generic[Left]):
    """A value of type `kind` (built from dataclasses, lists, dicts) that the step `writer` leaves for the steps
    `readers`."""

    name: str
    kind: Any
    writer: str
    readers: tuple[str, ...]

    def put(self, run: Run, value: Left) -> None:
        with self._replaced(run, ".json") as out:
            out(self._adapter.dump_json(value))

    def get(self, run: Run) -> Left:
        """What the writer left. Raises Unusable."""
        return self._read(run, self._left(run, ".json").read_bytes())

    @contextlib.contextmanager
    def put_each(self, run: Run) -> Iterator[Callable[[Left], None]]:
        """Gives a function that writes one value of type `kind` after another; the file is there once the block ends
        well. For what is too much to be held in memory at once."""
        with self._replaced(run, ".jsonl") as out:
            yield lambda value: out(self._adapter.dump_json(value) + b"\n")

    def get_each(self, run: Run) -> Iterator[Left]:
        """The values that `put_each` wrote, read one by one. Raises Unusable."""
        with self._left(run, ".jsonl").open("rb") as lines:
            for line in lines:
                yield self._read(run, line)

    @functools.cached_property
    def _adapter(self) -> TypeAdapter:
        return TypeAdapter(self.kind)

    def _file(self, run: Run, suffix: str) -> Path:
        return settings().landing / self.name / f"{run.day}" / f"{quote(run.run_id, safe='')[-200:]}{suffix}"

    @contextlib.contextmanager
    def _replaced(self, run: Run, suffix: str) -> Iterator[Callable[[bytes], Any]]:
        file = self._file(run, suffix)
        file.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: a try that was given up for dead may still be at it.
        unfinished = file.with_name(f".{uuid.uuid4().hex}.part")
        with unfinished.open("wb") as out:
            yield out.write
        os.replace(unfinished, file)
        leftovers.forget((settings().landing / self.name).glob("*/*"), settings().keep_landing_days * 86_400)

    def _left(self, run: Run, suffix: str) -> Path:
        file = self._file(run, suffix)
        if not file.is_file():
            raise Unusable(f"The step {self.writer!r} left nothing for {run.day}: {file} is missing. {self._advice}")
        return file

    def _read(self, run: Run, content: bytes) -> Left:
        try:
            return self._adapter.validate_json(content)
        except ValidationError as error:
            (first, *_) = error.errors(include_url=False, include_input=False)
            raise Unusable(
                f"What the step {self.writer!r} left for {run.day} cannot be read ({first['msg']}): perhaps the disk "
                f"was full, or another version wrote it. {self._advice}"
            ) from None

    @property
    def _advice(self) -> str:
        return f"Clear the whole DAG run, from {self.writer!r} on, not one task."
