-- What the run of $day read late, by the day it is for, and (`is_own`) what was read late for $day, by the run that
-- did.
with

late as (
    select
        *,
        partition_date = $day as is_own
    from ops.feed_status
    where made_up_on is not null and made_up_on <> partition_date and $day in (partition_date, made_up_on)
)

select
    is_own,
    if(is_own, made_up_on, partition_date) as day,
    count(*) as feeds,
    cast(coalesce(sum(episode_count), 0) as integer) as episodes
from late
group by all
order by is_own, day
