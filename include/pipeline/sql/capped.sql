-- What the caps left out of the last day that was run: recordings, parts of transcripts, questions about claims.
with

last_day as (
    select max(partition_date) as day from ops.feed_status
),

recordings as (
    select count(distinct jobs.episode_id) as skipped
    from ops.transcription_jobs as jobs
    inner join marts.episodes as episodes on jobs.episode_id = episodes.episode_id
    where
        jobs.status = 'skipped_budget'
        and episodes.transcript_status <> 'ok'
        and episodes.partition_date = (select last_day.day from last_day)
),

parts as (
    select count(*) as skipped
    from ops.dropped_claims
    where reason = 'skipped_budget' and partition_date = (select last_day.day from last_day)
),

questions as (
    select count(*) as skipped
    from ops.llm_calls as calls
    inner join marts.claims as claims on calls.subject_id = claims.claim_id
    where calls.status = 'skipped_budget' and claims.partition_date = (select last_day.day from last_day)
)

select
    last_day.day,
    recordings.skipped as recordings,
    parts.skipped as parts,
    questions.skipped as questions
from last_day
cross join recordings
cross join parts
cross join questions
