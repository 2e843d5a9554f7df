-- What Python lands. Every statement may run again on an existing warehouse. All times are UTC. Addresses stand as they
-- are in raw alone: elsewhere without their secrets (`without_secrets`, made of `include/addresses.py`).
create schema if not exists raw;
create schema if not exists ops;

-- grain: a feed, as last seen; `moved_to` is asked in place of `feed_url`, `blocked` says that it must not be
-- used, `remark` what of it was read on an assumption
create table if not exists raw.feeds (
    feed_url varchar primary key,
    show_id varchar,
    show_title varchar,
    language varchar,
    etag varchar,
    last_modified varchar,
    content_hash varchar,
    parser varchar,
    moved_to varchar,
    blocked varchar,
    remark varchar
);
alter table raw.feeds add column if not exists parser varchar;
alter table raw.feeds add column if not exists moved_to varchar;
alter table raw.feeds add column if not exists blocked varchar;
alter table raw.feeds add column if not exists remark varchar;

-- grain: an item of a feed, as last seen; an item that cannot become an episode says why in `problem`
create table if not exists raw.feed_items (
    feed_url varchar,
    position integer,
    episode_id varchar,
    show_id varchar,
    show_title varchar,
    guid varchar,
    title varchar,
    description varchar,
    published_at timestamp,
    episode_url varchar,
    audio_url varchar,
    audio_type varchar,
    duration_seconds integer,
    persons varchar[],
    transcripts json,
    language varchar,
    explicit boolean,
    season integer,
    episode_number double,
    chapters_url varchar,
    problem varchar,
    in_future boolean
);
alter table raw.feed_items add column if not exists season integer;
alter table raw.feed_items add column if not exists episode_number double;
alter table raw.feed_items add column if not exists chapters_url varchar;
alter table raw.feed_items add column if not exists in_future boolean;

-- grain: a feed and day; kept as it is while a later reading of the same day finds the same
create table if not exists raw.feed_fetches (
    feed_url varchar,
    partition_date date,
    show_title varchar,
    status varchar,
    reason varchar,
    http_status integer,
    item_count integer,
    episode_count integer,
    fetched_at timestamp,
    made_up_on date
);
alter table raw.feed_fetches add column if not exists made_up_on date;

-- grain: an episode
create table if not exists raw.episodes (
    episode_id varchar,
    partition_date date,
    feed_url varchar,
    show_id varchar,
    show_title varchar,
    guid varchar,
    title varchar,
    description varchar,
    published_at timestamp,
    episode_url varchar,
    audio_url varchar,
    audio_type varchar,
    duration_seconds integer,
    persons varchar[],
    transcripts json,
    language varchar,
    explicit boolean,
    season integer,
    episode_number double,
    chapters_url varchar
);
alter table raw.episodes add column if not exists season integer;
alter table raw.episodes add column if not exists episode_number double;
alter table raw.episodes add column if not exists chapters_url varchar;

-- grain: an episode whose transcript was looked for
create table if not exists raw.transcripts (
    episode_id varchar,
    partition_date date,
    status varchar,
    source varchar,
    format varchar,
    url varchar,
    language varchar,
    segment_count integer,
    word_count integer,
    has_times boolean,
    has_speakers boolean,
    content_hash varchar,
    error varchar,
    quality_marks varchar[],
    publisher_status varchar,
    publisher_error varchar
);
alter table raw.transcripts add column if not exists quality_marks varchar[];
alter table raw.transcripts add column if not exists publisher_status varchar;
alter table raw.transcripts add column if not exists publisher_error varchar;

-- grain: a try of a source at a recording; it follows the state (`include/warehouse/mirror.py`)
create table if not exists raw.transcription_jobs (
    job_key varchar primary key,
    episode_id varchar,
    partition_date date,
    source varchar,
    try_number integer,
    status varchar,
    audio_url varchar,
    estimated_hours double,
    estimated_cost_usd double,
    sent_url varchar,
    service_id varchar,
    spent_on date,
    hours double,
    cost_usd double,
    error varchar,
    model varchar,
    language varchar,
    marks varchar[],
    segments varchar,
    begun_at timestamp,
    ended_at timestamp
);
alter table raw.transcription_jobs add column if not exists interruptions integer;

