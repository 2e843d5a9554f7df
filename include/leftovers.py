"""Files that one step leaves for another, or a killed one left behind, and nobody takes up any more."""

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path


def forget(files: Iterable[Path], older_than: float) -> None:
    """Removes those of some files that were written longer ago than so many seconds; others may do so at the time."""
    long_ago = time.time() - older_than
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_mtime < long_ago:
                file.unlink()
