"""Who may ask a model now: how many questions are in work at once and how many begin in a minute, over all processes
that name the same folder."""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_LOOK_AGAIN_SECONDS = 0.05


class Turns:
    """At most `at_once` questions in work, and at most `per_minute` begun a minute, evenly spread; None for as many as
    there are. A process that is killed gives its turn back."""

    def __init__(self, folder: Path, at_once: int, per_minute: float | None = None):
        self._folder = folder
        self.at_once = at_once
        self._apart = 60 / per_minute if per_minute else 0.0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """A turn, waited for, that ends with the block."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._place():
            if self._apart:
                time.sleep(self._wait())
            yield

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        """One of the places, each a file that its holder has locked."""
        with contextlib.ExitStack() as opened:
            files = [opened.enter_context((self._folder / f"{n}.place").open("a")) for n in range(self.at_once)]
            while not any(_locked(file) for file in files):
                time.sleep(_LOOK_AGAIN_SECONDS)
            yield

    def _wait(self) -> float:
        """The seconds until the next question may begin; the one after it begins so much later."""
        with (self._folder / "next").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            said, now = file.read(), time.time()
            begin = max(now, float(said or 0))
            file.truncate(0)
            file.write(str(begin + self._apart))
            file.flush()
            return begin - now


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
