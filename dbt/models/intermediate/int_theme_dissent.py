"""Which claims of a theme contradict each other; only claims from the first day of this build on are compared."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days")
    from include.themes import dissent
    from include.warehouse import partition

    members = dbt.ref("int_theme_members").project("theme_id, claim_id, episode_id, partition_date, insight")
    if not dbt.is_incremental:
        return dissent.derive(members.df())
    first_day = partition.first_day_to_derive(dbt.source("raw", "days_to_derive"), dbt.this.identifier)
    members = members.set_alias("members")
    touched = (
        members.filter(f"partition_date >= date '{first_day}'").project("theme_id").distinct().set_alias("touched")
    )
    told = members.join(touched, "members.theme_id = touched.theme_id").project("members.*")
    return dissent.derive(told.df(), first_day)
