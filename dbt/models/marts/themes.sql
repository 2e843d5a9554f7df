{{ config(incremental_strategy='replace_themes') }}

with

members as (
    select * from {{ ref('int_theme_members') }}
),

labels as (
    select * from {{ ref('int_theme_labels') }}
),

{% if is_incremental() %}
    touched as (
        {{ themes_to_derive('members') }}
    ),
{% endif %}

last_days as (
    select
        theme_id,
        max(partition_date) as last_day
    from members
    {% if is_incremental() %}
        where theme_id in (select theme_id from touched)
    {% endif %}
    group by theme_id
),

-- By its last day, a theme counts no show that had left the list.
counted as (
    select
        members.*,
        gone.claim_id is null as counts
    from members
    inner join last_days on members.theme_id = last_days.theme_id
    left join {{ ref('int_gone_claims') }} as gone
        on
            members.claim_id = gone.claim_id
            and last_days.last_day >= gone.left_on
            and last_days.last_day < gone.back_on
),

aggregated as (
    select
        theme_id,
        min(partition_date) as first_seen_date,
        max(partition_date) as last_seen_date,
        cast(count(*) filter (counts) as integer) as claim_count,
        cast(count(distinct recording_show_id) filter (counts) as integer) as show_count,
        arg_min(claim_id, (partition_date, claim_id)) as first_claim_id
    from counted
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
