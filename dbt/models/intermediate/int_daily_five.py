"""The five of each day, chosen in date order from the first day of this build on; a digest that was sent stays."""


def model(dbt, session):
    dbt.config(
        materialized="incremental",
        incremental_strategy="append",
        pre_hook="""{% if is_incremental() %}
            delete from {{ this }}
            where digest_date >= {{ first_day() }}
                and digest_date not in (
                    select digest_date from {{ ref('stg_deliveries') }} where delivery_status = 'sent'
                )
        {% endif %}""",
    )
    from include import choice

    candidates = dbt.ref("int_digest_candidates")
    if dbt.is_incremental:
        return choice.derive(candidates.df(), session.table(str(dbt.this)).df())
    return choice.derive(candidates.df())
