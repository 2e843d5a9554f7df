with

deliveries as (
    select * from {{ source('ops', 'deliveries') }}
)

select
    -- ids
    message_id,

    -- text
    recipient,
    status as delivery_status,
    channel,

    -- times
    digest_date,
    sent_at

from deliveries
