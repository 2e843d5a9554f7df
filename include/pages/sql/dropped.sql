-- Why claims of $day were dropped, the commonest reason first.
select
    reason,
    count(*) as claims,
    count(distinct episode_id) as episodes
from ops.dropped_claims
where partition_date = $day
group by reason
order by count(*) desc, reason asc
