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
    news,
    story,

    -- numbers
    cast(rank as integer) as rank,
    score,
    strength,
    cast(show_count as integer) as show_count,
    coalesce(story_lift, 0) as story_lift,

    -- flags
    is_update,
    same_story,

    -- times
    digest_date,
    news_since
from daily_five
where {{ to_derive('digest_date') }}
