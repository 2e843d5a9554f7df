"""
### Publish the digest

**What** — lets dbt rank the day's claims and choose the five, publishes the analysts' copy of the warehouse, writes
the pages, and sends the mail, once to each recipient; to whom it is due later, `deliver_digests` sends it. Then dbt
documents the tables, if their models have changed.

**When** — as soon as the day's scores are landed.

**Reads** the marts, earlier digests. **Writes** the dbt models of the selector `digest`,
`data/published/podcasts.duckdb`, `data/site/`, `data/dbt_docs/`, `ops.deliveries`, `ops.sent_insights`, and a mail
through the connection `smtp_default`, or into `data/outbox/` where there is none.

**Rerun** — clear the run of the day. A digest that was sent does not change and is not sent again. A run that came
from a backfill, or that was triggered by hand on this DAG, sends nothing unless its configuration says
`{"deliver": true}`.

**When it fails** — `send_mail` says which delivery is in doubt and how to settle it; the copy and the pages are
published before it.
"""

from airflow.sdk import dag, task

from include.pipeline.wiring import SCORES, WRITER_POOL, Tag, after, dag_settings, dbt_build


@dag(schedule=after(SCORES), **dag_settings(__doc__, Tag.DIGEST, Tag.DBT, Tag.MAIL))
def publish_digest():
    @task(pool=WRITER_POOL)
    def publish_copy():
        from include.pipeline import publish_digest as steps

        return steps.publish_copy()

    @task
    def write_pages(partition_key=None):
        from include.pipeline import publish_digest as steps

        return steps.write_pages(partition_key)

    @task
    def send_mail(partition_key=None, dag_run=None, triggering_asset_events=None):
        from include.pipeline import publish_digest as steps
        from include.pipeline.delivery_wish import wants_delivery

        return steps.send_mail(partition_key, wants_delivery(dag_run.conf, triggering_asset_events))

    @task(pool=WRITER_POOL)
    def document_tables():
        from include.pipeline import publish_digest as steps

        return steps.document_tables()

    build_digest_models = dbt_build("build_digest_models", "digest")
    build_digest_models >> publish_copy() >> write_pages() >> send_mail() >> document_tables()


publish_digest()
