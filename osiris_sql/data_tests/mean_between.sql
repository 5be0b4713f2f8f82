-- description: The mean of a column lies in a range. NULLs are left out; a column without any value passes.
-- aliases: [expect_column_mean_to_be_between]
-- shape: aggregate
-- alone_with: [group_by]
-- arguments:
--   column_name: {type: column}
--   min_value: {type: sql, default: null, about: 'the least value, a number or SQL'}
--   max_value: {type: sql, default: null, about: 'the greatest value, a number or SQL'}
--   strictly: {type: boolean, default: false, about: whether the ends are too much already}
--   group_by: {type: columns, default: [], about: looks at each group of these columns}
-- any_of: [min_value, max_value]
-- bad:
--   - rows: SELECT * FROM (VALUES (1), (3), (NULL)) AS t(x)
--     arguments: {column_name: x, max_value: 1.5}
--   - rows: SELECT * FROM (VALUES ('a', 1), ('b', 9)) AS t(part, x)
--     arguments: {column_name: x, max_value: 5, group_by: [part]}
--   - rows: SELECT 'nan'::DOUBLE AS x
--     arguments: {column_name: x, max_value: 5}
-- good:
--   - rows: SELECT * FROM (VALUES (1), (3), (NULL)) AS t(x)
--     arguments: {column_name: x, min_value: 1, max_value: 3, strictly: true}
--   - rows: SELECT * FROM (VALUES (1), (3), (NULL)) AS t(x)
--     arguments: {column_name: x, min_value: 2, max_value: 2}
--   - rows: SELECT 1 AS x WHERE false
--     arguments: {column_name: x, min_value: 5}

{%- set offends %}{% if min_value is not none %}NOT (avg({{ column_name }}){{ kept }} {{ '>' if strictly else '>=' }} ({{ min_value }})){% endif %}
{%- if min_value is not none and max_value is not none %}
    OR {% endif %}
{%- if max_value is not none %}NOT (avg({{ column_name }}){{ kept }} {{ '<' if strictly else '<=' }} ({{ max_value }})){% endif %}{% endset %}
SELECT {% for column in group_by %}{{ column }}, {% endfor %}avg({{ column_name }}) AS mean
FROM {{ model }}
{%- if group_by %}
GROUP BY {{ group_by | join(', ') }}
{%- endif %}
HAVING {{ offends }}
