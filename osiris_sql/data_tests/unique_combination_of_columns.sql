-- description: No two rows agree in all of some columns. Two NULLs agree.
-- shape: key
-- arguments:
--   combination_of_columns: {type: columns, about: the columns}
--   quote_columns: {type: boolean, default: false, about: 'is read for the sake of dbt_utils; names are always quoted'}
-- bad:
--   - rows: SELECT * FROM (VALUES (1, 'a'), (1, 'a'), (1, 'b')) AS t(id, part)
--     arguments: {combination_of_columns: [id, part]}
--   - rows: SELECT * FROM (VALUES (1, NULL), (1, NULL)) AS t(id, part)
--     arguments: {combination_of_columns: [id, part]}
-- good:
--   - rows: SELECT * FROM (VALUES (1, 'a'), (1, 'b'), (1, NULL)) AS t(id, part)
--     arguments: {combination_of_columns: [id, part]}
--   - rows: SELECT 1 AS id, 'a' AS part WHERE false
--     arguments: {combination_of_columns: [id, part]}

{%- set key %}row({{ combination_of_columns | join(', ') }}){% endset %}
SELECT {{ combination_of_columns | join(', ') }}, count(*) AS n_records
FROM {{ model }}
GROUP BY {{ combination_of_columns | join(', ') }}
HAVING count(*) > 1
