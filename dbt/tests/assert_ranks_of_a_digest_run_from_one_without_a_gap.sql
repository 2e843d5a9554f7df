-- A row is a digest whose ranks have a gap or a tie.
select digest_date
from {{ ref('top_insights') }}
where {{ is_tested('digest_date') }}
group by digest_date
having count(*) <> max(rank) or count(distinct rank) <> count(*) or min(rank) <> 1
