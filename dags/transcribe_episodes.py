"""
### Transcribe episodes

**What** — gets a transcript for each episode of the day that has none: the publisher's own, in the best format that
is offered; else from its audio by AssemblyAI, where the connection `assemblyai_default` exists; else by the speech
model on this machine. `PODCAST_TRANSCRIBER` restricts it, and caps a day on hours and dollars hold for all of it. What
they leave out is recorded, and taken up by the next day's run, newest first: the episode keeps its day, and the run
announces that day as well, so that its claims are built again.

**When** — as soon as the day's episodes are landed.

**Reads** `raw.episodes`, the transcripts and the audio that feeds link to. **Writes** `raw.transcripts`,
`raw.transcript_segments`, `raw.transcription_jobs`.

**Rerun** — clear the run of the day (`airflow dags clear transcribe_episodes --partition-key 2026-01-15`).
Nothing that was transcribed is transcribed or paid again; what failed is tried again, three times for each source.

**When it fails** — `select * from ops.transcription_jobs where status <> 'ok'` names each try and its error. A key that
AssemblyAI refuses fails its task alone: mend the connection and clear the run, which goes on with what was submitted.
"""

from airflow.sdk import dag, task

from include.wiring import (
    EPISODES,
    LISTENING_TIMEOUT,
    TRANSCRIPTS,
    WRITER_POOL,
    Tag,
    after,
    dag_settings,
    transcribe_at_assemblyai,
)


@dag(schedule=after(EPISODES), **dag_settings(__doc__, Tag.SOURCES, Tag.MODEL))
def transcribe_episodes():
    @task(pool=WRITER_POOL)
    def list_missing_transcripts(partition_key=None):
        from include import steps

        return steps.list_missing_transcripts(partition_key)

    @task
    def fetch_transcripts(partition_key=None):
        from include import steps

        return steps.fetch_transcripts(partition_key)

    @task(trigger_rule="all_done_min_one_success", execution_timeout=LISTENING_TIMEOUT)
    def transcribe_locally(partition_key=None):
        from include import steps

        return steps.transcribe_locally(partition_key)

    @task(pool=WRITER_POOL, outlets=[TRANSCRIPTS])
    def land_transcripts(partition_key=None, triggering_asset_events=None, outlet_events=None):
        from include import steps

        landed = steps.land_transcripts(partition_key)
        outlet_events[TRANSCRIPTS].extra = steps.passed_on(triggering_asset_events) | {"day": partition_key}
        outlet_events[TRANSCRIPTS].add_partitions([partition_key, *landed["taken_up"]])
        return landed

    fetched, at_assemblyai = fetch_transcripts(), transcribe_at_assemblyai("transcribe_at_assemblyai")
    list_missing_transcripts() >> fetched >> at_assemblyai
    [fetched, at_assemblyai] >> transcribe_locally() >> land_transcripts()


transcribe_episodes()
