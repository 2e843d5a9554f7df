-- The episodes of $day and their transcripts, those without one first.
select
    show_title,
    title,
    transcript_status,
    transcript_source,
    transcript_error,
    word_count,
    duration_seconds
from marts.episodes
where partition_date = $day
order by transcript_status = 'ok', show_title, title
