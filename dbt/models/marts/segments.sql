with

segments as (
    select * from {{ ref('stg_transcript_segments') }}
)

select
    -- ids
    episode_id,

    -- text
    speaker,
    text,

    -- numbers
    segment_index,
    start_seconds,
    end_seconds,

    -- times
    partition_date
from segments
where {{ to_derive('partition_date') }}
