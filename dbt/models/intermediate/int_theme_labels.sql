with

members as (
    select * from {{ ref('int_theme_members') }}
),

likeness as (
    select
        claim.theme_id,
        claim.claim_id,
        claim.headline,
        claim.partition_date,
        avg(list_cosine_similarity(claim.embedding, peer.embedding)) as mean_similarity
    from members as claim
    inner join members as peer on claim.theme_id = peer.theme_id
    group by all
),

labels as (
    select
        theme_id,
        headline as label
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
