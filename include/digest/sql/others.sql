-- What other recordings say up to $day of the claims $claim_ids of its digest, a claim a show: of the same theme the
-- best, of other themes (`is_close`) the likest.
with

chosen as (
    select
        mentions.claim_id as chosen_claim_id,
        picks.theme_id as chosen_theme_id,
        mentions.theme_id,
        mentions.recording_show_id
    from marts.shortlist as picks
    inner join mentions on picks.claim_id = mentions.claim_id
    where picks.digest_date = $day and list_contains($claim_ids, picks.claim_id)
),

of_the_theme as (
    select
        chosen.chosen_claim_id,
        false as is_close,
        mentions.score as worth,
        mentions.*
    from chosen
    inner join mentions on chosen.chosen_theme_id = mentions.theme_id
    where chosen.recording_show_id <> mentions.recording_show_id
),

of_other_themes as (
    select
        chosen.chosen_claim_id,
        true as is_close,
        related.likeness as worth,
        mentions.*
    from chosen
    inner join marts.related_claims as related on chosen.chosen_claim_id = related.claim_id
    inner join mentions on related.related_claim_id = mentions.claim_id
    where chosen.theme_id <> mentions.theme_id
),

others as (
    select * from of_the_theme
    union all
    select * from of_other_themes
)

select * exclude (worth)
from others
where
    said_on <= $day
    and show_id not in (
        select show_id from ops.absent_shows
        where $day >= left_on and $day < coalesce(back_on, date 'infinity') and left_on > said_on
    )
qualify
    row_number() over (
        partition by chosen_claim_id, is_close, show_id
        order by worth desc nulls last, said_on desc, claim_id asc
    ) = 1
order by chosen_claim_id asc, is_close asc, worth desc nulls last, said_on desc, claim_id asc
