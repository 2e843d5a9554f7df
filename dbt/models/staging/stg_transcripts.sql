with

transcripts as (
    select * from {{ source('raw', 'transcripts') }}
)

select
    -- ids
    episode_id,

    -- text
    status as transcript_status,
    source as transcript_source,
    format as transcript_format,
    error as transcript_error,

    -- numbers
    segment_count,
    word_count,

    -- flags
    has_times,
    has_speakers,

    -- times
    partition_date

from transcripts
