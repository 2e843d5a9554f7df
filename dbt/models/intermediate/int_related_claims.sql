{{ config(materialized='incremental', incremental_strategy='replace_days') }}

with

members as (
    select * from {{ ref('int_theme_members') }}
),

stories as (
    select
        claim_id,
        story,
        partition_date
    from {{ ref('int_claim_stories') }}
    where {{ to_derive('partition_date') }}
),

insights as (
    select claim_id
    from {{ ref('int_daily_five') }}
    where rank <= {{ var('seats') }} and {{ to_derive('digest_date', before=90) }}
),

told as (
    select members.*
    from members
    inner join insights on members.claim_id = insights.claim_id
    where {{ to_derive('members.partition_date', before=90) }}
),

-- What is said three months apart is hardly of one conversation, and each day costs by the claims of that time only.
recent as (
    select * from members
    where {{ to_derive('partition_date', before=90) }}
),

pairs as (
    select
        told.claim_id,
        recent.claim_id as related_claim_id,
        told.theme_id = recent.theme_id as is_same_theme,
        told.embedding,
        recent.embedding as related_embedding,
        recent.partition_date
    from told
    inner join recent on told.partition_date between recent.partition_date - 90 and recent.partition_date
    where
        told.recording_show_id <> recent.recording_show_id
        and {{ to_derive('recent.partition_date') }}
    union all
    select
        told.claim_id,
        recent.claim_id as related_claim_id,
        told.theme_id = recent.theme_id as is_same_theme,
        told.embedding,
        recent.embedding as related_embedding,
        told.partition_date
    from told
    inner join recent
        on told.partition_date > recent.partition_date and told.partition_date - 90 <= recent.partition_date
    where
        told.recording_show_id <> recent.recording_show_id
        and {{ to_derive('told.partition_date') }}
),

verdicts as (
    select
        claim_id,
        other_claim_id,
        verdict
    from {{ ref('stg_story_pairs') }}
    where {{ to_derive('partition_date') }}
    union all
    select
        other_claim_id,
        claim_id,
        verdict
    from {{ ref('stg_story_pairs') }}
    where {{ to_derive('partition_date') }}
),

-- What tells the same story of a day, though its themes may differ.
of_one_story as (
    select
        told.claim_id,
        others.claim_id as related_claim_id
    from stories as told
    inner join stories as others on told.partition_date = others.partition_date and told.story = others.story
),

compared as (
    select
        pairs.claim_id,
        pairs.related_claim_id,
        pairs.is_same_theme,
        round(cast(list_cosine_similarity(pairs.embedding, pairs.related_embedding) as double), 4) as likeness,
        of_one_story.claim_id is not null as is_one_story,
        verdicts.verdict,
        pairs.partition_date
    from pairs
    left join verdicts
        on pairs.claim_id = verdicts.claim_id and pairs.related_claim_id = verdicts.other_claim_id
    left join of_one_story
        on pairs.claim_id = of_one_story.claim_id and pairs.related_claim_id = of_one_story.related_claim_id
),

-- Chosen by reading pairs of two days of ten shows: from 0.5 on most speak of one matter, below they share a field.
-- Those that share the names of a day's story as well need be less alike.
related as (
    select * exclude (verdict, is_one_story)
    from compared
    where
        is_same_theme
        or verdict = 'same'
        or (likeness >= case when is_one_story then 0.3 else 0.5 end and verdict is distinct from 'different')
)

select * from related
