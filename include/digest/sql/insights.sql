-- The insights of the digest of $day, best first; with $claim_ids those of the day's shortlist, in that order. A claim
-- that is gone has nothing of `mentions`; one that was forgotten has no reason either, and is passed over.
select
    mentions.*,
    picks.claim_id as chosen_claim_id,
    picks.theme_id as chosen_theme_id,
    picks.is_update,
    picks.news,
    picks.news_since,
    picks.why,
    coalesce(list_position(cast($claim_ids as varchar[]), picks.claim_id), picks.rank) as rank
from marts.shortlist as picks
left join mentions on picks.claim_id = mentions.claim_id
where
    picks.digest_date = $day
    and (mentions.claim_id is not null or picks.why is not null)
    and if($claim_ids is null, picks.rank <= $seats, list_contains(cast($claim_ids as varchar[]), picks.claim_id))
order by rank
