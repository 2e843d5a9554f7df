with

embeddings as (
    select * from {{ source('raw', 'claim_embeddings') }}
)

select
    -- ids
    claim_id,

    -- text
    model as embedding_model,

    -- numbers: an earlier bundled model gave the first part of today's numbers alone
    case
        when model = 'all-MiniLM-L6-v2-int8/windows-8' then list_resize(embedding, 576, 0.0::float)
        else embedding
    end as embedding,

    -- times
    partition_date

from embeddings
