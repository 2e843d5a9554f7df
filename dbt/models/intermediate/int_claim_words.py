"""The rare words of each claim and of what was said around it."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days")
    from include.themes.rare_words import rare_words_of
    from include.warehouse import partition

    days = partition.days_to_derive(dbt.source("raw", "days_to_derive"), dbt)
    return rare_words_of(dbt.ref("int_claim_surroundings").filter(days.within()).df())
