with

members as (
    select * from {{ ref('int_theme_members') }}
),

tellings as (
    select
        theme_id,
        claim_id,
        partition_date,
        recording_show_id
    from {{ ref('int_theme_members') }}
),

scored as (
    select * from {{ ref('int_claims_scored') }}
),

stories as (
    select * from {{ ref('int_claim_stories') }}
),

gone as (
    select * from {{ ref('int_gone_claims') }}
),

candidates as (
    select
        members.partition_date,
        members.claim_id,
        members.theme_id,
        members.recording_show_id as show_id,
        members.episode_id,
        members.headline,
        members.insight,
        members.extractor,
        members.start_seconds,
        members.embedding,
        scored.score,
        scored.score_reason,
        stories.story,
        stories.telling,
        stories.strength as story_strength,
        stories.show_count as story_show_count
    from members
    inner join scored on members.claim_id = scored.claim_id and members.partition_date = scored.partition_date
    left join stories on members.claim_id = stories.claim_id and members.partition_date = stories.partition_date
    where scored.score is not null
),

theme_days as (
    select distinct
        theme_id,
        partition_date
    from candidates
),

-- Within a month, so that what a day says depends on no more than that.
shows_so_far as (
    select
        theme_days.theme_id,
        theme_days.partition_date,
        count(distinct tellings.recording_show_id) as show_count
    from theme_days
    inner join tellings
        on
            theme_days.theme_id = tellings.theme_id
            and tellings.partition_date between theme_days.partition_date - 30 and theme_days.partition_date
    anti join gone
        on
            tellings.claim_id = gone.claim_id
            and theme_days.partition_date >= gone.left_on
            and theme_days.partition_date < gone.back_on
    group by all
),

counted as (
    select
        candidates.*,
        shows_so_far.show_count
    from candidates
    inner join shows_so_far
        on candidates.theme_id = shows_so_far.theme_id and candidates.partition_date = shows_so_far.partition_date
)

select * from counted
