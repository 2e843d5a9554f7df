{{ config(incremental_strategy='replace_themes') }}

with

members as (
    select * from {{ ref('int_theme_members') }}
),

labels as (
    select * from {{ ref('int_theme_labels') }}
),

{% if is_incremental() %}
    -- Also themes that have lost what was said last of them.
    touched as (
        select theme_id from members
        where {{ to_derive('partition_date') }}
        union
        select theme_id from {{ this }}
        where last_seen_date >= {{ first_day() }}
    ),
{% endif %}

aggregated as (
    select
        theme_id,
        min(partition_date) as first_seen_date,
        max(partition_date) as last_seen_date,
        cast(count(*) as integer) as claim_count,
        cast(count(distinct recording_show_id) as integer) as show_count,
        arg_min(claim_id, (partition_date, claim_id)) as first_claim_id
    from members
    {% if is_incremental() %}
        where theme_id in (select theme_id from touched)
    {% endif %}
    group by theme_id
),

joined as (
    select
        -- ids
        aggregated.theme_id,
        aggregated.first_claim_id,

        -- text
        labels.label,

        -- numbers
        aggregated.claim_count,
        aggregated.show_count,

        -- times
        aggregated.first_seen_date,
        aggregated.last_seen_date
    from aggregated
    inner join labels on aggregated.theme_id = labels.theme_id
)

select * from joined
