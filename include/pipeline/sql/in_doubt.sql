-- The mails of which nobody knows whether they left, begun before $before.
select
    digest_date,
    recipient
from ops.deliveries
where status = 'pending' and pending_at < $before
order by digest_date, recipient
