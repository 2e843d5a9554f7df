-- Every insight that a digest told on $since or later, the newest digest's first.
select
    mentions.*,
    top_insights.digest_date,
    top_insights.is_update
from marts.top_insights as top_insights
inner join mentions on top_insights.claim_id = mentions.claim_id
where top_insights.digest_date >= $since
order by top_insights.digest_date desc, top_insights.rank asc
