-- What was said around the quotes of claims whose themes have pages and were touched on $since or later: enough
-- segments for some sentences, as a segment is anything from a line of captions to a long speech.
select
    claims.claim_id,
    claims.quote,
    list(
        struct_pack(speaker := segments.speaker, text := segments.text)
        order by segments.segment_index
    ) as said
from marts.claims as claims
inner join met on claims.claim_id = met.claim_id
inner join marts.segments as segments
    on
        claims.partition_date = segments.partition_date
        and claims.episode_id = segments.episode_id
        and segments.segment_index between claims.first_segment - 12 and claims.last_segment + 12
where met.touched_on >= $since
group by claims.claim_id, claims.quote
