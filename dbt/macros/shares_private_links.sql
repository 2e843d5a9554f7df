{#- Whether whoever gets a digest may have the addresses that only a subscriber knows: PODCAST_SHARE_PRIVATE_LINKS. -#}
{% macro shares_private_links() -%}
    {{ env_var('PODCAST_SHARE_PRIVATE_LINKS', 'off') | lower in ('on', 'true', 'yes', '1') }}
{%- endmacro %}
