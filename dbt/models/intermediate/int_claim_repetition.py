"""Which claims their show says nearly word for word in other episodes of the month before."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days")
    from include.claims import repetition
    from include.warehouse import partition

    days = partition.days_to_derive(dbt.source("raw", "days_to_derive"), dbt, dbt.config.get("reach"))
    compared = days.within(before=repetition.DAYS_COMPARED)
    claims = dbt.ref("stg_claims").filter(days.within())
    episodes = dbt.ref("stg_episodes").filter(compared)
    segments = dbt.ref("stg_transcript_segments").filter(compared)
    quotes: dict[str, list[tuple[str, str]]] = {}
    for episode_id, claim_id, quote in claims.project("episode_id, claim_id, quote").fetchall():
        quotes.setdefault(episode_id, []).append((claim_id, quote))
    asked = claims.set_alias("claims").join(episodes.set_alias("episodes"), "claims.episode_id = episodes.episode_id")
    shows = asked.project("episodes.show_id").distinct()
    said = segments.aggregate("episode_id, string_agg(text, ' ' order by segment_index) as said", "episode_id")
    read = (
        episodes.set_alias("episodes")
        .join(shows.set_alias("shows"), "episodes.show_id = shows.show_id")
        .join(said.set_alias("said"), "episodes.episode_id = said.episode_id")
        .project("episodes.show_id, episodes.partition_date, episodes.episode_id, said.said")
        .order("show_id, partition_date, episode_id")
    )
    # Few at a time, so that a history of transcripts need not fit into memory.
    some = iter(lambda: read.fetchmany(20), [])
    return repetition.derive((dict(zip(read.columns, row, strict=True)) for rows in some for row in rows), quotes)
