with

claims as (
    select * from {{ ref('stg_claims') }}
),

episodes as (
    select * from {{ ref('stg_episodes') }}
),

absences as (
    select * from {{ source('ops', 'absent_shows') }}
),

gone as (
    select
        claims.claim_id,
        absences.left_on,
        coalesce(absences.back_on, date 'infinity') as back_on
    from absences
    inner join episodes on absences.show_id = episodes.show_id
    inner join claims
        on episodes.episode_id = claims.episode_id and absences.left_on > claims.partition_date
)

select * from gone
