{#- The first day that this build derives again: it and all days after it. -#}
{% macro first_day() -%}
    date '{{ modules.datetime.date.fromisoformat(var("partition_date") | string) }}'
{%- endmacro %}
