"""The answers in docs/questions.md: each question's SQL, asked of the analysts' copy of the sample's three days.

`python -m tests.answers data/published/podcasts.duckdb` writes them anew.
"""

import re
import sys
from pathlib import Path

import duckdb

from include.settings import PROJECT
from include.warehouse.publication import open_copy

PAGE = PROJECT / "docs" / "questions.md"

_ASKED = re.compile(r"(```sql\n(.*?)```\n)(?:\n(?:\|[^\n]*\n)+)?", re.DOTALL)


def answered(page: str, copy: duckdb.DuckDBPyConnection) -> str:
    """The page with the answer of the copy under each question."""
    return _ASKED.sub(lambda asked: f"{asked[1]}\n{_table(copy.execute(asked[2]))}", page)


def _table(cursor: duckdb.DuckDBPyConnection) -> str:
    names = [column[0] for column in cursor.description]
    rows = [["" if value is None else str(value).replace("|", "\\|") for value in row] for row in cursor.fetchall()]
    return "".join(f"| {' | '.join(row)} |\n" for row in (names, ["---"] * len(names), *rows))


if __name__ == "__main__":
    with open_copy(Path(sys.argv[1])) as opened:
        PAGE.write_text(answered(PAGE.read_text(), opened))
