-- description: Each value occurs equally often in a column and in one of another relation, NULL too.
-- arguments:
--   column_name: {type: column}
--   to: {type: relation, about: 'the other relation, such as ref(''orders'')'}
--   field: {type: name, about: its column}
-- bad:
--   - rows: SELECT * FROM (VALUES (1), (1)) AS t(id)
--     arguments: {column_name: id, to: SELECT 1 AS x, field: x}
--   - rows: SELECT NULL::INTEGER AS id
--     arguments: {column_name: id, to: SELECT 1 AS id WHERE false, field: id}
--   - rows: SELECT 1 AS id WHERE false
--     arguments: {column_name: id, to: SELECT 1 AS id, field: id}
-- good:
--   - rows: SELECT * FROM (VALUES (1), (NULL), (1)) AS t(id)
--     arguments: {column_name: id, to: 'SELECT * FROM (VALUES (1), (1), (NULL)) AS t(x)', field: x}
--   - rows: SELECT 1 AS id WHERE false
--     arguments: {column_name: id, to: SELECT 1 AS id WHERE false, field: id}

{%- set here %}SELECT {{ column_name }} AS value, count(*) AS n_records FROM {{ model }} GROUP BY {{ column_name }}{% endset %}
{%- set there %}SELECT {{ field }} AS value, count(*) AS n_records FROM {{ to }} GROUP BY {{ field }}{% endset %}
SELECT *, 'here' AS side FROM ({{ here }} EXCEPT {{ there }})
UNION ALL
SELECT *, 'there' AS side FROM ({{ there }} EXCEPT {{ here }})
