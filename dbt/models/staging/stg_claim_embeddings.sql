with

embeddings as (
    select * from {{ source('raw', 'claim_embeddings') }}
)

select
    -- ids
    claim_id,

    -- text
    model as embedding_model,

    -- numbers
    embedding,

    -- times
    partition_date

from embeddings
where model = '{{ embedding_model() }}'
