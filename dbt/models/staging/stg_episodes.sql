with

episodes as (
    select * from {{ source('raw', 'episodes') }}
)

select
    -- ids
    episode_id,
    show_id,
    without_secrets(guid) as guid,
    without_secrets(feed_url) as feed_url,

    -- text
    show_title,
    title,
    description,
    language,
    {{ unless_secret('episode_url') }} as episode_url,
    {{ unless_secret('audio_url') }} as audio_url,
    audio_type,

    -- numbers
    duration_seconds,

    -- times
    published_at,
    partition_date

from episodes
