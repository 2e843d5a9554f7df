with

shortlist as (
    select * from {{ ref('shortlist') }}
),

the_five as (
    select
        -- ids
        claim_id,
        theme_id,

        -- text
        why,
        news,
        story,

        -- numbers
        rank,
        score,
        show_count,
        story_lift,

        -- flags
        is_update,

        -- times
        digest_date,
        news_since
    from shortlist
    where rank <= {{ var('seats') }} and {{ to_derive('digest_date') }}
)

select * from the_five
