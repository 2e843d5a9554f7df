-- What is close to a claim of a theme that was touched on $since or later, and how close; each pair both ways.
with

touched as (
    select
        claim_id,
        theme_id
    from met
    where touched_on >= $since
),

pairs as (
    select
        claim_id,
        related_claim_id,
        likeness
    from marts.related_claims
    where claim_id in (select claim_id from touched)
    union
    select
        related_claim_id as claim_id,
        claim_id as related_claim_id,
        likeness
    from marts.related_claims
    where related_claim_id in (select claim_id from touched)
)

select
    mentions.*,
    pairs.claim_id as of_claim_id,
    touched.theme_id as of_theme_id,
    pairs.likeness
from pairs
inner join touched on pairs.claim_id = touched.claim_id
inner join mentions on pairs.related_claim_id = mentions.claim_id
