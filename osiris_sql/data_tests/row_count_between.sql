-- description: The number of rows lies in a range.
-- aliases: [expect_table_row_count_to_be_between]
-- shape: aggregate
-- alone_with: [group_by]
-- arguments:
--   min_value: {type: sql, default: null, about: 'the least value, a number or SQL'}
--   max_value: {type: sql, default: null, about: 'the greatest value, a number or SQL'}
--   strictly: {type: boolean, default: false, about: whether the ends are too much already}
--   group_by: {type: columns, default: [], about: looks at each group of these columns}
-- any_of: [min_value, max_value]
-- bad:
--   - rows: SELECT 1 AS id WHERE false
--     arguments: {min_value: 1}
--   - rows: SELECT * FROM (VALUES (1), (NULL)) AS t(id)
--     arguments: {max_value: 1}
--   - rows: SELECT 1 AS id
--     arguments: {min_value: 1, strictly: true}
--   - rows: SELECT * FROM (VALUES ('a'), ('a'), ('b')) AS t(part)
--     arguments: {min_value: 2, group_by: [part]}
-- good:
--   - rows: SELECT * FROM (VALUES (1), (NULL)) AS t(id)
--     arguments: {min_value: 1, max_value: 2}
--   - rows: SELECT 1 AS id WHERE false
--     arguments: {max_value: 0}
--   - rows: SELECT * FROM (VALUES ('a'), (NULL)) AS t(part)
--     arguments: {max_value: 1, group_by: [part]}

{%- set offends %}{% if min_value is not none %}NOT (count(*){{ kept }} {{ '>' if strictly else '>=' }} ({{ min_value }})){% endif %}
{%- if min_value is not none and max_value is not none %}
    OR {% endif %}
{%- if max_value is not none %}NOT (count(*){{ kept }} {{ '<' if strictly else '<=' }} ({{ max_value }})){% endif %}{% endset %}
SELECT {% for column in group_by %}{{ column }}, {% endfor %}count(*) AS n_rows
FROM {{ model }}
{%- if group_by %}
GROUP BY {{ group_by | join(', ') }}
{%- endif %}
HAVING {{ offends }}
