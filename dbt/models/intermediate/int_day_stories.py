"""What each day is about, derived from its names and those of the 32 days before it."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days")
    from include.themes import stories
    from include.warehouse import partition

    days = partition.days_to_derive(dbt.source("raw", "days_to_derive"), dbt, dbt.config.get("reach"))
    of_the_days = days.within(before=stories.DAYS_READ)
    names, recordings = dbt.ref("int_episode_names").filter(of_the_days), dbt.ref("int_recordings").filter(of_the_days)
    told = (
        names.set_alias("names")
        .join(recordings.set_alias("recordings"), "names.episode_id = recordings.episode_id")
        .project("names.*, recordings.recording_show_id as show_id")
    )
    return stories.derive(told.df(), days.first)
