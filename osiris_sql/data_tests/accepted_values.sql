-- description: Every value is one of a list. NULLs are ignored; each other value counts once.
-- shape: values
-- arguments:
--   column_name: {type: column}
--   values: {type: values, about: the values that may occur}
--   quote: {type: boolean, default: true, about: 'false writes the values into the SQL as they are'}
-- bad:
--   - rows: SELECT * FROM (VALUES ('new'), ('old'), (NULL)) AS t(state)
--     arguments: {column_name: state, values: [new]}
--   - rows: SELECT * FROM (VALUES (1), (3)) AS t(stars)
--     arguments: {column_name: stars, values: [1, 2], quote: false}
--   - rows: SELECT 'New' AS state
--     arguments: {column_name: state, values: [new]}
-- good:
--   - rows: SELECT * FROM (VALUES ('it''s'), (NULL)) AS t(state)
--     arguments: {column_name: state, values: ["it's", 'a"b']}
--   - rows: SELECT true AS flag
--     arguments: {column_name: flag, values: [true]}
--   - rows: SELECT 1 AS stars
--     arguments: {column_name: stars, values: [1, 2]}
--   - rows: SELECT 'a' AS state WHERE false
--     arguments: {column_name: state, values: [b]}

{%- set offends %}{{ column_name }} NOT IN ({{ values | join(', ') }}){% endset %}
SELECT {{ column_name }}, count(*) AS n_records
FROM {{ model }}
WHERE {{ offends }}
GROUP BY {{ column_name }}
