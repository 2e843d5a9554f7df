-- A row is a mishearing that the dictionary corrects more than once for a show.
select
    lower(show_title) as show_title,
    wrong
from {{ ref('transcript_corrections') }}
group by all
having count(*) > 1
