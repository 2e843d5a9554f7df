with

episodes as (
    select * from {{ ref('stg_episodes') }}
),

bounds as (
    select
        min(partition_date) as first_day,
        max(partition_date) as last_day
    from episodes
),

days as (
    select cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as day
    from bounds
)

select * from days
