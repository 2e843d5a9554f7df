-- By which rules rows of $day were set aside, with an example of each.
select
    door,
    rule,
    count(*) as row_count,
    any_value(reason order by row_key) as reason
from ops.rejected_rows
where partition_date = $day
group by door, rule
order by door, rule
