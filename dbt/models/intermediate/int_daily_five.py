"""The five of each day and the reserve behind them, chosen in date order from the first day of this build on.

A digest that was sent stays as it was.
"""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days", on_schema_change="append_new_columns")
    from include.digest import choice
    from include.warehouse import partition

    candidates = dbt.ref("int_digest_candidates")
    if not dbt.is_incremental:
        return choice.derive(candidates.df())
    first_day = partition.first_day_to_derive(dbt.source("raw", "days_to_derive"), dbt.this.identifier)
    recent = candidates.filter(f"partition_date >= date '{first_day}' - {choice.DAYS_REMEMBERED}").df()
    settled = session.table(str(dbt.this)).filter(f"digest_date < date '{first_day}' or {dbt.config.get('kept')}")
    picks = choice.derive(recent, settled.df())
    return picks[picks["digest_date"] >= first_day]
