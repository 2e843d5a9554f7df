-- The five of $day and those in line behind them.
select
    shortlist.claim_id,
    shortlist.theme_id,
    shortlist.rank,
    shortlist.strength,
    shortlist.is_update,
    shortlist.same_story,
    mentions.show_id,
    mentions.show_title,
    mentions.headline,
    mentions.insight
from marts.shortlist as shortlist
inner join mentions on shortlist.claim_id = mentions.claim_id
where shortlist.digest_date = $day
order by shortlist.rank
