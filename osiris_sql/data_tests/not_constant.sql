-- description: There is more than one value. NULLs are not counted, and a column without any value passes.
-- shape: aggregate
-- alone_with: [group_by_columns]
-- arguments:
--   column_name: {type: column}
--   group_by_columns: {type: columns, default: [], about: looks at each group of these columns}
-- bad:
--   - rows: SELECT * FROM (VALUES (1), (1), (NULL)) AS t(x)
--     arguments: {column_name: x}
--   - rows: SELECT * FROM (VALUES ('a', 1), ('a', 2), ('b', 1)) AS t(part, x)
--     arguments: {column_name: x, group_by_columns: [part]}
-- good:
--   - rows: SELECT * FROM (VALUES (1), (2)) AS t(x)
--     arguments: {column_name: x}
--   - rows: SELECT * FROM (VALUES ('a', 1), ('a', 2)) AS t(part, x)
--     arguments: {column_name: x, group_by_columns: [part]}
--   - rows: SELECT NULL::INTEGER AS x
--     arguments: {column_name: x}
--   - rows: SELECT 1 AS x WHERE false
--     arguments: {column_name: x}

{%- set offends %}count(DISTINCT {{ column_name }}){{ kept }} = 1{% endset %}
SELECT {% for column in group_by_columns %}{{ column }}, {% endfor %}count(DISTINCT {{ column_name }}) AS n_values
FROM {{ model }}
{%- if group_by_columns %}
GROUP BY {{ group_by_columns | join(', ') }}
{%- endif %}
HAVING {{ offends }}
