{#- The sum of an expression as an exact type; zero where there are no rows. -#}
{% macro total(expression, type) -%}
    cast(coalesce(sum({{ expression }}), 0) as {{ type }})
{%- endmacro %}

{#- One number for each of another, to the cent; NULL where there is nothing to divide by. -#}
{% macro ratio(part, whole) -%}
    cast({{ part }} / nullif({{ whole }}, 0) as decimal(8, 2))
{%- endmacro %}
