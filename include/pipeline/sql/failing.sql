-- The feeds that had failed for $failing_days days or more when the last day was read.
with

last_day as (
    select max(partition_date) as day from ops.feed_status
)

select
    show_title,
    feed_url,
    failing_since,
    reason
from ops.feed_status
where failing_days >= $failing_days and partition_date = (select last_day.day from last_day)
order by failing_since, show_title, feed_url
