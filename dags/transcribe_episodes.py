"""
### Transcribe episodes

**What** — gets a transcript for each episode of the day that has none: the publisher's own, in the best format that
is offered; else AssemblyAI's, where the connection `assemblyai_default` exists; else one by the speech model on this
machine. `PODCAST_TRANSCRIBER` restricts it; caps on hours and dollars hold for a calendar day. What they leave out is
taken up by the next day's run, newest first: an episode keeps its day, which that run announces as well.

**When** — as soon as the day's episodes are landed.

**Reads** `raw.episodes`, the transcripts and the audio that feeds link to. **Writes** `raw.transcripts`,
`raw.transcript_segments`, and each try at a recording to the state.

**Rerun** — clear the run of the day (`airflow dags clear transcribe_episodes --partition-key 2026-01-15`).
Nothing that was transcribed is transcribed or paid again; what failed is tried again, three times for each source.

**When it fails** — `select * from ops.transcription_jobs where status <> 'ok'` names each try and its error. A source
that fails takes nothing from the others; mend it and clear the run, which goes on with what was submitted.
"""

from airflow.sdk import dag, task

from include.pipeline.wiring import EPISODES, LISTENING_TIMEOUT, TRANSCRIPTS, WRITER_POOL, Tag, after, dag_settings
from plugins.assembly_ai.operator import AssemblyAITranscriptionOperator


def recordings(context):
    from include.pipeline import transcribe_episodes as steps

    return steps.queue_of("assemblyai", context["partition_key"], context["run_id"])


@dag(schedule=after(EPISODES), **dag_settings(__doc__, Tag.SOURCES, Tag.MODEL))
def transcribe_episodes():
    @task(pool=WRITER_POOL)
    def list_missing_transcripts(partition_key=None, run_id=None):
        from include.pipeline import transcribe_episodes as steps

        return steps.list_missing_transcripts(partition_key, run_id)

    @task
    def fetch_transcripts(partition_key=None, run_id=None):
        from include.pipeline import transcribe_episodes as steps

        return steps.fetch_transcripts(partition_key, run_id)

    @task(trigger_rule="all_done_min_one_success", execution_timeout=LISTENING_TIMEOUT)
    def transcribe_locally(partition_key=None, run_id=None):
        from include.pipeline import transcribe_episodes as steps

        return steps.transcribe_locally(partition_key, run_id)

    @task(trigger_rule="all_done_min_one_success", pool=WRITER_POOL, outlets=[TRANSCRIPTS])
    def land_transcripts(partition_key=None, run_id=None, triggering_asset_events=None, outlet_events=None):
        from include.pipeline import transcribe_episodes as steps
        from include.pipeline.delivery_wish import passed_on

        landed = steps.land_transcripts(partition_key, run_id)
        outlet_events[TRANSCRIPTS].extra = passed_on(triggering_asset_events, partition_key) | {"day": partition_key}
        outlet_events[TRANSCRIPTS].add_partitions([partition_key, *landed["taken_up"]])
        return landed

    # One task for all recordings: the cap of those in flight and the order in which they are taken belong to the batch.
    at_assemblyai = AssemblyAITranscriptionOperator(task_id="transcribe_at_assemblyai", recordings=recordings)
    fetched, locally, landed = fetch_transcripts(), transcribe_locally(), land_transcripts()
    list_missing_transcripts() >> fetched >> [at_assemblyai, locally, landed]
    at_assemblyai >> locally >> landed


transcribe_episodes()
