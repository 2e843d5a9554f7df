with

claims as (
    select * from {{ ref('stg_claims') }}
),

scores as (
    select * from {{ ref('stg_claim_scores') }}
),

repetition as (
    select * from {{ ref('int_claim_repetition') }}
),

-- What a show says again and again is an advertisement, an intro or a trailer, whatever it scores.
scored as (
    select
        claims.claim_id,
        claims.episode_id,
        claims.partition_date,
        if(scores.score is not null and repetition.is_repeated, 0, scores.score) as score,
        if(
            scores.score is not null and repetition.is_repeated,
            'said nearly word for word in other episodes of the show',
            scores.score_reason
        ) as score_reason,
        scores.novelty,
        scores.specificity,
        scores.evidence,
        scores.significance,
        scores.scorer,
        scores.scorer_version,
        claims.first_segment
    from claims
    left join scores on claims.claim_id = scores.claim_id and claims.partition_date = scores.partition_date
    left join repetition
        on claims.claim_id = repetition.claim_id and claims.partition_date = repetition.partition_date
),

ranked as (
    select
        * exclude (first_segment),
        case
            when score is not null
                then
                    row_number() over (
                        partition by episode_id, partition_date
                        order by score desc nulls last, first_segment asc, claim_id asc
                    )
        end as rank_in_episode
    from scored
)

select * from ranked
