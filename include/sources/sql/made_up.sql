-- The days of which the run of $day made up the reading of a feed, and found episodes.
select distinct partition_date
from raw.feed_fetches
where made_up_on = $day and episode_count > 0
order by partition_date
