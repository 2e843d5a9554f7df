-- What the digest of $day cost in US dollars: of chat models and of speech models.
with

chat as (
    select sum(calls.cost_usd) as usd
    from ops.llm_calls as calls
    inner join asked_about on calls.subject_id = asked_about.subject_id
    where asked_about.partition_date = $day
),

speech as (
    select sum(cost_usd) as usd
    from ops.transcription_jobs
    where partition_date = $day
)

select
    coalesce(chat.usd, 0) as chat_usd,
    coalesce(speech.usd, 0) as speech_usd
from chat
cross join speech
