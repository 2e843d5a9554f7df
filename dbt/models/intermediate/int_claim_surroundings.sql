with

claims as (
    select * from {{ ref('stg_claims') }}
),

segments as (
    select * from {{ ref('stg_transcript_segments') }}
),

-- Segments are anything from a line of subtitles to a speech of minutes: enough of them, then by characters.
near as (
    select
        claims.claim_id,
        claims.episode_id,
        claims.partition_date,
        claims.quote,
        string_agg(segments.text, ' ' order by segments.segment_index) as said
    from claims
    inner join segments
        on
            claims.episode_id = segments.episode_id
            and claims.partition_date = segments.partition_date
            and segments.segment_index between claims.first_segment - 12 and claims.last_segment + 12
    group by all
),

placed as (
    select
        *,
        strpos(lower(said), lower(left(quote, 40))) as quoted_at
    from near
),

-- Chosen by pairs of claims that were read: from 300 characters on to either side more adds nothing.
surroundings as (
    select
        claim_id,
        episode_id,
        partition_date,
        case
            when quoted_at = 0 then quote
            else substring(said, greatest(quoted_at - 300, 1), least(quoted_at - 1, 300) + len(quote) + 300)
        end as said
    from placed
)

select * from surroundings
