-- description: Every value occurs in a column of another relation. NULLs are ignored.
-- shape: rows
-- arguments:
--   column_name: {type: column}
--   to: {type: relation, about: 'the other relation, such as ref(''customers'')'}
--   field: {type: name, about: its column}
-- bad:
--   - rows: SELECT * FROM (VALUES (1), (2), (2)) AS t(customer_id)
--     arguments: {column_name: customer_id, to: SELECT 1 AS id, field: id}
--   - rows: SELECT 1 AS customer_id
--     arguments: {column_name: customer_id, to: SELECT NULL::INTEGER AS id, field: id}
--   - rows: SELECT 1 AS customer_id
--     arguments: {column_name: customer_id, to: SELECT 1 AS id WHERE false, field: id}
-- good:
--   - rows: SELECT * FROM (VALUES (1), (1), (NULL)) AS t(customer_id)
--     arguments: {column_name: customer_id, to: 'SELECT * FROM (VALUES (1), (1), (NULL)) AS t(id)', field: id}
--   - rows: SELECT 1 AS id WHERE false
--     arguments: {column_name: id, to: SELECT 1 AS id WHERE false, field: id}

{%- set offends %}{{ column_name }} IS NOT NULL AND {{ column_name }} NOT IN (SELECT {{ field }} FROM {{ to }} AS parent WHERE {{ field }} IS NOT NULL){% endset %}
SELECT child.{{ column_name }}
FROM {{ model }} AS child
ANTI JOIN {{ to }} AS parent ON parent.{{ field }} = child.{{ column_name }}
WHERE child.{{ column_name }} IS NOT NULL
