-- The days that the readings of $day make up, a row a feed and day: those around it, up to $days away, whose reading of
-- the feed failed; and, unless only what was asked for is wanted, those before it on which nothing ran, from the first
-- day on that the feed was ever asked.
with

feeds_read as (
    select readings.feed_url
    from readings
    left join raw.feeds as feeds on readings.feed_url = feeds.feed_url
    where readings.error is null and feeds.blocked is null
),

failed as (
    select
        feed_url,
        partition_date
    from raw.feed_fetches
    where
        status = 'failed'
        and partition_date between $day - $days and $day + $days
        and partition_date <> $day
),

known_since as (
    select
        feed_url,
        min(partition_date) as first_day
    from raw.feed_fetches
    group by feed_url
),

days_before as (
    select cast(unnest(range($day - to_days($days), cast($day as timestamp), interval 1 day)) as date) as partition_date
),

not_asked as (
    select
        known_since.feed_url,
        days_before.partition_date
    from known_since
    inner join days_before on known_since.first_day < days_before.partition_date
    anti join raw.feed_fetches as fetches
        on known_since.feed_url = fetches.feed_url and days_before.partition_date = fetches.partition_date
    where not $only_asked
),

missed as (
    select * from failed

    union all

    select * from not_asked
)

select
    missed.partition_date,
    list(missed.feed_url order by missed.feed_url) as feeds
from missed
inner join feeds_read on missed.feed_url = feeds_read.feed_url
group by missed.partition_date
