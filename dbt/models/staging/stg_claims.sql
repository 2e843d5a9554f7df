with

claims as (
    select * from {{ source('raw', 'claims') }}
)

select
    -- ids
    claim_id,
    episode_id,

    -- text
    headline,
    insight,
    quote,
    speaker,
    kind,
    extractor,
    prompt_version,

    -- numbers
    first_segment,
    last_segment,
    start_seconds,

    -- times
    partition_date

from claims
