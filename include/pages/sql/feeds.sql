-- How each feed went on $day, what failed first.
select
    feed_url,
    show_title,
    status,
    reason,
    item_count,
    episode_count,
    failing_since,
    failing_days
from ops.feed_status
where partition_date = $day
order by status <> 'failed', coalesce(show_title, feed_url), feed_url
