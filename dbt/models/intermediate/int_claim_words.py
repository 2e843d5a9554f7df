"""The rare words of each claim and of what was said around it, from the first day of this build on."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days")
    from include.themes.rare_words import rare_words_of
    from include.warehouse import partition

    surroundings = dbt.ref("int_claim_surroundings")
    if dbt.is_incremental:
        first_day = partition.first_day_to_derive(dbt.source("raw", "days_to_derive"), dbt.this.identifier)
        surroundings = surroundings.filter(f"partition_date >= date '{first_day}'")
    return rare_words_of(surroundings.df())
