-- description: A column has a type, whatever its rows are.
-- aliases: [expect_column_values_to_be_of_type]
-- shape: aggregate
-- arguments:
--   column_name: {type: column}
--   column_type: {type: sql, about: 'a type of DuckDB, such as DECIMAL(12,2)'}
-- bad:
--   - rows: SELECT 1 AS x
--     arguments: {column_name: x, column_type: VARCHAR}
--   - rows: SELECT 1::DECIMAL(12,2) AS x WHERE false
--     arguments: {column_name: x, column_type: 'DECIMAL(12,3)'}
-- good:
--   - rows: SELECT 1::INTEGER AS x
--     arguments: {column_name: x, column_type: int4}
--   - rows: SELECT NULL::VARCHAR AS x
--     arguments: {column_name: x, column_type: text}
--   - rows: SELECT 1::DECIMAL(12,2) AS x WHERE false
--     arguments: {column_name: x, column_type: 'numeric(12, 2)'}

{%- set offends %}typeof(any_value({{ column_name }}){{ kept }}) <> typeof(CAST(NULL AS {{ column_type }})){% endset %}
SELECT typeof(any_value({{ column_name }})) AS found, typeof(CAST(NULL AS {{ column_type }})) AS wanted
FROM {{ model }}
HAVING {{ offends }}