-- grain: a stretch of speech; `text_as_heard` is what a speech model made of it, where the dictionary changed that
create table if not exists raw.transcript_segments (
    episode_id varchar,
    partition_date date,
    segment_index integer,
    speaker varchar,
    start_seconds double,
    end_seconds double,
    text varchar,
    text_as_heard varchar
);
alter table raw.transcript_segments add column if not exists text_as_heard varchar;

-- grain: an episode whose transcript was read for claims; `extraction_key` names transcript, extractor and version
create table if not exists raw.extractions (
    episode_id varchar,
    partition_date date,
    extraction_key varchar,
    extractor varchar,
    prompt_version varchar,
    claim_count integer,
    dropped_count integer,
    status varchar,
    error varchar
);

-- grain: a claim
create table if not exists raw.claims (
    claim_id varchar,
    episode_id varchar,
    partition_date date,
    quote varchar,
    headline varchar,
    insight varchar,
    speaker varchar,
    first_segment integer,
    last_segment integer,
    start_seconds double,
    kind varchar,
    features json,
    extractor varchar,
    prompt_version varchar
);

-- grain: a claim and embedding model
create table if not exists raw.claim_embeddings (
    claim_id varchar,
    partition_date date,
    model varchar,
    embedding float[]
);

-- grain: a claim; the score it was given last
create table if not exists raw.claim_scores (
    claim_id varchar,
    partition_date date,
    scorer varchar,
    prompt_version varchar,
    score double,
    novelty double,
    specificity double,
    evidence double,
    significance double,
    reason varchar
);

-- grain: two texts, a chat model and a version of its question; what it said of them
create table if not exists raw.story_verdicts (
    pair_key varchar primary key,
    verdict varchar
);

-- grain: a claim and another, earlier or of a smaller id, of which one is among the likest to the other; `verdict` is
-- null until a chat model gave one
create table if not exists raw.story_pairs (
    claim_id varchar,
    other_claim_id varchar,
    partition_date date,
    likeness double,
    verdict varchar,
    judge varchar,
    prompt_version varchar
);

-- grain: a question asked of a chat model; it follows the state
create table if not exists raw.llm_calls (
    call_key varchar primary key,
    subject_id varchar,
    task varchar,
    provider_model varchar,
    prompt_version varchar,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd double,
    latency_seconds double,
    status varchar,
    error varchar,
    answer varchar,
    called_at timestamp
);

-- one row: when the tables that follow the state were last brought up to it
create table if not exists raw.mirrored (
    brought_at timestamp
);

-- grain: some days that a reader has yet to derive again: an incremental model of dbt, since what it reads of these days
-- changed or a build of them began; a table of raw, whose change no build has passed on yet; or, named `copy of` a mart,
-- the analysts' copy. No `last_day`: to the end
create table if not exists raw.days_to_derive (
    model varchar,
    first_day date,
    last_day date
);
alter table raw.days_to_derive add column if not exists last_day date;

-- grain: a task of a day's runs, as it went the last time it ended well
create table if not exists raw.step_times (
    partition_date date,
    dag varchar,
    task varchar,
    begun_at timestamp,
    ended_at timestamp,
    primary key (partition_date, dag, task)
);

-- grain: a claim that did not survive, and why
create table if not exists ops.dropped_claims (
    episode_id varchar,
    partition_date date,
    quote varchar,
    reason varchar,
    detail varchar,
    extractor varchar,
    prompt_version varchar
);

-- grain: a row that was set aside at a door into raw, and why
create table if not exists ops.rejected_rows (
    door varchar,
    partition_date date,
    row_key varchar,
    rule varchar,
    reason varchar,
    "row" json
);

-- grain: a run of the maintenance and a kind of thing that it removed since it was older than the settings keep it
create table if not exists ops.removals (
    removed_at timestamp,
    what varchar,
    older_than date,
    count bigint,
    bytes bigint
);

