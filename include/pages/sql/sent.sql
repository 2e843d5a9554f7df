-- The days whose digest was sent to somebody.
select distinct digest_date
from ops.deliveries
where status = 'sent'
