-- What is close to a claim of a theme that was touched on $since or later, and how close; each pair both ways.
with

pairs as (
    select
        claim_id,
        related_claim_id,
        likeness
    from marts.related_claims
    union
    select
        related_claim_id as claim_id,
        claim_id as related_claim_id,
        likeness
    from marts.related_claims
)

select
    mentions.*,
    pairs.claim_id as of_claim_id,
    own.theme_id as of_theme_id,
    pairs.likeness
from pairs
inner join mentions as own on pairs.claim_id = own.claim_id
inner join told_themes on own.theme_id = told_themes.theme_id
inner join mentions on pairs.related_claim_id = mentions.claim_id
where told_themes.touched_on >= $since
