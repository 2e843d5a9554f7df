"""
### Ingest episodes

**What** — reads the feeds of the list in `PODCAST_FEEDS` and keeps the episodes that belong to the day.
An episode belongs to the day it was published; one that turns up after its day was read belongs to the day that
finds it, up to three days later. A day whose night failed, or on which nothing ran, is made up by the next run: its
episodes keep their day, which that run announces as well, and its digest is not mailed anew (`PODCAST_MAKE_UP_DAYS`).

**When** — daily at 00:00 UTC for the day just ended. This is the one DAG to backfill: each date goes on by itself
through transcripts, claims and scores to its digest.

**Reads** the feeds (conditional GET; one that moved for good at its new address). **Writes** `raw.feeds`,
`raw.feed_items`, `raw.feed_fetches`, `raw.episodes`.

**Rerun** — trigger with a partition key such as `2026-01-15`, or backfill a range. The same feeds change no row.
A backfill sends no mail; set `{"deliver": true}` in its configuration to send.

**When it fails** — `land_episodes` stopped by a critical rule: nothing of the day was written; read the report under
`data/data_docs`. A feed that cannot be read fails no task: `ops.feed_status` says why, since when
and which run made it up, and `ops.skipped_items` why an item is no episode.
"""

from airflow.sdk import dag, task

from include.pipeline.wiring import EPISODES, WRITER_POOL, Tag, dag_settings, every_day, skip_unless_wanted


@dag(schedule=every_day(), **dag_settings(__doc__, Tag.SOURCES))
def ingest_episodes():
    @task(pool=WRITER_POOL)
    def read_validators(partition_key=None, run_id=None, dag_run=None):
        from include.pipeline import ingest_episodes as steps

        skip_unless_wanted(dag_run)
        steps.read_validators(partition_key, run_id)

    @task
    def fetch_feeds(partition_key=None, run_id=None):
        from include.pipeline import ingest_episodes as steps

        return steps.fetch_feeds(partition_key, run_id)

    @task(pool=WRITER_POOL, outlets=[EPISODES])
    def land_episodes(partition_key=None, run_id=None, dag_run=None, outlet_events=None):
        from include.pipeline import ingest_episodes as steps
        from include.pipeline.delivery_wish import delivery_wish

        landed = steps.land_episodes(partition_key, run_id, only_asked=dag_run.run_type == "backfill")
        outlet_events[EPISODES].extra = delivery_wish(dag_run.run_type, dag_run.conf) | {"day": partition_key}
        outlet_events[EPISODES].add_partitions([partition_key, *landed["made_up"]])
        return landed

    read_validators() >> fetch_feeds() >> land_episodes()


ingest_episodes()
