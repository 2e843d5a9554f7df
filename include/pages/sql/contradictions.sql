-- The pairs of claims of a theme that contradict each other, the earlier one first: each pair and kind once, in the
-- order in which the second of it was said; of themes that were touched on $since or later.
with

placed as (
    select
        theme_id,
        claim_id,
        row_number() over (
            partition by theme_id
            order by said_on asc, score desc nulls last, claim_id asc
        ) as place
    from mentions
    where theme_id in (
        select theme_id from met
        where touched_on >= $since
    )
),

pairs as (
    select
        dissent.*,
        one.place < other.place as is_in_order,
        least(one.place, other.place) as earlier,
        greatest(one.place, other.place) as later
    from marts.theme_dissent as dissent
    inner join placed as one on dissent.theme_id = one.theme_id and dissent.claim_id = one.claim_id
    inner join placed as other on dissent.theme_id = other.theme_id and dissent.other_claim_id = other.claim_id
)

select
    theme_id,
    if(is_in_order, claim_id, other_claim_id) as earlier_claim_id,
    if(is_in_order, other_claim_id, claim_id) as later_claim_id,
    kind,
    detail
from pairs
qualify
    row_number() over (
        partition by theme_id, earlier, later, kind
        order by claim_id, other_claim_id, detail
    ) = 1
order by theme_id, later, earlier, kind
