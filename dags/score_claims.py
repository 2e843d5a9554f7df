"""
### Score claims

**What** — gives each claim of the day a score from 0 to 5, with the reason in plain words. The claims of a day are
scored together, so that they can be compared across its episodes. A chat model, where one is set, then says which of
the best tell the same story as others that are like them.

**When** — as soon as the day's claims are built.

**Reads** `raw.claims`, `raw.claim_embeddings`, `raw.transcript_segments`. **Writes** `raw.claim_scores`,
`raw.story_verdicts`, `raw.story_pairs`, and what was answered to the state.

**Rerun** — clear the run of the day. A day that this scorer, in this version, has scored is not scored again.

**When it fails** — the log names the claim or the call; what was answered is kept in the state. Pairs
of claims on which the chat model said nothing have no verdict in `ops.story_pairs`; a rerun asks about them again.
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

    @task(pool=WRITER_POOL)
    def land_scores(partition_key=None, run_id=None):
        from include.pipeline import score_claims as steps

        return steps.land_scores(partition_key, run_id)

    @task
    def judge_pairs(partition_key=None, run_id=None):
        from include.pipeline import score_claims as steps

        return steps.judge_pairs(partition_key, run_id)

    @task(pool=WRITER_POOL, outlets=[SCORES])
    def land_verdicts(partition_key=None, run_id=None, triggering_asset_events=None, outlet_events=None):
        from include.pipeline import score_claims as steps
        from include.pipeline.delivery_wish import passed_on

        outlet_events[SCORES].extra = passed_on(triggering_asset_events)
        return steps.land_verdicts(partition_key, run_id)

    list_unscored_claims() >> score_claims_of_day() >> land_scores() >> judge_pairs() >> land_verdicts()


score_claims()
