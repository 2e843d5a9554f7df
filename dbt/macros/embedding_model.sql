{#- The model whose embeddings are in use, as the embeddings name it: PODCAST_EMBEDDING_MODEL. -#}
{% macro embedding_model() -%}
    {%- set chosen = env_var('PODCAST_EMBEDDING_MODEL', '') or 'bundled' -%}
    {{ var('bundled_embedding_model') if chosen == 'bundled' else chosen }}
{%- endmacro %}
