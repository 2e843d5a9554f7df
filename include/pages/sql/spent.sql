-- What was spent on the calendar day $today, and how many hours of speech were listened to for $day and $today.
with

chat as (
    select sum(cost_usd) as usd_today
    from ops.llm_calls
    where cast(called_at as date) = $today
),

speech as (
    select
        sum(cost_usd) filter (where spent_on = $today) as usd_today,
        sum(hours) filter (where spent_on = $today) as hours_today,
        sum(hours) filter (where partition_date = $day) as hours
    from ops.transcription_jobs
    where source in ('assemblyai', 'local')
)

select
    coalesce(chat.usd_today, 0) as chat_usd_today,
    coalesce(speech.usd_today, 0) as speech_usd_today,
    coalesce(speech.hours, 0) as speech_hours,
    coalesce(speech.hours_today, 0) as speech_hours_today
from chat
cross join speech
