-- The digests, newest first: how many insights each has, and the first one's headline.
select
    digest_days.day,
    count(top_insights.claim_id) as insight_count,
    first(claims.headline order by top_insights.rank) as headline
from digest_days
left join marts.top_insights as top_insights on digest_days.day = top_insights.digest_date
left join marts.claims as claims on top_insights.claim_id = claims.claim_id
group by digest_days.day
order by digest_days.day desc
