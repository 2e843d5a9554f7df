-- Gives what was read the ids that its shows and episodes had before, whatever the feed now calls them, also where it
-- has moved to another address or host.
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
    on
        readings.feed_url = feeds.feed_url
        or readings.feed_url = feeds.moved_to
        or readings.show_id = feeds.show_id
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

-- Items by what they may be recognised by, the surest first: the guid; the guid, whatever its scheme; the enclosure;
-- the enclosure, whatever its scheme; title and time.
create or replace temp table item_marks as
with

seen as (
    select
        feed_url,
        episode_id,
        guid,
        audio_url,
        title,
        published_at,
        duration_seconds
    from raw.feed_items
    where guid is not null

    union

    select
        feed_url,
        episode_id,
        guid,
        audio_url,
        title,
        published_at,
        duration_seconds
    from raw.episodes
),

items as (
    select
        feed_url,
        position,
        null as episode_id,
        guid,
        audio_url,
        title,
        published_at,
        duration_seconds
    from read_items
    where guid is not null

    union all

    select
        known_feeds.feed_url,
        null as position,
        seen.* exclude (feed_url)
    from known_feeds
    inner join seen on known_feeds.known_url = seen.feed_url
)

select
    feed_url,
    position,
    episode_id,
    duration_seconds,
    unnest([1, 2, 3, 4, 5]) as sureness,
    unnest([
        guid,
        regexp_replace(guid, '^https?://(www\.)?', ''),
        audio_url,
        regexp_replace(audio_url, '^https?://(www\.)?', ''),
        trim(regexp_replace(lower(title), '[^\p{L}\p{N}]+', ' ', 'g')) || ' ' || cast(published_at as varchar)
    ]) as mark
from items;

create or replace temp table same_items as
with

of_the_same_guid as (
    select
        items.feed_url,
        items.position,
        max(known.episode_id) as episode_id
    from item_marks as items
    inner join item_marks as known
        on
            items.feed_url = known.feed_url
            and items.sureness = known.sureness
            and items.mark = known.mark
    where items.sureness = 1 and items.position is not null and known.episode_id is not null
    group by all
),

left_over as (
    select item_marks.*
    from item_marks
    anti join of_the_same_guid
        on
            item_marks.feed_url = of_the_same_guid.feed_url
            and item_marks.episode_id = of_the_same_guid.episode_id
    where item_marks.sureness > 1 and item_marks.mark is not null
),

-- Of what is left over, on both sides, a mark counts where one item and one episode alone bear it.
borne_alone as (
    select
        feed_url,
        sureness,
        mark,
        max(position) as position,
        max(episode_id) as episode_id,
        max(duration_seconds) - min(duration_seconds) as seconds_apart,
        max(duration_seconds) as seconds
    from left_over
    group by all
    having count(distinct episode_id) = 1 and count(distinct position) = 1
),

of_the_surest_mark as (
    select borne_alone.*
    from borne_alone
    anti join of_the_same_guid
        on
            borne_alone.feed_url = of_the_same_guid.feed_url
            and borne_alone.position = of_the_same_guid.position
    where
        borne_alone.sureness < 5
        or coalesce(borne_alone.seconds_apart <= greatest(120, borne_alone.seconds / 10), true)
    qualify
        row_number() over (partition by borne_alone.feed_url, borne_alone.position order by borne_alone.sureness) = 1
)

select * from of_the_same_guid

union all

select
    feed_url,
    position,
    episode_id
from of_the_surest_mark
qualify row_number() over (partition by feed_url, episode_id order by position) = 1;

update read_items
set episode_id = same.episode_id
from same_items as same
where read_items.feed_url = same.feed_url and read_items.position = same.position;
