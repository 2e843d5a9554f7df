-- The claims that have pages, at most $limit a show, newest first: of the shows whose themes were touched on $since or
-- later, or of which an episode was read since.
with

read as (
    select
        show_id,
        count(*) as episodes_read,
        max(partition_date) as last_read
    from marts.episodes
    where transcript_status = 'ok'
    group by show_id
),

touched as (
    select show_id from met
    where touched_on >= $since
    union
    select show_id from read
    where last_read >= $since
),

newest as (
    select claim_id
    from met
    where show_id in (select show_id from touched)
    qualify dense_rank() over (partition by show_id order by said_on desc) <= $limit
)

select
    mentions.*,
    coalesce(read.episodes_read, 0) as episodes_read
from newest
inner join mentions on newest.claim_id = mentions.claim_id
left join read on mentions.show_id = read.show_id
qualify
    row_number() over (
        partition by mentions.show_id
        order by mentions.said_on desc, mentions.score desc nulls last, mentions.claim_id asc
    ) <= $limit
order by mentions.show_id asc, mentions.said_on desc, mentions.score desc nulls last, mentions.claim_id asc
