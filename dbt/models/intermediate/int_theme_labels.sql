with

members as (
    select * from {{ ref('int_theme_members') }}
),

likeness as (
    select
        one.theme_id,
        one.claim_id,
        one.headline,
        one.partition_date,
        avg(list_cosine_similarity(one.embedding, other.embedding)) as mean_similarity
    from members as one
    inner join members as other on one.theme_id = other.theme_id
    group by all
),

labels as (
    select
        theme_id,
        headline as label,
        claim_id as label_claim_id
    from likeness
    qualify
        row_number() over (
            partition by theme_id
            order by round(mean_similarity, 6) desc, partition_date asc, claim_id asc
        ) = 1
)

select * from labels
