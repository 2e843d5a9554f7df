with

episodes as (
    select * from {{ source('raw', 'episodes') }}
),

-- A show whose feed or recording only its subscribers know has no recording that readers may be led to.
judged as (
    select
        *,
        {{ shares_private_links() }} or without_secrets_of(feed_url, episode_url) = episode_url as shows_page,
        {{ shares_private_links() }}
        or (without_secrets(feed_url) = feed_url and without_secrets(audio_url) = audio_url) as shows_audio
    from episodes
)

select
    -- ids
    episode_id,
    show_id,
    without_secrets_of(feed_url, guid) as guid,
    feed_url,

    -- text
    show_title,
    title,
    description,
    language,
    case when shows_page then episode_url end as episode_url,
    case when shows_audio then audio_url end as audio_url,
    audio_type,

    -- numbers
    duration_seconds,

    -- times
    published_at,
    partition_date

from judged
