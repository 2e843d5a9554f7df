with

claims as (
    select * from {{ ref('stg_claims') }}
),

episodes as (
    select * from {{ ref('stg_episodes') }}
),

claim_themes as (
    select * from {{ ref('int_claim_themes') }}
),

scored as (
    select * from {{ ref('int_claims_scored') }}
),

transcripts as (
    select * from {{ ref('stg_transcripts') }}
),

joined as (
    select
        -- ids
        claims.claim_id,
        claims.episode_id,
        claim_themes.theme_id,

        -- text
        claims.headline,
        claims.insight,
        claims.quote,
        claims.speaker,
        claims.kind,
        case
            when episodes.audio_url is not null and claims.start_seconds is not null
                then episodes.audio_url || '#t=' || cast(floor(claims.start_seconds) as integer)
            else coalesce(episodes.episode_url, episodes.audio_url)
        end as listen_url,
        scored.score_reason,
        transcripts.transcript_source,
        transcripts.transcript_marks,
        claims.extractor,
        scored.scorer,
        claims.prompt_version,
        scored.scorer_version,

        -- numbers
        claims.start_seconds,
        claims.first_segment,
        claims.last_segment,
        scored.score,
        scored.novelty,
        scored.specificity,
        scored.evidence,
        scored.significance,
        scored.rank_in_episode,

        -- times
        claims.partition_date
    from claims
    inner join episodes on claims.episode_id = episodes.episode_id and claims.partition_date = episodes.partition_date
    inner join claim_themes
        on claims.claim_id = claim_themes.claim_id and claims.partition_date = claim_themes.partition_date
    inner join transcripts
        on claims.episode_id = transcripts.episode_id and claims.partition_date = transcripts.partition_date
    left join scored on claims.claim_id = scored.claim_id and claims.partition_date = scored.partition_date
    where {{ to_derive('claims.partition_date') }}
)

select * from joined
