-- The feed $url as it was last read, or, where it is new to the list, the one that has moved to it.
select
    feed_url,
    show_id,
    content_hash,
    parser,
    moved_to
from raw.feeds
where feed_url = $url or moved_to = $url
order by feed_url = $url desc
limit 1
