-- What the digest of $day could not take into account, and why; a feed that has failed for $failing_days also says
-- since when.
with

last_tries as (
    select
        episode_id,
        source,
        arg_max(error, tries) as error
    from ops.transcription_jobs
    group by episode_id, source
    -- What became of an episode's audio says more than that its publisher has no transcript.
    qualify source <> 'publisher' or count(*) over (partition by episode_id) = 1
),

troubles as (
    select
        episode_id,
        string_agg(error, '; ' order by source) as error
    from last_tries
    where error is not null
    group by episode_id
),

feeds as (
    select
        1 as part,
        -- A show that has no title yet is known by its host.
        coalesce(show_title, regexp_extract(feed_url, '://(?:[^/]*@)?([^/?#]+)', 1)) as what,
        coalesce(reason, status)
        || if(failing_days >= $failing_days, strftime(failing_since, '; failing since %-d %B %Y'), '') as reason
    from ops.feed_status
    where partition_date = $day and status in ('failed', 'blocked', 'skipped')
),

episodes as (
    select
        2 as part,
        episodes.show_title || ': ' || episodes.title as what,
        coalesce(
            troubles.error,
            case episodes.transcript_status when 'none' then 'no transcript is offered' else 'no transcript yet' end
        ) as reason
    from marts.episodes as episodes
    left join troubles on episodes.episode_id = troubles.episode_id
    where episodes.partition_date = $day and episodes.transcript_status is distinct from 'ok'
),

parts as (
    select
        3 as part,
        episodes.show_title || ': ' || episodes.title as what,
        count(*) || if(count(*) = 1, ' part', ' parts') || case dropped.reason
            when 'skipped_budget' then ' not read, as the budget was spent'
            when 'refused' then ' refused by the chat model'
            else ' not read, as the chat model gave no answer'
        end as reason
    from ops.dropped_claims as dropped
    inner join marts.episodes as episodes on dropped.episode_id = episodes.episode_id
    where dropped.partition_date = $day and dropped.quote = '' and dropped.reason <> 'language'
    group by episodes.show_title, episodes.title, dropped.reason
),

in_other_languages as (
    select
        2 as part,
        count(distinct episode_id)
        || if(count(distinct episode_id) = 1, ' episode in ', ' episodes in ') || detail as what,
        'not read, as the bundled model reads English alone; a chat model reads it' as reason
    from ops.dropped_claims
    where partition_date = $day and reason = 'language'
    group by detail
),

ungrounded as (
    select
        4 as part,
        count(*) || if(count(*) = 1, ' claim', ' claims') as what,
        'the transcript does not bear them out' as reason
    from ops.dropped_claims
    where
        partition_date = $day
        and reason in ('quote_not_found', 'wrong_speaker', 'unsupported_number', 'unsupported_name')
    having count(*) > 0
),

claims_of_day as (
    select
        claim_id,
        score
    from marts.claims
    where partition_date = $day
),

unanswered as (
    select
        call_key,
        subject_id,
        task,
        status,
        error
    from ops.llm_calls as calls
    where
        status not in ('ok', 'truncated')
        and subject_id in (select claim_id from claims_of_day)
        and not (
            status = 'malformed'
            and exists (
                select 1 from ops.llm_calls as again
                where again.subject_id = calls.subject_id and again.task = calls.task and again.status = 'ok'
            )
        )
),

-- A question asks to rate several claims, and is recorded under the first of them.
unrated as (
    select
        greatest(
            count(distinct unanswered.subject_id), count(distinct claims_of_day.claim_id)
        ) as claims,
        coalesce(any_value(unanswered.error order by unanswered.call_key), any_value(unanswered.status)) as reason
    from unanswered
    left join claims_of_day on claims_of_day.score is null
    where unanswered.task <> 'same_story'
    having count(*) > 0
),

not_rated as (
    select
        5 as part,
        claims || if(claims = 1, ' claim', ' claims') || ' not rated' as what,
        reason
    from unrated
),

not_compared as (
    select
        5 as part,
        count(distinct subject_id) || if(count(distinct subject_id) = 1, ' claim', ' claims')
        || ' not compared with all that is like it' as what,
        coalesce(any_value(error order by call_key), status) as reason
    from unanswered
    where task = 'same_story'
    group by status
),

set_aside as (
    select
        6 as part,
        count(*) || ' ' || if(count(*) = 1, regexp_replace(door, 's$', ''), door) as what,
        any_value(reason order by row_key) as reason
    from ops.rejected_rows
    where partition_date = $day
    group by door, rule
),

left_out as (
    select * from feeds
    union all
    select * from episodes
    union all
    select * from parts
    union all
    select * from in_other_languages
    union all
    select * from ungrounded
    union all
    select * from not_rated
    union all
    select * from not_compared
    union all
    select * from set_aside
)

select
    what,
    reason
from left_out
-- Where there is much of one kind, it does not push out the others.
order by row_number() over (partition by part order by what, reason) > 10, part, what, reason
