-- Full-text search in the analysts' copy: from marts.search_segments('words'), the best first. A segment is found that has a
-- word which begins with one of those asked for, in any case, and ranked by Okapi BM25 (Robertson and Zaragoza, 2009) with
-- k1 = 1.2, b = 0.75 and lengths in bytes. It reads the text of the days asked for and needs no index, so that a day costs
-- what a day holds: an index of all days would have to be made anew each day.
create or replace macro copy.marts.search_segments(
    wanted, first_day := date '0001-01-01', last_day := date '9999-12-31'
) as table
with

asked as (
    select unnest(list_distinct(regexp_extract_all(lower(wanted), '[\p{L}\p{N}]+'))) as word
),

talk as (
    select
        count(*) as segments,
        avg(strlen(text)) as bytes
    from marts.segments
    where partition_date between first_day and last_day
),

-- The pattern is the same for all rows, so it is read once; within words it finds too much, which is sorted out below.
near as materialized (
    select
        episode_id,
        segment_index,
        speaker,
        start_seconds,
        text,
        partition_date
    from marts.segments
    where
        partition_date between first_day and last_day
        and regexp_matches(
            text, '(?i)(' || array_to_string(regexp_extract_all(lower(wanted), '[\p{L}\p{N}]+'), '|') || ')'
        )
),

split as materialized (
    select
        *,
        regexp_extract_all(lower(text), '[\p{L}\p{N}]+') as words
    from near
),

found as materialized (
    select
        split.* exclude (words),
        asked.word,
        strlen(split.text) as bytes,
        len(list_filter(split.words, lambda said: starts_with(said, asked.word))) as times
    from split
    cross join asked
    where times > 0
),

rare as (
    select
        found.word,
        ln(1 + (any_value(talk.segments) - count(*) + 0.5) / (count(*) + 0.5)) as weight
    from found
    cross join talk
    group by found.word
),

scored as (
    select
        found.* exclude (word, bytes, times),
        round(
            sum(rare.weight * found.times * 2.2 / (found.times + 1.2 * (0.25 + 0.75 * found.bytes / talk.bytes))), 3
        ) as score
    from found
    inner join rare on found.word = rare.word
    cross join talk
    group by all
)

select
    scored.score,
    episodes.show_title,
    episodes.title,
    scored.speaker,
    scored.start_seconds,
    scored.text,
    scored.partition_date,
    scored.episode_id,
    scored.segment_index
from scored
inner join marts.episodes as episodes on scored.episode_id = episodes.episode_id
order by scored.score desc, scored.partition_date desc, scored.episode_id asc, scored.segment_index asc
