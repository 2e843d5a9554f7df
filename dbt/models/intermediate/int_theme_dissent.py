"""Which claims of a theme contradict each other: those of the days to derive, and of the month before each."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days")
    from include.themes import dissent
    from include.warehouse import partition

    days = partition.days_to_derive(dbt.source("raw", "days_to_derive"), dbt, dbt.config.get("reach"))
    members = dbt.ref("int_theme_members").project("theme_id, claim_id, episode_id, partition_date, insight")
    recent = members.filter(days.within(before=dissent.DAYS_COMPARED)).set_alias("recent")
    touched = recent.filter(days.within()).project("theme_id").distinct().set_alias("touched")
    told = recent.join(touched, "recent.theme_id = touched.theme_id").project("recent.*")
    return dissent.derive(told.df(), days.first)
