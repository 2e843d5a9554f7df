"""
### Maintain the service

**What** — makes a backup of warehouse, state and settings, opens and counts it, and removes the oldest; removes what is
older than the settings `PODCAST_KEEP_…` say; and writes the warehouse's file anew where a quarter of it holds nothing.

**When** — every day at 04:40 UTC, where `PODCAST_BACKUP_EVERY_DAYS` have gone by; beside the chain, not part of it.

**Reads** the warehouse, the state. **Writes** `PODCAST_BACKUP_DIR`, `ops.removals`.

**Rerun** — trigger it. With `PODCAST_SCHEDULE=off` only a run triggered by hand does anything.

**When it fails** — `back_up` says why; the backups there are stay. A disk without room needs some, or fewer backups
(`PODCAST_BACKUPS_KEPT`).
"""

from airflow.sdk import dag, task

from include.pipeline.wiring import WRITER_POOL, Tag, dag_settings, skip_unless_wanted


@dag(schedule="40 4 * * *", **dag_settings(__doc__, Tag.UPKEEP))
def maintain_service():
    @task(pool=WRITER_POOL)
    def back_up(dag_run=None):
        from include.pipeline import maintain_service as steps

        skip_unless_wanted(dag_run)
        return steps.back_up()

    # A disk without room for a backup gets some by this.
    @task(pool=WRITER_POOL, trigger_rule="all_done")
    def remove_expired(dag_run=None):
        from include.pipeline import maintain_service as steps

        skip_unless_wanted(dag_run)
        return steps.remove_expired()

    @task(pool=WRITER_POOL)
    def compact_warehouse():
        from include.pipeline import maintain_service as steps

        return steps.compact_warehouse()

    back_up() >> remove_expired() >> compact_warehouse()


maintain_service()
