-- What was read, as it is loaded: a row a feed, and a row an item of those whose document was parsed.
create or replace temp table readings as
select
    *,
    cast(null as integer) as http_status,
    cast(null as timestamp) as read_at,
    cast(null as varchar) as error,
    cast(null as boolean) as is_unchanged,
    cast(null as boolean) as has_document
from raw.feeds
where false;

create or replace temp table read_items as
select * exclude (show_id, show_title, language, in_future)
from raw.feed_items
where false;
