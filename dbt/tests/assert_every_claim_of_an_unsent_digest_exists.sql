-- A row is an insight whose claim is gone, in a digest that was not sent. A sent digest keeps what it said.
select
    top_insights.digest_date,
    top_insights.claim_id
from {{ ref('top_insights') }} as top_insights
left join {{ ref('claims') }} as claims on top_insights.claim_id = claims.claim_id
where
    claims.claim_id is null
    and {{ is_tested('top_insights.digest_date') }}
    and top_insights.digest_date not in (
        select digest_date from {{ ref('stg_deliveries') }}
        where delivery_status in ('sent', 'pending')
    )
