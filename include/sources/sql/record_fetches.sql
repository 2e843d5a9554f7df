-- Writes the fetches of a day. A row stays as it is while it says the same: a day that was read stays read, whatever
-- fails later, and a move that day stays said, as does when it was made up.
delete from fetches
using raw.feed_fetches as before
where
    fetches.feed_url = before.feed_url
    and fetches.partition_date = before.partition_date
    and case
        when fetches.status = 'failed' and before.status <> 'failed' then true
        when before.made_up_on is not null
            then fetches.status = before.status and fetches.episode_count = before.episode_count
        when before.status = 'moved' and fetches.status in ('ok', 'unchanged')
            then fetches.episode_count = before.episode_count
        else
            fetches.status = before.status
            and fetches.episode_count = before.episode_count
            and fetches.reason is not distinct from before.reason
    end;

delete from raw.feed_fetches
using fetches
where feed_fetches.feed_url = fetches.feed_url and feed_fetches.partition_date = fetches.partition_date;

insert into raw.feed_fetches by name
select * from fetches;
