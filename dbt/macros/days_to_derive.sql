{#- Notes, before a build begins, which days each incremental model is to derive again: of those that the build reaches,
    the day that it is for; of any that reads a table of which a landing noted changes, the days that changed. A model
    that is written notes the days it changed for those that read it, and strikes out its own, in one transaction. So
    what a build leaves undone when it fails, or never begins, is done by the next one, whichever day that is of. -#}
{% macro note_days_to_derive() -%}
    {% if execute and flags.WHICH in ('build', 'run') %}
        {%- set day = day_of_build() %}
        {%- set chosen = incremental_models() | selectattr('unique_id', 'in', selected_resources) | map(attribute='name') | list %}
        insert into {{ noted_days() }} (model, first_day, last_day)
        {%- if day.year > 1 %}
        select unnest({{ chosen }}::varchar[]), date '{{ day }}', date '{{ day }}'
        {%- else %}
        select unnest({{ chosen }}::varchar[]), date '0001-01-01', null
        {%- endif %}
        {%- for source in graph.sources.values() if source.source_name == 'raw' %}
        union all
        select unnest({{ readers(source.unique_id) }}::varchar[]), first_day, last_day
        from {{ noted_days() }}
        where model = 'raw.{{ source.name }}'
        {%- endfor %};
        delete from {{ noted_days() }} where contains(model, '.') or model = 'tests';
        insert into {{ noted_days() }} (model, first_day)
        select 'tests', coalesce(min(first_day), date '{{ day }}')
        from {{ noted_days() }}
        where list_contains({{ chosen }}::varchar[], model);
        {%- if flags.FULL_REFRESH %}
        insert into {{ noted_days() }} (model) values ('copy of everything');
        {%- endif %}
        {{ note_another_way_of_building() }}
    {% endif %}
{%- endmacro %}


{#- Where the marts, or the views that they read, are defined otherwise than at the last build, or a setting that they
    depend on is another, they are made anew. -#}
{% macro note_another_way_of_building() -%}
    {%- set ways = [shares_private_links() | string | trim] %}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and (node.schema == 'marts' or node.config.materialized == 'view') %}
        {%- do ways.append(node.checksum.checksum) %}
    {%- endfor %}
    {%- set marts = incremental_models() | selectattr('schema', 'equalto', 'marts') | map(attribute='name') | list %}
    insert into {{ noted_days() }} (model, first_day)
    select unnest({{ marts }}::varchar[]), date '0001-01-01'
    where not exists (from {{ noted_days() }} where model = 'built as {{ local_md5(ways | sort | join) }}');
    delete from {{ noted_days() }} where starts_with(model, 'built as ');
    insert into {{ noted_days() }} (model) values ('built as {{ local_md5(ways | sort | join) }}')
{%- endmacro %}


{#- The first and the last day that a model has to derive again, as literals; every day where nothing is noted. -#}
{% macro days_to_derive() -%}
    {%- set reach = config.get('reach', 0) %}
    {%- set noted = none %}
    {%- if execute %}
        {%- set noted = run_query(
            "select min(first_day), max(coalesce(last_day, date '9999-01-01')) + " ~ reach ~ " from " ~ noted_days()
            ~ " where model = '" ~ model.name ~ "'"
        ).rows[0] %}
    {%- endif %}
    {%- if noted and noted[0] is not none %}
        {%- do return(["date '" ~ noted[0] ~ "'", "date '" ~ noted[1] ~ "'"]) %}
    {%- endif %}
    {%- do return(["date '0001-01-01'", "date '9999-01-01'"]) %}
{%- endmacro %}


{% macro first_day() -%}
    {{ days_to_derive()[0] }}
{%- endmacro %}


{#- Whether a day is one of those that the model derives, or one of so many before them. All are, where the model is
    built for the first time. -#}
{% macro to_derive(column, before=0) -%}
    {%- if is_incremental() -%}
        {%- set first, last = days_to_derive() -%}
        {{ column }} between {{ first }}{{ ' - ' ~ before if before }} and {{ last }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{#- Strikes out what was noted of a model, in the transaction that writes it. -#}
{% macro strike_days_to_derive() -%}
    delete from {{ noted_days() }} where model = '{{ model.name }}'
{%- endmacro %}


{#- In one transaction the rows of the days to derive go and the new ones come; `kept` says which rows of these days
    stay as they are. Days of which the rows are others than before are noted for whoever reads the model. -#}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set first, last = days_to_derive() %}
    {%- set day = config.get('day_column', 'partition_date') %}
    {%- set replaced %}
        {{ day }} between {{ first }} and {{ last }}
        {%- if config.get('kept') %}
        and not ({{ config.get('kept') }})
        {%- endif %}
    {%- endset %}
    {{ replace_rows(arguments, day, replaced) }}
    {# That of a model in Python is a table like others, which nothing else drops. #}
    drop table {{ arguments['temp_relation'] }};
{%- endmacro %}


{#- As `replace_days` for what has a row a theme: all themes that were seen on the first of the days or after it, and
    those that the model gives anew. -#}
{% macro get_incremental_replace_themes_sql(arguments) -%}
    {%- set replaced %}
        last_seen_date >= {{ first_day() }} or theme_id in (select theme_id from {{ arguments['temp_relation'] }})
    {%- endset %}
    {{ replace_rows(arguments, 'last_seen_date', replaced) }}
{%- endmacro %}


{#- The themes that such a model gives anew: those that were told on a day to derive, and those of its rows that were
    seen since the first of these days, since they may have lost what was said last of them. `members` is what has the
    claims of each theme. -#}
{% macro themes_to_derive(members) -%}
    select theme_id from {{ members }}
    where {{ to_derive('partition_date') }}
    union
    select theme_id from {{ this }}
    where last_seen_date >= {{ first_day() }}
{%- endmacro %}


{#- Puts the rows that a model gives in the place of those that `replaced` chooses, and notes which days that changes. -#}
{% macro replace_rows(arguments, day, replaced) -%}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | join(', ') %}
    {{ note_changes(arguments, columns, day, replaced) }}
    delete from {{ arguments['target_relation'] }} where {{ replaced }};
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }};
{%- endmacro %}


{% macro note_changes(arguments, columns, day, replaced) -%}
    {%- set told = readers(model.unique_id) %}
    {%- if model.schema == 'marts' %}
        {%- do told.append('copy of ' ~ model.name) %}
    {%- endif %}
    insert into {{ noted_days() }} (model, first_day, last_day)
    with

    before as (
        select {{ day }} as day, count(*) as row_count, sum(hash({{ columns }})) as content
        from {{ arguments['target_relation'] }}
        where {{ replaced }}
        group by all
    ),

    after as (
        select {{ day }} as day, count(*) as row_count, sum(hash({{ columns }})) as content
        from {{ arguments['temp_relation'] }}
        group by all
    ),

    changed as (
        select coalesce(before.day, after.day) as day
        from before
        full join after on before.day = after.day
        where (before.row_count, before.content) is distinct from (after.row_count, after.content)
    )

    select unnest({{ told }}::varchar[]), day, day from changed;
{%- endmacro %}


{#- The incremental models that read a model or a source, itself or through views. -#}
{% macro readers(unique_id) -%}
    {%- set found, seen, names = [unique_id], [unique_id], [] %}
    {%- for _ in range(20) if found %}
        {%- set parents = found[:] %}
        {%- do found.clear() %}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.unique_id not in seen %}
            {%- if node.depends_on.nodes | select('in', parents) | list %}
                {%- do seen.append(node.unique_id) %}
                {%- if node.config.materialized == 'incremental' %}
                    {%- do names.append(node.name) %}
                {%- else %}
                    {%- do found.append(node.unique_id) %}
                {%- endif %}
            {%- endif %}
        {%- endfor %}
    {%- endfor %}
    {%- do return(names) %}
{%- endmacro %}


{% macro incremental_models() -%}
    {%- do return(graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('config.materialized', 'equalto', 'incremental') | list) %}
{%- endmacro %}


{% macro noted_days() -%}
    {{ target.database }}.raw.days_to_derive
{%- endmacro %}


{#- The day that a build is for. The pipeline says it in the environment: where a variable is another than in the build
    before, dbt reads the whole project again. -#}
{% macro day_of_build() -%}
    {%- do return(modules.datetime.date.fromisoformat(env_var('PODCAST_DAY', '') or var('partition_date') | string)) %}
{%- endmacro %}
