{#- An address that all recipients may have: null where it bears what only its subscriber may know, unless
    PODCAST_SHARE_PRIVATE_LINKS says that they may have that too. -#}
{% macro unless_secret(address) -%}
    {%- if env_var('PODCAST_SHARE_PRIVATE_LINKS', '') | lower in ('1', 'true', 'yes', 'on') -%}
        {{ address }}
    {%- else -%}
        case when without_secrets({{ address }}) = {{ address }} then {{ address }} end
    {%- endif -%}
{%- endmacro %}
