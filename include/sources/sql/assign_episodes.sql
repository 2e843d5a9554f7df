-- The episodes that belong to $day, from the feeds as last seen; new ones only from $feeds, those read for that day.
--
-- A recorded day is kept. An episode without one belongs to the day it was published, unless that day had already been
-- read from its feed without it: then to the day that finds it, up to three days later. A day that the run of another
-- day makes up finds none of these: that run does.
with

items as (
    select * from raw.feed_items
    where problem is null
),

recorded as (
    select
        episode_id,
        partition_date
    from raw.episodes
),

days_read as (
    select
        feed_url,
        partition_date
    from raw.feed_fetches
    where status in ('ok', 'unchanged', 'empty', 'moved')
),

refused as (
    select distinct row_key as episode_id
    from ops.rejected_rows
    where door = 'episodes' and partition_date < $day
)

select items.* exclude (position, problem, in_future)
from items
left join recorded on items.episode_id = recorded.episode_id
left join days_read
    on
        items.feed_url = days_read.feed_url
        and cast(items.published_at as date) = days_read.partition_date
left join refused on items.episode_id = refused.episode_id
where
    case
        when recorded.episode_id is not null then recorded.partition_date = $day
        when not list_contains($feeds, items.feed_url) then false
        when cast(items.published_at as date) = $day then true
        else
            not $is_made_up
            and cast(items.published_at as date) between $day - 3 and $day - 1
            and days_read.feed_url is not null
            and refused.episode_id is null
    end
qualify row_number() over (partition by items.episode_id order by items.feed_url) = 1