-- grain: a digest and recipient; it follows the state
create table if not exists ops.deliveries (
    digest_date date,
    recipient varchar,
    status varchar,
    channel varchar,
    message_id varchar,
    pending_at timestamp,
    sent_at timestamp,
    error varchar,
    due_at timestamp,
    primary key (digest_date, recipient)
);
alter table ops.deliveries add column if not exists due_at timestamp;

-- grain: a digest, recipient and rank; the insights that a mail held; it follows the state
create table if not exists ops.sent_insights (
    digest_date date,
    recipient varchar,
    rank integer,
    claim_id varchar,
    theme_id varchar
);

-- grain: a feed and day. `status`: ok (with episodes of that day), unchanged (read, without), empty (no items at all),
-- moved (read, from an address that is asked from now on), failed, blocked (the publisher forbids it); `reason` says why.
-- `failing_since`: of a failed row, the first day of the failures in a row that it belongs to; `failing_days`: how many
-- days those are so far, the first and its own included. Null on every other row. `made_up_on`: the day whose run read
-- the feed for this earlier one, since it could not be read that night or nothing ran (`reason` says which).
create or replace view ops.feed_status as
with

runs as (
    select
        *,
        count(*) filter (where status <> 'failed') over (partition by feed_url order by partition_date) as run
    from raw.feed_fetches
),

failing as (
    select
        *,
        case
            when status = 'failed'
                then min(partition_date) filter (where status = 'failed') over (partition by feed_url, run)
        end as failing_since
    from runs
)

select
    without_secrets(feed_url) as feed_url,
    coalesce(
        show_title, nullif(regexp_extract(feed_url, '://(?:[^/?#@]*@)?([^/?#]+)', 1), ''), without_secrets(feed_url)
    ) as show_title,
    partition_date,
    status,
    without_secrets(reason) as reason,
    http_status,
    item_count,
    episode_count,
    fetched_at,
    made_up_on,
    failing_since,
    date_diff('day', failing_since, partition_date) + 1 as failing_days
from failing;

-- grain: a show and a time that it was not on the list of feeds: from `left_on` on, the first day that was run without
-- it, until `back_on`, null while it is away. Days that were made up tell nothing of the list.
create or replace view ops.absent_shows as
with

days as (
    select partition_date, row_number() over (order by partition_date) as place
    from (select distinct partition_date from raw.feed_fetches where made_up_on is null)
),

listed as (
    select distinct feeds.show_id, days.partition_date, days.place
    from raw.feed_fetches as fetches
    inner join raw.feeds as feeds using (feed_url)
    inner join days using (partition_date)
),

followed as (
    select
        show_id,
        place,
        lead(place) over (partition by show_id order by place) as next_place,
        lead(partition_date) over (partition by show_id order by place) as next_date
    from listed
)

select followed.show_id, days.partition_date as left_on, followed.next_date as back_on
from followed
inner join days on days.place = followed.place + 1
where followed.next_place is distinct from followed.place + 1;

-- grain: an item of a feed that is no episode, or not yet, and why
create or replace view ops.skipped_items as
select
    without_secrets(feed_url) as feed_url,
    show_title,
    position,
    without_secrets_of(feed_url, guid) as guid,
    title,
    published_at,
    coalesce(problem, 'the publication date was in the future when the feed was read; it waits for that day') as problem
from raw.feed_items
where problem is not null or (in_future and episode_id not in (select episode_id from raw.episodes));

-- grain: an episode, source and try; what a publisher offers is free and counted as one try
create or replace view ops.transcription_jobs as
select
    episode_id, partition_date, source, try_number as tries, status, without_secrets(audio_url) as url, service_id as job_id,
    hours, cost_usd, estimated_hours, estimated_cost_usd, spent_on, model, marks as quality_marks, without_secrets(error) as error,
    begun_at, ended_at
from raw.transcription_jobs
union all by name
select
    episode_id, partition_date, 'publisher' as source, 1 as tries,
    coalesce(publisher_status, status) as status,
    case when source = 'publisher' then without_secrets(url) end as url,
    0.0 as cost_usd,
    case when source = 'publisher' then quality_marks end as quality_marks,
    without_secrets(coalesce(publisher_error, case when publisher_status is null then error end)) as error
from raw.transcripts;

