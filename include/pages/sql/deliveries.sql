-- What became of the mails of $day, those not sent first.
select
    recipient,
    status,
    channel,
    sent_at,
    error
from ops.deliveries
where digest_date = $day
order by status = 'sent', recipient
