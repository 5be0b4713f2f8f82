-- description: An expression is true in every row. Where it is NULL, the row passes. Under a column, the expression begins after its name.
-- shape: rows
-- arguments:
--   column_name: {type: column, default: null}
--   expression: {type: sql, about: 'a condition, such as "paid <= total"; under a column, such as ">= 0"'}
-- bad:
--   - rows: SELECT * FROM (VALUES (1, 2), (3, 2)) AS t(paid, total)
--     arguments: {expression: paid <= total}
--   - rows: SELECT -1 AS paid
--     arguments: {column_name: paid, expression: '>= 0'}
--   - rows: SELECT 1 AS paid
--     arguments: {expression: 'paid = 1 and false -- or not'}
-- good:
--   - rows: SELECT * FROM (VALUES (1, 2), (NULL, 2)) AS t(paid, total)
--     arguments: {expression: paid <= total}
--   - rows: SELECT 1 AS paid
--     arguments: {expression: 'paid = 2 or paid = 1 -- a comment'}
--   - rows: SELECT 1 AS paid WHERE false
--     arguments: {expression: 'false'}

{%- set offends %}NOT ({% if column_name %}{{ column_name }} {% endif %}{{ expression }}){% endset %}
SELECT {{ columns_in_arguments }}
FROM {{ model }}
WHERE {{ offends }}
