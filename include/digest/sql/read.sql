-- What went into the digest of $day. Where a feed gives no length, it is taken from the words, at $words_a_minute.
with

feeds as (
    select count(*) as checked
    from ops.feed_status
    where partition_date = $day
),

episodes as (
    select
        *,
        transcript_status = 'ok' and episode_id not in (
            select unread.episode_id from ops.dropped_claims as unread
            where unread.partition_date = $day and unread.reason = 'language'
        ) as is_read,
        coalesce(duration_seconds, word_count * 60 / $words_a_minute) as seconds
    from marts.episodes
    where partition_date = $day
)

select
    any_value(feeds.checked) as feeds_checked,
    count(episodes.episode_id) as episodes,
    count(*) filter (where episodes.is_read) as episodes_read,
    count(distinct if(episodes.is_read, episodes.show_id, null)) as shows_read,
    cast(coalesce(sum(episodes.seconds) filter (where episodes.is_read), 0) as bigint) as seconds_read,
    count(*) filter (where episodes.is_read and episodes.duration_seconds is null) > 0 as length_is_estimated
from feeds
left join episodes on true
