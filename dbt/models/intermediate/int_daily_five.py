"""The five of each day and the reserve behind them, chosen in date order from the first day of this build on.

A digest that was sent stays as it was.
"""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="append", on_schema_change="append_new_columns")
    from datetime import date

    from include.digest import choice

    candidates = dbt.ref("int_digest_candidates")
    if not dbt.is_incremental:
        return choice.derive(candidates.df())
    first_day = date.fromisoformat(dbt.config.get("since").removeprefix("since "))
    recent = candidates.filter(f"partition_date >= date '{first_day}' - {choice.DAYS_REMEMBERED}").df()
    picks = choice.derive(recent, session.table(str(dbt.this)).df())
    return picks[picks["digest_date"] >= first_day]
