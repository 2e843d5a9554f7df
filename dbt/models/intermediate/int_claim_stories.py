"""Which of its day's stories each claim tells."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days")
    from include.themes import stories
    from include.warehouse import partition

    days = partition.days_to_derive(dbt.source("raw", "days_to_derive"), dbt)
    claims = dbt.ref("stg_claims").filter(days.within())
    surroundings = dbt.ref("int_claim_surroundings").filter(days.within())
    found = dbt.ref("int_day_stories").filter(days.within())
    told = (
        claims.set_alias("claims")
        .join(surroundings.set_alias("surroundings"), "claims.claim_id = surroundings.claim_id")
        .project(
            "claims.claim_id, claims.partition_date, claims.headline || ' ' || claims.insight as text, "
            "surroundings.said"
        )
    )
    return stories.told_by_claims(told.df(), found.df())
