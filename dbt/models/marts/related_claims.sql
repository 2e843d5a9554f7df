with

related as (
    select * from {{ ref('int_related_claims') }}
)

select
    -- ids
    claim_id,
    related_claim_id,

    -- numbers
    likeness,

    -- flags
    is_same_theme,

    -- times
    partition_date
from related
where {{ to_derive('partition_date') }}
