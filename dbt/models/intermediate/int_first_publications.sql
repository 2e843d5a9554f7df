{{ config(materialized='incremental', incremental_strategy='replace_days') }}

with

claims as (
    select * from {{ ref('stg_claims') }}
),

episodes as (
    select * from {{ ref('stg_episodes') }}
),

quotes as (
    select
        episodes.episode_id,
        episodes.show_id,
        episodes.partition_date,
        regexp_replace(lower(claims.quote), '[^\p{L}\p{N}]+', ' ', 'g') as words
    from claims
    inner join episodes on claims.episode_id = episodes.episode_id and claims.partition_date = episodes.partition_date
    where {{ to_derive('claims.partition_date', before=30) }}
),

-- A trailer may have a quote in common with an episode; a recording that two shows publish has nearly all.
same_recording as (
    select
        later.episode_id,
        later.partition_date,
        earlier.episode_id as earlier_episode_id,
        earlier.show_id as earlier_show_id,
        earlier.partition_date as earlier_date
    from quotes as later
    inner join quotes as earlier
        on
            later.words = earlier.words
            and (later.partition_date, later.episode_id) > (earlier.partition_date, earlier.episode_id)
            and later.partition_date - 30 <= earlier.partition_date
    where {{ to_derive('later.partition_date') }}
    group by all
    having count(*) >= 3
),

first_publications as (
    select
        episode_id,
        arg_min(earlier_show_id, (earlier_date, earlier_episode_id)) as recording_show_id,
        partition_date
    from same_recording
    group by episode_id, partition_date
)

select * from first_publications
