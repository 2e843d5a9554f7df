-- How the days of the month up to $day went, the oldest first.
select
    partition_date,
    ingest_seconds,
    transcribe_seconds,
    claims_seconds,
    scores_seconds,
    digest_seconds,
    feeds,
    feeds_failed,
    shows,
    episodes,
    hours,
    claims,
    dropped,
    usd,
    mails
from ops.runs
where partition_date between $day - 29 and $day
order by partition_date
