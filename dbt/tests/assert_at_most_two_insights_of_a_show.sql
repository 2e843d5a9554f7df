-- A row is a show that has more than two of a day's five.
select
    top_insights.digest_date,
    episodes.show_id
from {{ ref('top_insights') }} as top_insights
inner join {{ ref('claims') }} as claims on top_insights.claim_id = claims.claim_id
inner join {{ ref('episodes') }} as episodes on claims.episode_id = episodes.episode_id
where {{ is_tested('top_insights.digest_date') }}
group by all
having count(*) > 2
