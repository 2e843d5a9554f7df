with

episodes as (
    select * from {{ source('raw', 'episodes') }}
)

select
    -- ids
    episode_id,
    show_id,
    guid,
    feed_url,

    -- text
    show_title,
    title,
    description,
    language,
    episode_url,
    audio_url,
    audio_type,

    -- numbers
    duration_seconds,

    -- times
    published_at,
    partition_date

from episodes
