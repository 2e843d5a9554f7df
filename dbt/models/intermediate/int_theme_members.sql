with

claim_themes as (
    select * from {{ ref('int_claim_themes') }}
),

claims as (
    select * from {{ ref('stg_claims') }}
),

episodes as (
    select * from {{ ref('stg_episodes') }}
),

embeddings as (
    select * from {{ ref('stg_claim_embeddings') }}
),

recordings as (
    select * from {{ ref('int_recordings') }}
),

members as (
    select
        claim_themes.theme_id,
        claims.claim_id,
        claims.episode_id,
        episodes.show_id,
        recordings.recording_show_id,
        claims.partition_date,
        claims.headline,
        claims.insight,
        claims.extractor,
        claims.start_seconds,
        embeddings.embedding
    from claim_themes
    inner join claims
        on claim_themes.claim_id = claims.claim_id and claim_themes.partition_date = claims.partition_date
    inner join episodes on claims.episode_id = episodes.episode_id and claims.partition_date = episodes.partition_date
    inner join recordings
        on claims.episode_id = recordings.episode_id and claims.partition_date = recordings.partition_date
    left join embeddings
        on claims.claim_id = embeddings.claim_id and claims.partition_date = embeddings.partition_date
)

select * from members
