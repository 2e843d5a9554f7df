"""The five of each day and the reserve behind them, chosen in date order, for as long as that says anything else than
before.

A digest that was sent stays as it was.
"""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days", on_schema_change="append_new_columns")
    from include.digest import choice
    from include.warehouse import partition

    candidates, kept = dbt.ref("int_digest_candidates"), dbt.config.get("kept")
    known = session.table(str(dbt.this)) if dbt.is_incremental else None

    def derive(days):
        recent = candidates.filter(days.within(before=choice.DAYS_REMEMBERED)).df()
        if known is None:
            return choice.derive(recent)
        remembered = known.filter(days.within("digest_date", before=choice.DAYS_REMEMBERED))
        settled = remembered.filter(f"digest_date < date '{days.first}' or {kept}").df()
        picks = choice.derive(recent, settled)
        return picks[picks["digest_date"] >= days.first]

    # How many shows tell a theme is counted over a month.
    changed = partition.days_to_derive(dbt.source("raw", "days_to_derive"), dbt, 30)
    replaced = known.filter(f"not ({kept})") if known is not None else None
    return partition.derive_on(derive, changed, replaced, choice.DAYS_REMEMBERED, "digest_date")
