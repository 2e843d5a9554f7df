-- What is told of every theme of which a claim has a page and that was touched on $since or later: all claims of a
-- theme that several shows tell, else those that have pages.
select
    mentions.*,
    coalesce(themes.label, mentions.headline) as label,
    met.has_theme_page
from met
inner join mentions on met.claim_id = mentions.claim_id
left join marts.themes as themes on mentions.theme_id = themes.theme_id
where met.touched_on >= $since
order by mentions.theme_id asc, mentions.said_on asc, mentions.score desc nulls last, mentions.claim_id asc
