-- Who made the digest of $day: its insights, their scores, the transcripts.
with

makers as (
    select
        1 as part,
        'insights' as what,
        extractor as maker
    from marts.claims
    where partition_date = $day
    union
    select
        2 as part,
        'scores' as what,
        scorer as maker
    from marts.claims
    where partition_date = $day
    union
    select
        3 as part,
        'transcripts' as what,
        transcript_source as maker
    from marts.episodes
    where partition_date = $day and transcript_status = 'ok'
)

select
    what,
    maker
from makers
where maker is not null
order by part, maker
