-- description: No value stands in two rows. NULLs are ignored.
-- shape: key
-- arguments:
--   column_name: {type: column}
-- bad:
--   - rows: SELECT * FROM (VALUES (1), (2), (2)) AS t(id)
--     arguments: {column_name: id}
--   - rows: SELECT * FROM (VALUES ('nan'::DOUBLE), ('nan'::DOUBLE)) AS t(x)
--     arguments: {column_name: x}
-- good:
--   - rows: SELECT * FROM (VALUES (1), (2), (NULL), (NULL)) AS t(id)
--     arguments: {column_name: id}
--   - rows: SELECT * FROM (VALUES ('a'), ('A')) AS t(id)
--     arguments: {column_name: id}
--   - rows: SELECT 1 AS id WHERE false
--     arguments: {column_name: id}

{%- set key %}{{ column_name }}{% endset %}
SELECT {{ column_name }}, count(*) AS n_records
FROM {{ model }}
WHERE {{ column_name }} IS NOT NULL
GROUP BY {{ column_name }}
HAVING count(*) > 1
