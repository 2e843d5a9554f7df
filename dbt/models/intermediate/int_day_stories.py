"""What each day is about, derived from the first day of this build on and the names of the 32 days before it."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days")
    from include.themes import stories
    from include.warehouse import partition

    names, recordings = dbt.ref("int_episode_names"), dbt.ref("int_recordings")
    first_day = None
    if dbt.is_incremental:
        first_day = partition.first_day_to_derive(dbt.source("raw", "days_to_derive"), dbt.this.identifier)
        names = names.filter(f"partition_date >= date '{first_day}' - {stories.DAYS_READ}")
    told = (
        names.set_alias("names")
        .join(recordings.set_alias("recordings"), "names.episode_id = recordings.episode_id")
        .project("names.*, recordings.recording_show_id as show_id")
    )
    return stories.derive(told.df(), first_day)
