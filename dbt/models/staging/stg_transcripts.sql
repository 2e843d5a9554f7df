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
    coalesce(quality_marks, []) as transcript_marks,

    -- numbers
    segment_count,
    word_count,

    -- flags
    has_times,
    has_speakers,

    -- times
    partition_date

from transcripts
