-- The claims of every theme that has pages and that was touched on $since or later.
select
    mentions.*,
    coalesce(themes.label, mentions.headline) as label
from mentions
inner join told_themes on mentions.theme_id = told_themes.theme_id
left join marts.themes as themes on mentions.theme_id = themes.theme_id
where told_themes.touched_on >= $since
order by mentions.theme_id asc, mentions.said_on asc, mentions.score desc nulls last, mentions.claim_id asc
