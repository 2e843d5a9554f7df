with

episodes as (
    select * from {{ ref('stg_episodes') }}
),

transcripts as (
    select * from {{ ref('stg_transcripts') }}
),

recordings as (
    select * from {{ ref('int_recordings') }}
),

joined as (
    select
        -- ids
        episodes.episode_id,
        episodes.show_id,
        recordings.recording_show_id,
        episodes.guid,

        -- text
        episodes.show_title,
        episodes.title,
        episodes.description,
        episodes.episode_url,
        episodes.audio_url,
        coalesce(transcripts.transcript_status, 'none') as transcript_status,
        coalesce(transcripts.transcript_source, 'none') as transcript_source,
        transcripts.transcript_error,
        coalesce(transcripts.transcript_marks, []) as transcript_marks,

        -- numbers
        episodes.duration_seconds,
        coalesce(transcripts.word_count, 0) as word_count,

        -- times
        episodes.published_at,
        episodes.partition_date
    from episodes
    left join transcripts
        on episodes.episode_id = transcripts.episode_id and episodes.partition_date = transcripts.partition_date
    left join recordings
        on episodes.episode_id = recordings.episode_id and episodes.partition_date = recordings.partition_date
    where {{ to_derive('episodes.partition_date') }}
)

select * from joined
