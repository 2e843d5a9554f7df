"""Which of its day's stories each claim tells, from the first day of this build on."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days")
    from include.themes import stories
    from include.warehouse import partition

    claims, surroundings = dbt.ref("stg_claims"), dbt.ref("int_claim_surroundings")
    found = dbt.ref("int_day_stories")
    if dbt.is_incremental:
        first_day = partition.first_day_to_derive(dbt.source("raw", "days_to_derive"), dbt.this.identifier)
        claims = claims.filter(f"partition_date >= date '{first_day}'")
        surroundings = surroundings.filter(f"partition_date >= date '{first_day}'")
        found = found.filter(f"partition_date >= date '{first_day}'")
    told = (
        claims.set_alias("claims")
        .join(surroundings.set_alias("surroundings"), "claims.claim_id = surroundings.claim_id")
        .project(
            "claims.claim_id, claims.partition_date, claims.headline || ' ' || claims.insight as text, "
            "surroundings.said"
        )
    )
    return stories.told_by_claims(told.df(), found.df())
