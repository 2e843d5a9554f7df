with

episodes as (
    select * from {{ ref('stg_episodes') }}
),

first_publications as (
    select * from {{ ref('int_first_publications') }}
),

recordings as (
    select
        episodes.episode_id,
        coalesce(first_publications.recording_show_id, episodes.show_id) as recording_show_id,
        episodes.partition_date
    from episodes
    left join first_publications
        on
            episodes.episode_id = first_publications.episode_id
            and episodes.partition_date = first_publications.partition_date
)

select * from recordings
