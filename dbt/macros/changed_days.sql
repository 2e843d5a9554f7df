{#- What the tests of a daily build look at: the days that it derives again. On Sundays, and in `dbt test`, all days. -#}
{% macro get_where_subquery(relation) -%}
    {%- set chosen = [config.get('where')] | select | list %}
    {%- if execute and not tests_all_days() %}
        {%- for column in adapter.get_columns_in_relation(relation) if column.name in ('partition_date', 'digest_date', 'last_seen_date') %}
            {%- do chosen.append(is_tested(column.name)) %}
        {%- endfor %}
    {%- endif %}
    {%- do return('(select * from ' ~ relation ~ ' where ' ~ chosen | join(' and ') ~ ') as tested' if chosen else relation) %}
{%- endmacro %}


{#- Whether a test looks at the rows of a day. -#}
{% macro is_tested(column) -%}
    {%- if not execute or tests_all_days() -%}
        true
    {%- else -%}
        {%- set noted = run_query("select first_day from " ~ noted_days() ~ " where model = 'tests'").rows -%}
        {{ column }} >= date '{{ noted[0][0] if noted else '0001-01-01' }}'
    {%- endif -%}
{%- endmacro %}


{% macro tests_all_days() -%}
    {%- do return(flags.WHICH != 'build' or day_of_build().weekday() == 6) %}
{%- endmacro %}
