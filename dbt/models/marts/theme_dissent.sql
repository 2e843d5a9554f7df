with

dissent as (
    select * from {{ ref('int_theme_dissent') }}
),

gone as (
    select * from {{ ref('int_gone_claims') }}
)

select
    -- ids
    dissent.theme_id,
    dissent.claim_id,
    dissent.other_claim_id,

    -- text
    dissent.kind,
    dissent.detail,

    -- times
    dissent.partition_date
from dissent
-- Of a show that had left the list by the day of the later claim.
anti join gone
    on
        dissent.other_claim_id = gone.claim_id
        and dissent.partition_date >= gone.left_on and dissent.partition_date < gone.back_on
where {{ to_derive('dissent.partition_date') }}
