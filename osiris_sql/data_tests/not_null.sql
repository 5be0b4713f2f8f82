-- description: Every row has a value. NaN and the empty text are values.
-- shape: rows
-- arguments:
--   column_name: {type: column}
-- bad:
--   - rows: SELECT * FROM (VALUES (1), (NULL)) AS t(id)
--     arguments: {column_name: id}
-- good:
--   - rows: SELECT * FROM (VALUES (1), (1)) AS t(id)
--     arguments: {column_name: id}
--   - rows: SELECT * FROM (VALUES (''), (' ')) AS t(name)
--     arguments: {column_name: name}
--   - rows: SELECT 'nan'::DOUBLE AS x
--     arguments: {column_name: x}
--   - rows: SELECT 1 AS id WHERE false
--     arguments: {column_name: id}

{%- set offends %}{{ column_name }} IS NULL{% endset %}
{%- set count %}count(*){{ kept }} - count({{ column_name }}){{ kept }}{% endset %}
SELECT {{ column_name }}
FROM {{ model }}
WHERE {{ offends }}
