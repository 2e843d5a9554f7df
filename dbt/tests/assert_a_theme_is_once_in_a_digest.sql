-- A row is a theme that a digest tells twice.
select
    digest_date,
    theme_id
from {{ ref('top_insights') }}
where {{ is_tested('digest_date') }}
group by all
having count(*) > 1
