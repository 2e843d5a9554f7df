-- What the feed $url, or one that has moved to it, was seen to hold: guid, enclosure, and the id the episode got by
-- them.
with

names as (
    select feed_url
    from raw.feeds
    where feed_url = $url or moved_to = $url
)

select
    guid,
    audio_url,
    episode_id
from raw.feed_items
where feed_url in (select feed_url from names) and guid is not null

union

select
    guid,
    audio_url,
    episode_id
from raw.episodes
where feed_url in (select feed_url from names)
