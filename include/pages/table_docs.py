"""dbt's own documentation of the tables, as one page that needs no server: what each means, and what it comes from."""

import hashlib
import os
import tempfile
from pathlib import Path

from include.settings import PROJECT

_DESCRIBED_BY = ("dbt_project.yml", "models/**/*.*", "macros/**/*.*")


def write_table_docs(folder: Path, project: Path = PROJECT / "dbt") -> bool:
    """Writes `index.html` into the folder, unless it is there for the project as it now is; returns whether it did.

    Costs some twelve seconds and opens the warehouse where it writes, and next to nothing where it does not. Safe to
    repeat. Raises RuntimeError with what dbt says where it cannot.
    """
    page, stamp = folder / "index.html", folder / "project.sha256"
    state = _state(project)
    if page.is_file() and stamp.is_file() and stamp.read_text() == state:
        return False
    from dbt.cli.main import dbtRunner

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as target:
        places = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", target]
        result = dbtRunner().invoke(["--quiet", "--log-path", target, "docs", "generate", "--static", *places])
        if not result.success:
            raise RuntimeError(f"dbt could not document the tables: {result.exception or result.result}")
        os.replace(Path(target) / "static_index.html", page)
    stamp.write_text(state)
    return True


def _state(project: Path) -> str:
    """A hash over all that the documentation is made of."""
    digest = hashlib.sha256()
    for file in sorted(file for pattern in _DESCRIBED_BY for file in project.glob(pattern) if file.suffix != ".pyc"):
        digest.update(f"{file.relative_to(project)}\n".encode() + file.read_bytes())
    return digest.hexdigest()
