-- The episodes of $day that their feed no longer lists and that stay all the same: the feed was not read this time, or
-- its list no longer reaches back to them. One that a feed dropped from the middle of its list was withdrawn: it goes.
with

reach as (
    select
        feed_url,
        min(published_at) as oldest
    from raw.feed_items
    where problem is null
    group by feed_url
)

select episodes.* exclude (partition_date)
from raw.episodes as episodes
left join raw.feed_items as items
    on episodes.episode_id = items.episode_id and items.problem is null
left join reach on episodes.feed_url = reach.feed_url
where
    episodes.partition_date = $day
    and items.episode_id is null
    and (
        not list_contains($feeds, episodes.feed_url)
        or reach.oldest is null
        or reach.oldest > episodes.published_at
    )
