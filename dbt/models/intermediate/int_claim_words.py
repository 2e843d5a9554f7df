"""The rare words of each claim and of what was said around it, from the first day of this build on."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="append")
    from datetime import date

    from include.themes.rare_words import rare_words_of

    surroundings = dbt.ref("int_claim_surroundings")
    if dbt.is_incremental:
        first_day = date.fromisoformat(dbt.config.get("since").removeprefix("since "))
        surroundings = surroundings.filter(f"partition_date >= date '{first_day}'")
    return rare_words_of(surroundings.df())
