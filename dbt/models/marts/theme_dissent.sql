with

dissent as (
    select * from {{ ref('int_theme_dissent') }}
)

select
    -- ids
    theme_id,
    claim_id,
    other_claim_id,

    -- text
    kind,
    detail,

    -- times
    partition_date
from dissent
where {{ to_derive('partition_date') }}
