"""
### Score claims

**What** — gives each claim of the day a score from 0 to 5, with the reason in plain words. The claims of a day are
scored together, so that they can be compared across its episodes.

**When** — as soon as the day's claims are built.

**Reads** `raw.claims`, `raw.transcript_segments`. **Writes** `raw.claim_scores`, `raw.llm_calls`.

**Rerun** — clear the run of the day. A day that this scorer, in this version, has scored is not scored again.

**When it fails** — the log names the claim or the call; what was answered is kept in `raw.llm_calls`.
"""

from airflow.sdk import dag, task

from include.pipeline.wiring import CLAIMS, SCORES, WRITER_POOL, Tag, after, dag_settings


@dag(schedule=after(CLAIMS), **dag_settings(__doc__, Tag.CLAIMS, Tag.MODEL))
def score_claims():
    @task(pool=WRITER_POOL)
    def list_unscored_claims(partition_key=None, run_id=None):
        from include.pipeline import score_claims as steps

        return steps.list_unscored_claims(partition_key, run_id)

    @task
    def score_claims_of_day(partition_key=None, run_id=None):
        from include.pipeline import score_claims as steps

        return steps.score_claims_of_day(partition_key, run_id)

    @task(pool=WRITER_POOL, outlets=[SCORES])
    def land_scores(partition_key=None, run_id=None, triggering_asset_events=None, outlet_events=None):
        from include.pipeline import score_claims as steps
        from include.pipeline.delivery_wish import passed_on

        outlet_events[SCORES].extra = passed_on(triggering_asset_events)
        return steps.land_scores(partition_key, run_id)

    list_unscored_claims() >> score_claims_of_day() >> land_scores()


score_claims()
