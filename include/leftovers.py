"""Files that one step leaves for another, or a killed one left behind, and nobody takes up any more."""

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path


def forget(files: Iterable[Path], older_than: float) -> tuple[int, int]:
    """Removes those of some files that were written longer ago than so many seconds; others may do so at the time.
    Returns how many these were, and their bytes."""
    long_ago = time.time() - older_than
    count = size = 0
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            seen = file.stat()
            if seen.st_mtime < long_ago and file.is_file():
                file.unlink()
                count, size = count + 1, size + seen.st_size
    return count, size
