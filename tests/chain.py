"""The chain without Airflow: the same steps, in one process, a day at a time. For tests that compare warehouses.

`python -m tests.chain DATE [STEP]` runs a day as the environment says, and sends its mail: from the beginning, or from
the step of that number on. It prints the number of each step as it begins.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from types import ModuleType

from include.pipeline import build_claims, ingest_episodes, publish_digest, score_claims, transcribe_episodes
from include.settings import settings
from include.state import store
from include.upkeep import rebuild
from include.warehouse import mirror
from include.warehouse.database import open_warehouse, records

STEPS = {
    ingest_episodes: ("read_validators", "fetch_feeds", "land_episodes"),
    transcribe_episodes: ("list_missing_transcripts", "fetch_transcripts", "transcribe_locally", "land_transcripts"),
    build_claims: (
        "list_unread_transcripts",
        "extract_claims",
        "land_claims",
        "dbt claims",
    ),
    score_claims: ("list_unscored_claims", "score_claims_of_day", "land_scores", "judge_pairs", "land_verdicts"),
    publish_digest: ("dbt digest",),
}
"""The steps of each DAG, in their order, up to the digest; `dbt` and a selector stands for the dbt task."""


@contextmanager
def environment(data_dir: Path, **values: str) -> Iterator[None]:
    """Settings for this process while the block runs."""
    before = dict(os.environ)
    os.environ.update({"PODCAST_DATA_DIR": str(data_dir), **values})
    settings.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()


def run_day(day: str) -> None:
    """All steps of a day up to its digest and the analysts' copy; nothing is sent."""
    for dag in STEPS:
        run_steps(dag, day)
    publish_digest.publish_copy()
    publish_digest.write_pages(day)


def run_steps(dag: ModuleType, day: str) -> None:
    """The steps of one DAG for a day."""
    for step in steps_of(dag, day):
        step()


def steps_of(dag: ModuleType, day: str) -> list[Callable[[], object]]:
    """What a DAG does for a day, step by step."""
    return [
        partial(build, step.removeprefix("dbt "), day) if step.startswith("dbt ") else partial(getattr(dag, step), day)
        for step in STEPS[dag]
    ]


def build(selector: str, day: str) -> None:
    """One `dbt build` of a selector. Raises RuntimeError with what failed."""
    rebuild.build(settings(), selector, date.fromisoformat(day))


def tables(file: Path, schemas: tuple[str, ...], leave_out: Mapping[str, set[str]] | None = None) -> dict[str, list]:
    """Every row of every table of some schemas, sorted, with what they follow of the state beside the warehouse;
    columns named in `leave_out` aside, and how long tasks took."""
    contents = {}
    with open_warehouse(file) as connection:
        mirror.bring(connection, store.at(file.parent))
        for row in records(
            connection,
            """
            select table_schema || '.' || table_name as name, list(column_name order by column_name) as columns
            from information_schema.columns
            where
                list_contains($schemas, table_schema) and table_name not in ('mirrored', 'step_times', 'runs')
            group by all
            """,
            {"schemas": list(schemas)},
        ):
            kept = [c for c in row["columns"] if c not in (leave_out or {}).get(row["name"], set())]
            chosen = ", ".join(f'"{column}"' for column in kept)
            rows = connection.execute(f"select {chosen} from {row['name']}").fetchall()
            contents[row["name"]] = sorted(map(repr, rows))
    return contents


def run_and_send(day: str, first: int = 0) -> None:
    """The steps of a day, from one of them on, to the mail."""
    steps = [step for dag in STEPS for step in steps_of(dag, day)]
    steps += [publish_digest.publish_copy, partial(publish_digest.write_pages, day)]
    steps += [partial(publish_digest.send_mail, day, wanted=True)]
    for number, step in list(enumerate(steps))[first:]:
        print(number, flush=True)
        step()


if __name__ == "__main__":
    run_and_send(sys.argv[1], *map(int, sys.argv[2:]))
