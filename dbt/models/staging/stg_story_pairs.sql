with

pairs as (
    select * from {{ source('raw', 'story_pairs') }}
)

select
    -- ids
    claim_id,
    other_claim_id,

    -- text
    verdict,
    judge,
    prompt_version as judge_version,

    -- numbers
    likeness,

    -- times
    partition_date

from pairs
