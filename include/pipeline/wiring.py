"""What the DAGs share: assets, schedules, pool, tags, retries, the dbt task. The one module that knows Airflow.

Imported when DAG files are parsed, so it reads no setting and imports nothing heavy.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from airflow.sdk import (
    Asset,
    BaseNotifier,
    CronPartitionTimetable,
    IdentityMapper,
    PartitionedAssetTimetable,
    RetryDecision,
    RetryPolicy,
)

WRITER_POOL = "duckdb_writer"

LISTENING_TIMEOUT = timedelta(hours=12)
"""How long the speech model of this machine may work on a day's recordings, one after another."""

EPISODES = Asset("podcast_episodes", uri="duckdb://warehouse/raw/episodes")
TRANSCRIPTS = Asset("podcast_transcripts", uri="duckdb://warehouse/raw/transcripts")
CLAIMS = Asset("podcast_claims", uri="duckdb://warehouse/raw/claims")
SCORES = Asset("podcast_scores", uri="duckdb://warehouse/raw/claim_scores")

_DBT = Path(__file__).resolve().parents[2] / "dbt"


class Tag(StrEnum):
    """What a DAG is about; the words by which the UI filters."""

    SOURCES = "sources"
    CLAIMS = "claims"
    DIGEST = "digest"
    DBT = "dbt"
    MODEL = "model"
    MAIL = "mail"
    WATCH = "watch"
    UPKEEP = "upkeep"


class FailureNotice(BaseNotifier):
    """Tells the operator of a task that failed for good; see `include.pipeline.alerts`."""

    def notify(self, context: Any) -> None:
        from include.pipeline import alerts

        alerts.report_failure(context)


class TimeNote(BaseNotifier):
    """Notes how long a task took that ended well; see `include.pipeline.step_times`."""

    def notify(self, context: Any) -> None:
        from include.pipeline import step_times

        step_times.note(context)


class GiveUpWhereHopeless(RetryPolicy):
    """Fails a task at once where no retry helps; see `include.pipeline.hopeless`."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        from include.pipeline.hopeless import is_hopeless

        return RetryDecision.fail(str(exception)) if is_hopeless(exception) else RetryDecision.default()


def every_day() -> CronPartitionTimetable:
    """At midnight UTC, for the day that has just ended; the partition key is that day."""
    return CronPartitionTimetable("0 0 * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d")


def after(asset: Asset) -> PartitionedAssetTimetable:
    """Once for each partition of the asset, with the same key."""
    return PartitionedAssetTimetable(assets=asset, default_partition_mapper=IdentityMapper())


def dag_settings(doc: str | None, *tags: Tag) -> dict[str, Any]:
    """What every DAG sets: one run at a time, no catch-up, retries with backoff where these may help, a notice of
    failure, a note of how long each task took."""
    return {
        "doc_md": doc,
        "tags": sorted(tags),
        "catchup": False,
        "max_active_runs": 1,
        "default_args": {
            "owner": "podcast-insights",
            "retries": 3,
            "retry_delay": timedelta(seconds=20),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
            "retry_policy": GiveUpWhereHopeless(),
            "execution_timeout": timedelta(hours=3),
            "on_failure_callback": FailureNotice(),
            "on_success_callback": TimeNote(),
        },
    }


def skip_unless_wanted(dag_run: Any) -> None:
    """Skips a run that the schedule started where PODCAST_SCHEDULE is off, and with it the whole day.

    After a first backfill Airflow also starts the latest day by itself; whoever asked for a few days wants only those.
    """
    from airflow.sdk.exceptions import AirflowSkipException

    from include.settings import settings

    if dag_run.run_type == "scheduled" and not settings().schedule:
        raise AirflowSkipException("PODCAST_SCHEDULE is off: only triggers and backfills start a day")


def dbt_build(task_id: str, selector: str, outlets: Sequence[Asset] = ()) -> Any:
    """One `dbt build` of a selector, as one Cosmos task, with the run's day in its environment.

    One process a stage: a dbt start costs some eight seconds before any SQL, so a task a model would cost minutes.
    """
    import cosmos.settings
    from cosmos import ProfileConfig
    from cosmos.constants import InvocationMode
    from cosmos.operators.local import DbtBuildLocalOperator

    return DbtBuildLocalOperator(
        task_id=task_id,
        project_dir=str(_DBT),
        profile_config=ProfileConfig(
            profile_name="podcasts", target_name="local", profiles_yml_filepath=_DBT / "profiles.yml"
        ),
        selector=selector,
        env={"PODCAST_DAY": "{{ partition_key }}"},
        # What dbt has read of its project is kept, so that the next build need not read it again.
        cache_dir=cosmos.settings.cache_dir / "podcasts",
        invocation_mode=InvocationMode.DBT_RUNNER,
        install_deps=False,
        emit_datasets=False,
        pool=WRITER_POOL,
        outlets=list(outlets),
        pre_execute=_prepare_warehouse,
    )


def _prepare_warehouse(context: Any) -> None:
    """Brings in what dbt reads of the state. dbt also gives up after half a minute where another process has the
    warehouse open; what opens it here waits."""
    from include.settings import settings
    from include.state import store
    from include.warehouse import mirror
    from include.warehouse.database import open_warehouse

    with open_warehouse() as connection:
        mirror.bring(connection, store.of(settings()))
