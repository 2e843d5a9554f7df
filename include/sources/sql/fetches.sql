-- How each feed that was read fared on $day and, but for what needs no reason, why.
create or replace temp table fetches as
with

items as (
    select
        feed_url,
        count(*) as item_count
    from raw.feed_items
    group by feed_url
),

episodes as (
    select
        feed_url,
        count(*) as episode_count
    from raw.episodes
    where partition_date = $day
    group by feed_url
)

select
    readings.feed_url,
    cast($day as date) as partition_date,
    feeds.show_title,
    case
        when readings.error is not null then 'failed'
        when feeds.blocked is not null then 'blocked'
        when readings.moved_to is not null then 'moved'
        when items.item_count is null then 'empty'
        when episodes.episode_count is null then 'unchanged'
        else 'ok'
    end as status,
    case
        when readings.error is not null then readings.error
        when feeds.blocked is not null then feeds.blocked
        when readings.moved_to is not null
            then 'moved for good to ' || readings.moved_to || ', which is asked from now on'
    end as reason,
    readings.http_status,
    case when feeds.feed_url is not null then coalesce(items.item_count, 0) end as item_count,
    coalesce(episodes.episode_count, 0) as episode_count,
    readings.read_at as fetched_at
from readings
left join raw.feeds as feeds on readings.feed_url = feeds.feed_url
left join items on readings.feed_url = items.feed_url
left join episodes on readings.feed_url = episodes.feed_url
