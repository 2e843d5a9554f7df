"""The names said in each transcript."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days")
    from include.themes.names import names_of_episodes
    from include.warehouse import partition

    days = partition.days_to_derive(dbt.source("raw", "days_to_derive"), dbt)
    episodes = dbt.ref("stg_episodes").filter(days.within())
    segments = dbt.ref("stg_transcript_segments").filter(days.within())
    said = segments.aggregate("episode_id, string_agg(text, ' ' order by segment_index) as said", "episode_id")
    read = (
        episodes.set_alias("episodes")
        .join(said.set_alias("said"), "episodes.episode_id = said.episode_id")
        .project(
            "episodes.episode_id, said.said, episodes.title, episodes.description, episodes.show_title, "
            "episodes.partition_date"
        )
        .order("partition_date, episode_id")
    )
    # Few at a time, so that a history of transcripts need not fit into memory.
    some = iter(lambda: read.fetchmany(20), [])
    return names_of_episodes(dict(zip(read.columns, row, strict=True)) for rows in some for row in rows)
