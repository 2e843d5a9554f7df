{{
    config(
        materialized='incremental', incremental_strategy='replace_days', on_schema_change='append_new_columns'
    )
}}

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
