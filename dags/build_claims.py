"""
### Build claims

**What** — reads each transcript of the day for claims, checks every quote against the transcript, embeds the claims,
and lets dbt build episodes, what they speak of, and the stories of the day.

**When** — as soon as the day's transcripts are landed.

**Reads** `raw.transcripts`, `raw.transcript_segments`. **Writes** `raw.claims`, `raw.claim_embeddings`,
`ops.dropped_claims`, what was answered to the state, and the dbt models of the selector `claims`.

**Rerun** — clear the run of the day. A transcript that the same extractor, in the same version, has read is not read
again, and no question is put to a chat model twice.

**When it fails** — `raw.extractions` names the transcript and the error; `build_claim_models` shows the dbt test.
"""

from airflow.sdk import dag, task

from include.pipeline.wiring import CLAIMS, TRANSCRIPTS, WRITER_POOL, Tag, after, dag_settings, dbt_build


@dag(schedule=after(TRANSCRIPTS), **dag_settings(__doc__, Tag.CLAIMS, Tag.MODEL, Tag.DBT))
def build_claims():
    @task(pool=WRITER_POOL)
    def list_unread_transcripts(partition_key=None, run_id=None):
        from include.pipeline import build_claims as steps

        return steps.list_unread_transcripts(partition_key, run_id)

    @task
    def extract_claims(partition_key=None, run_id=None):
        from include.pipeline import build_claims as steps

        return steps.extract_claims(partition_key, run_id)

    @task(pool=WRITER_POOL)
    def land_claims(partition_key=None, run_id=None):
        from include.pipeline import build_claims as steps

        return steps.land_claims(partition_key, run_id)

    @task(outlets=[CLAIMS])
    def announce_claims(partition_key=None, run_id=None, triggering_asset_events=None, outlet_events=None):
        from include.pipeline.delivery_wish import passed_on

        outlet_events[CLAIMS].extra = passed_on(triggering_asset_events, partition_key)

    build_claim_models = dbt_build("build_claim_models", "claims")
    list_unread_transcripts() >> extract_claims() >> land_claims() >> build_claim_models >> announce_claims()


build_claims()
