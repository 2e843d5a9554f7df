with

related as (
    select * from {{ ref('int_related_claims') }}
),

gone as (
    select * from {{ ref('int_gone_claims') }}
)

select
    -- ids
    related.claim_id,
    related.related_claim_id,

    -- numbers
    related.likeness,

    -- flags
    related.is_same_theme,

    -- times
    related.partition_date
from related
-- Of shows that had left the list by the later day, on either side.
anti join gone
    on
        related.related_claim_id = gone.claim_id
        and related.partition_date >= gone.left_on and related.partition_date < gone.back_on
anti join gone as told
    on
        related.claim_id = told.claim_id
        and related.partition_date >= told.left_on and related.partition_date < told.back_on
where {{ to_derive('related.partition_date') }}