create or replace view ops.llm_calls as
select
    call_key, subject_id, task, provider_model, prompt_version, input_tokens, output_tokens, cost_usd,
    latency_seconds, status, error, answer, called_at
from raw.llm_calls;

-- grain: a claim and another, earlier or of a smaller id; what a chat model says of the two
create or replace view ops.story_pairs as
select claim_id, other_claim_id, partition_date, likeness, verdict, judge, prompt_version
from raw.story_pairs;

-- grain: a day that was run. Seconds are what the tasks of a stage took, each as it went the last time; what waited for
-- its turn, and days before this was noted, have none. `shows`, `episodes` and `hours` are those that were read, `usd`
-- what the day's episodes and claims cost whenever it was paid, `mails` how many recipients have the digest.
create or replace view ops.runs as
with

stages as (
    select
        partition_date,
        sum(epoch(ended_at - begun_at)) filter (where dag = 'ingest_episodes') as ingest_seconds,
        sum(epoch(ended_at - begun_at)) filter (where dag = 'transcribe_episodes') as transcribe_seconds,
        sum(epoch(ended_at - begun_at)) filter (where dag = 'build_claims') as claims_seconds,
        sum(epoch(ended_at - begun_at)) filter (where dag = 'score_claims') as scores_seconds,
        sum(epoch(ended_at - begun_at)) filter (where dag = 'publish_digest') as digest_seconds,
        max(ended_at) as ended_at
    from raw.step_times
    group by partition_date
),

feeds as (
    select
        partition_date,
        count(*) as feeds,
        count(*) filter (where status = 'failed') as feeds_failed
    from raw.feed_fetches
    group by partition_date
),

episodes as (
    select
        episodes.partition_date,
        count(*) as episodes,
        count(distinct episodes.show_id) as shows,
        sum(coalesce(episodes.duration_seconds, transcripts.word_count * 60 / 170)) / 3600 as hours
    from raw.episodes as episodes
    inner join raw.transcripts as transcripts using (episode_id)
    where
        transcripts.status = 'ok'
        and episodes.episode_id not in (select episode_id from ops.dropped_claims where reason = 'language')
    group by episodes.partition_date
),

claims as (
    select partition_date, count(*) as claims
    from raw.claims
    group by partition_date
),

dropped as (
    select partition_date, count(*) filter (where quote <> '') as dropped
    from ops.dropped_claims
    group by partition_date
),

days as (
    select partition_date from feeds
    union
    select partition_date from raw.episodes
    union
    select partition_date from stages
),

subjects as (
    select episode_id as subject_id, partition_date from raw.episodes
    union all
    select claim_id, partition_date from raw.claims
    union all
    select strftime(partition_date, '%Y-%m-%d'), partition_date from days
),

paid as (
    select partition_date, sum(usd) as usd
    from (
        select subjects.partition_date, calls.cost_usd as usd
        from ops.llm_calls as calls
        inner join subjects using (subject_id)
        union all
        select partition_date, cost_usd
        from ops.transcription_jobs
    )
    group by partition_date
),

mails as (
    select digest_date as partition_date, count(*) as mails
    from ops.deliveries
    where status = 'sent'
    group by digest_date
)

select
    days.partition_date,
    stages.ingest_seconds,
    stages.transcribe_seconds,
    stages.claims_seconds,
    stages.scores_seconds,
    stages.digest_seconds,
    stages.ended_at,
    coalesce(feeds.feeds, 0) as feeds,
    coalesce(feeds.feeds_failed, 0) as feeds_failed,
    coalesce(episodes.shows, 0) as shows,
    coalesce(episodes.episodes, 0) as episodes,
    coalesce(episodes.hours, 0) as hours,
    coalesce(claims.claims, 0) as claims,
    coalesce(dropped.dropped, 0) as dropped,
    coalesce(paid.usd, 0) as usd,
    coalesce(mails.mails, 0) as mails
from days
left join stages using (partition_date)
left join feeds using (partition_date)
left join episodes using (partition_date)
left join claims using (partition_date)
left join dropped using (partition_date)
left join paid using (partition_date)
left join mails using (partition_date);
