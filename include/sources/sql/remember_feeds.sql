-- Brings what is known of feeds up to date. An address that a feed moved to is forgotten once that fails.
update raw.feeds
set moved_to = case when readings.error is null then coalesce(readings.moved_to, feeds.moved_to) end
from readings
where feeds.feed_url = readings.feed_url;

update raw.feeds
set etag = readings.etag, last_modified = readings.last_modified
from readings
where
    feeds.feed_url = readings.feed_url
    and (readings.has_document or (readings.is_unchanged and readings.content_hash is not null));

update raw.feeds
set
    show_id = readings.show_id,
    show_title = readings.show_title,
    language = readings.language,
    content_hash = readings.content_hash,
    parser = readings.parser,
    blocked = readings.blocked,
    remark = readings.remark
from readings
where feeds.feed_url = readings.feed_url and readings.has_document;

insert into raw.feeds by name
select
    feed_url,
    show_id,
    show_title,
    language,
    etag,
    last_modified,
    content_hash,
    parser,
    blocked,
    moved_to,
    remark
from readings
where has_document and feed_url not in (select feed_url from raw.feeds);

delete from raw.feed_items
using readings
where feed_items.feed_url = readings.feed_url and readings.has_document;

insert into raw.feed_items by name
select
    read_items.*,
    readings.show_id,
    readings.show_title,
    readings.language,
    coalesce(read_items.published_at > readings.read_at, false) as in_future
from read_items
inner join readings on read_items.feed_url = readings.feed_url;

-- Episodes of all days go by the address that their feed has for them now.
update raw.episodes
set
    guid = items.guid,
    audio_url = items.audio_url,
    audio_type = items.audio_type,
    episode_url = items.episode_url,
    chapters_url = items.chapters_url,
    transcripts = items.transcripts
from raw.feed_items as items, known_feeds
where
    items.problem is null
    and items.episode_id = episodes.episode_id
    and items.feed_url = known_feeds.feed_url
    and episodes.feed_url = known_feeds.known_url
    and (items.guid, items.audio_url, items.episode_url) is distinct from
    (episodes.guid, episodes.audio_url, episodes.episode_url);
