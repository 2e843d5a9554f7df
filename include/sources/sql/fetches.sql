-- How each of $feeds fared on $day and, but for what needs no reason, why. Where the run of a later day makes $day up,
-- $made_up_on is that one.
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
        when readings.moved_to is not null and $made_up_on is null then 'moved'
        when items.item_count is null then 'empty'
        when episodes.episode_count is null then 'unchanged'
        else 'ok'
    end as status,
    case
        when readings.error is not null then readings.error
        when feeds.blocked is not null then feeds.blocked
        when $made_up_on is not null then coalesce('that night: ' || before.reason, 'nothing ran that night')
        when readings.moved_to is not null
            then 'moved for good to ' || readings.moved_to || ', which is asked from now on'
        else feeds.remark
    end as reason,
    readings.http_status,
    case when feeds.feed_url is not null then coalesce(items.item_count, 0) end as item_count,
    coalesce(episodes.episode_count, 0) as episode_count,
    readings.read_at as fetched_at,
    cast($made_up_on as date) as made_up_on
from readings
left join raw.feeds as feeds on readings.feed_url = feeds.feed_url
left join items on readings.feed_url = items.feed_url
left join episodes on readings.feed_url = episodes.feed_url
left join raw.feed_fetches as before
    on readings.feed_url = before.feed_url and before.partition_date = $day
where list_contains($feeds, readings.feed_url)
