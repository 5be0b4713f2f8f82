-- description: Each value follows the one before it by a fixed interval. NULLs are ignored.
-- arguments:
--   column_name: {type: column}
--   interval: {type: number, default: 1, about: the distance}
--   datepart: {type: datepart, default: null, about: 'its unit for dates: second, minute, hour, day, week, month, quarter or year'}
--   group_by_columns: {type: columns, default: [], about: looks at each group of these columns}
-- bad:
--   - rows: SELECT * FROM (VALUES (1), (2), (4)) AS t(n)
--     arguments: {column_name: n}
--   - rows: SELECT * FROM (VALUES (1), (1)) AS t(n)
--     arguments: {column_name: n}
--   - rows: SELECT * FROM (VALUES (DATE '2024-01-31'), (DATE '2024-03-01')) AS t(day)
--     arguments: {column_name: day, datepart: day}
-- good:
--   - rows: SELECT * FROM (VALUES (3), (1), (2), (NULL)) AS t(n)
--     arguments: {column_name: n}
--   - rows: SELECT * FROM (VALUES ('a', 1), ('a', 3), ('b', 7)) AS t(part, n)
--     arguments: {column_name: n, interval: 2, group_by_columns: [part]}
--   - rows: SELECT * FROM (VALUES (DATE '2024-02-28'), (DATE '2024-02-29')) AS t(day)
--     arguments: {column_name: day, datepart: day}
--   - rows: SELECT 1 AS n WHERE false
--     arguments: {column_name: n}

SELECT *
FROM (
  SELECT {% for column in group_by_columns %}{{ column }}, {% endfor %}{{ column_name }} AS current_value,
         lag({{ column_name }}) OVER ({% if group_by_columns %}PARTITION BY {{ group_by_columns | join(', ') }} {% endif %}ORDER BY {{ column_name }}) AS previous_value
  FROM {{ model }}
)
WHERE NOT (
{%- if datepart %}CAST(current_value AS TIMESTAMP) = CAST(previous_value AS TIMESTAMP) + {{ interval }} * INTERVAL 1 {{ datepart }}
{%- else %}current_value = previous_value + {{ interval }}
{%- endif %})
