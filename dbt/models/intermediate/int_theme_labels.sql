{{ config(materialized='incremental', incremental_strategy='replace_themes') }}

with

members as (
    select * from {{ ref('int_theme_members') }}
    {% if is_incremental() %}
        -- A theme that has lost what was said last of it was told in the month before that, or not at all.
        where partition_date >= {{ first_day() }} - 60
    {% endif %}
),

{% if is_incremental() %}
    touched as (
        {{ themes_to_derive('members') }}
    ),
{% endif %}

recent as (
    select
        *,
        max(partition_date) over (partition by theme_id) as last_seen_date
    from members
    {% if is_incremental() %}
        where theme_id in (select theme_id from touched)
    {% endif %}
    qualify partition_date >= max(partition_date) over (partition by theme_id) - 30
),

likeness as (
    select
        claim.theme_id,
        claim.claim_id,
        claim.headline,
        claim.partition_date,
        claim.last_seen_date,
        avg(list_cosine_similarity(claim.embedding, peer.embedding)) as mean_similarity
    from recent as claim
    inner join recent as peer on claim.theme_id = peer.theme_id
    group by all
),

labels as (
    select
        theme_id,
        headline as label,
        last_seen_date
    from likeness
    qualify
        row_number() over (
            partition by theme_id
            order by
                len(string_split(headline, ' ')) > 12 asc,
                round(mean_similarity, 6) desc,
                partition_date asc,
                claim_id asc
        ) = 1
)

select * from labels
