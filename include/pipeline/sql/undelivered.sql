-- The mails begun before $before of which nobody knows whether they left, and those of digests since $since that were
-- refused.
select
    digest_date,
    recipient,
    status,
    channel,
    error
from ops.deliveries
where (status = 'pending' and pending_at < $before) or (status = 'failed' and digest_date >= $since)
order by digest_date, recipient
