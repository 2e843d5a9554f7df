{#- Notes, before a build begins, from which day on each incremental model that it reaches is to be derived again: from the
    day of the build, or from an earlier one where a build of the model, or of one that it reads, began and did not end.
    What landings noted of tables is passed on to each model that reads these, whether this build reaches it or not.
    So what a build leaves undone when it fails, or never begins, is done by the next one, whichever day that is of. -#}
{% macro note_days_to_derive() -%}
    {% if execute and flags.WHICH in ('build', 'run') %}
        {%- set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | list %}
        {%- set chosen = models | selectattr('unique_id', 'in', selected_resources) | map(attribute='name') | list %}
        insert into {{ target_table() }} (model, first_day)
        with recursive

        reads (model, parent) as (
            values
            {%- for node in models %}
                {%- for parent in node.depends_on.nodes if parent.split('.') | first in ('model', 'source') %}
            ('{{ node.name }}', '{{ parent.split('.')[2:] | join('.') }}'),
                {%- endfor %}
            {%- endfor %}
            (null, null)
        ),

        incremental (model) as (
            values
            {%- for node in models if node.config.materialized == 'incremental' %}
            ('{{ node.name }}')
                {{- ',' if not loop.last }}
            {%- endfor %}
        ),

        origins (model, origin) as (
            select model, model from incremental
            union
            select origins.model, reads.parent
            from origins
            inner join reads on origins.origin = reads.model
        )

        select
            origins.model,
            least(
                case
                    when bool_or(list_contains({{ chosen }}, origins.origin))
                        then date '{{ modules.datetime.date.fromisoformat(var("partition_date") | string) }}'
                end,
                min(noted.first_day)
            )
        from origins
        left join {{ target_table() }} as noted on origins.origin = noted.model
        group by origins.model
        having bool_or(list_contains({{ chosen }}, origins.origin) or contains(noted.model, '.'));
        delete from {{ target_table() }} where contains(model, '.')
    {% endif %}
{%- endmacro %}


{#- The first day that a model has to derive again: it and all days after it. Every day where nothing is noted. -#}
{% macro first_day() -%}
    coalesce(
        (select min(first_day) from {{ target_table() }} where model = '{{ model.name }}'), date '0001-01-01'
    )
{%- endmacro %}


{#- Strikes out what was noted of a model, in the transaction that writes it. -#}
{% macro strike_days_to_derive() -%}
    delete from {{ target_table() }} where model = '{{ model.name }}'
{%- endmacro %}


{#- In one transaction the rows of the days from the first one on go and the new ones come; `kept` says which rows of
    these days stay as they are. -#}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | join(', ') %}
    delete from {{ arguments['target_relation'] }}
    where
        {{ config.get('day_column', 'partition_date') }} >= {{ first_day() }}
        {%- if config.get('kept') %}
        and not ({{ config.get('kept') }})
        {%- endif %};
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }};
    {# That of a model in Python is a table like others, which nothing else drops. #}
    drop table {{ arguments['temp_relation'] }};
{%- endmacro %}


{% macro target_table() -%}
    {{ target.database }}.raw.days_to_derive
{%- endmacro %}
