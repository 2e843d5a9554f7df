-- Gives what was read the ids that its shows and episodes had before, whatever the feed now calls them, also where it
-- has moved. An item is the one of the same guid; else, where nothing else has or had that enclosure, the one of the
-- same enclosure, which was given another guid.
delete from read_items
using readings, raw.feeds as known
where
    read_items.feed_url = readings.feed_url
    and known.feed_url = readings.feed_url
    and known.content_hash is not distinct from readings.content_hash
    and known.parser = readings.parser;

update readings
set has_document = false
from raw.feeds as known
where
    known.feed_url = readings.feed_url
    and known.content_hash is not distinct from readings.content_hash
    and known.parser = readings.parser;

create or replace temp table known_feeds as
select
    readings.feed_url,
    feeds.feed_url as known_url,
    feeds.show_id
from readings
inner join raw.feeds as feeds
    on readings.feed_url = feeds.feed_url or readings.feed_url = feeds.moved_to
where readings.has_document;

update readings
set show_id = known.show_id
from (
    select
        feed_url,
        first(show_id order by feed_url = known_url desc, known_url) as show_id
    from known_feeds
    group by feed_url
) as known
where readings.feed_url = known.feed_url;

create or replace temp table known_items as
with

seen as (
    select feed_url, guid, audio_url, episode_id
    from raw.feed_items
    where guid is not null
    union
    select feed_url, guid, audio_url, episode_id
    from raw.episodes
)

select distinct
    known_feeds.feed_url,
    seen.guid,
    seen.audio_url,
    seen.episode_id
from known_feeds
inner join seen on known_feeds.known_url = seen.feed_url;

with

of_the_same_guid as (
    select
        items.feed_url,
        items.position,
        max(known.episode_id) as episode_id
    from read_items as items
    inner join known_items as known on items.feed_url = known.feed_url and items.guid = known.guid
    group by all
),

left_over as (
    select * from known_items
    anti join of_the_same_guid using (feed_url, episode_id)
),

had_it_alone as (
    select
        feed_url,
        audio_url,
        max(episode_id) as episode_id
    from left_over
    where audio_url is not null
    group by all
    having count(distinct episode_id) = 1
),

has_it_alone as (
    select
        feed_url,
        audio_url,
        max(position) as position
    from read_items
    group by all
    having count(*) = 1
),

of_the_same_enclosure as (
    select
        had_it_alone.feed_url,
        has_it_alone.position,
        had_it_alone.episode_id
    from had_it_alone
    inner join has_it_alone using (feed_url, audio_url)
    anti join of_the_same_guid using (feed_url, position)
),

same as (
    select * from of_the_same_guid
    union all by name
    select * from of_the_same_enclosure
)

update read_items
set episode_id = same.episode_id
from same
where read_items.feed_url = same.feed_url and read_items.position = same.position;
