-- grain: a claim that has a page, since a reader can come to it: one of a day's five or of the reserve behind them, one
-- that is said to be related to these, and what is told on the page of a theme of theirs. `has_theme_page`: several
-- shows tell the theme. `touched_on`: the last day on which anything that its page says came about.
create or replace temp table met as
with

named as (
    select
        claim_id,
        max(day) as day
    from (
        select
            claim_id,
            digest_date as day
        from marts.shortlist
        union all
        select
            unnest([claim_id, related_claim_id]) as claim_id,
            partition_date as day
        from marts.related_claims
    ) as said
    group by claim_id
),

named_themes as (
    select
        theme_id,
        max(day) as day
    from (
        select
            claims.theme_id,
            named.day
        from named
        inner join marts.claims as claims on named.claim_id = claims.claim_id
        union all
        -- The theme that a claim was of when a digest told it.
        select
            theme_id,
            digest_date as day
        from marts.shortlist
    ) as told
    group by theme_id
),

claims as (
    select
        claims.claim_id,
        claims.theme_id,
        claims.partition_date,
        episodes.show_id,
        named_themes.day
    from marts.claims as claims
    inner join named_themes on claims.theme_id = named_themes.theme_id
    inner join marts.episodes as episodes on claims.episode_id = episodes.episode_id
),

themes as (
    select
        theme_id,
        count(distinct show_id) > 1 as has_theme_page,
        greatest(max(partition_date), any_value(day)) as touched_on
    from claims
    group by theme_id
)

select
    claims.claim_id,
    claims.theme_id,
    claims.show_id,
    claims.partition_date as said_on,
    themes.has_theme_page,
    themes.touched_on
from claims
inner join themes on claims.theme_id = themes.theme_id
left join named on claims.claim_id = named.claim_id
where themes.has_theme_page or named.claim_id is not null
