with

daily_five as (
    select * from {{ ref('int_daily_five') }}
)

select
    -- ids
    claim_id,
    theme_id,

    -- text
    why,

    -- numbers
    cast(rank as integer) as rank,
    score,
    cast(show_count as integer) as show_count,

    -- flags
    is_update,

    -- times
    digest_date
from daily_five
