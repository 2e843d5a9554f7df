{#- Empties an incremental model from the first day of this build on. Days whose digest was sent, or may have been, keep their rows. -#}
{% macro forget_from_first_day(day_column) -%}
    {% if is_incremental() -%}
        delete from {{ this }}
        where
            {{ day_column }} >= {{ first_day() }}
        {%- if day_column == 'digest_date' %}
            and digest_date not in (
                select digest_date from {{ source('ops', 'deliveries') }} where status in ('sent', 'pending')
            )
        {%- endif %}
    {%- endif %}
{%- endmacro %}
