-- The claims of themes that have pages, at most $limit a show, newest first: of the shows whose themes were touched on
-- $since or later, or of which an episode was read since.
with

read as (
    select
        show_id,
        count(*) as episodes_read,
        max(partition_date) as last_read
    from marts.episodes
    where transcript_status = 'ok'
    group by show_id
)

select
    mentions.*,
    coalesce(read.episodes_read, 0) as episodes_read
from mentions
inner join told_themes on mentions.theme_id = told_themes.theme_id
left join read on mentions.show_id = read.show_id
qualify
    greatest(
        max(told_themes.touched_on) over (partition by mentions.show_id),
        max(coalesce(read.last_read, date '0001-01-01')) over (partition by mentions.show_id)
    ) >= $since
    and row_number() over (
        partition by mentions.show_id
        order by mentions.said_on desc, mentions.score desc nulls last, mentions.claim_id asc
    ) <= $limit
order by mentions.show_id asc, mentions.said_on desc, mentions.score desc nulls last, mentions.claim_id asc
