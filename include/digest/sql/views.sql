-- What the questions of the digest and the pages share. Temporary, so that a copy opened for reading alone takes them.

-- grain: a claim, as a reader meets it
create or replace temp view mentions as
select
    claims.claim_id,
    claims.theme_id,
    claims.headline,
    claims.insight,
    claims.quote,
    claims.speaker,
    claims.extractor,
    claims.listen_url,
    claims.start_seconds,
    claims.score,
    claims.partition_date as said_on,
    episodes.show_id,
    episodes.recording_show_id,
    episodes.show_title,
    episodes.title as episode_title,
    episodes.episode_url
from marts.claims as claims
inner join marts.episodes as episodes on claims.episode_id = episodes.episode_id;

-- grain: a day that has a digest, with or without insights
create or replace temp view digest_days as
select partition_date as day from ops.feed_status
union
select partition_date from marts.episodes
union
select digest_date from marts.shortlist;

-- grain: what was asked of a chat model for a day: its episodes, its claims, the day itself
create or replace temp view asked_about as
select
    partition_date,
    episode_id as subject_id
from marts.episodes
union
select
    partition_date,
    claim_id
from marts.claims
union
select
    day,
    strftime(day, '%Y-%m-%d') as subject_id
from digest_days;
