with

scores as (
    select * from {{ source('raw', 'claim_scores') }}
)

select
    -- ids
    claim_id,

    -- text
    scorer,
    prompt_version as scorer_version,
    reason as score_reason,

    -- numbers
    score,
    novelty,
    specificity,
    evidence,
    significance,

    -- times
    partition_date

from scores
