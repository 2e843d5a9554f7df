"""
### Transcribe episodes

**What** — gets a transcript for each episode of the day that has none: the publisher's own, in the best format that
is offered. An episode without one is recorded as such and goes no further.

**When** — as soon as the day's episodes are landed.

**Reads** `raw.episodes`, the transcripts that feeds link to. **Writes** `raw.transcripts`, `raw.transcript_segments`.

**Rerun** — clear the run of the day (`airflow dags clear transcribe_episodes --partition-key 2026-01-15`).
Transcripts that were landed are not fetched again; failed ones are.

**When it fails** — `select * from ops.transcription_jobs where status = 'failed'` names each document and error.
"""

from airflow.sdk import dag, task

from include.wiring import EPISODES, TRANSCRIPTS, WRITER_POOL, Tag, after, dag_settings


@dag(schedule=after(EPISODES), **dag_settings(__doc__, Tag.SOURCES))
def transcribe_episodes():
    @task(pool=WRITER_POOL)
    def list_missing_transcripts(partition_key=None):
        from include import steps

        return steps.list_missing_transcripts(partition_key)

    @task
    def fetch_transcripts(partition_key=None):
        from include import steps

        return steps.fetch_transcripts(partition_key)

    @task(pool=WRITER_POOL, outlets=[TRANSCRIPTS])
    def land_transcripts(partition_key=None, triggering_asset_events=None, outlet_events=None):
        from include import steps

        outlet_events[TRANSCRIPTS].extra = steps.passed_on(triggering_asset_events)
        return steps.land_transcripts(partition_key)

    list_missing_transcripts() >> fetch_transcripts() >> land_transcripts()


transcribe_episodes()
