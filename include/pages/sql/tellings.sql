-- Which digests told a claim, and why.
select
    claim_id,
    digest_date as day,
    is_update,
    why,
    news,
    news_since as since
from marts.top_insights
order by digest_date, rank
