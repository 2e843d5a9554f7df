"""The five of each day, chosen in date order from the first day of this build on; a digest that was sent stays."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="append")
    from include import choice

    candidates = dbt.ref("int_digest_candidates")
    if dbt.is_incremental:
        return choice.derive(candidates.df(), session.table(str(dbt.this)).df())
    return choice.derive(candidates.df())
