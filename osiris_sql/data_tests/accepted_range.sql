-- description: Every value lies in a range. NULLs are ignored.
-- shape: rows
-- arguments:
--   column_name: {type: column}
--   min_value: {type: sql, default: null, about: 'the least value, a number or SQL'}
--   max_value: {type: sql, default: null, about: 'the greatest value, a number or SQL'}
--   inclusive: {type: boolean, default: true, about: whether the ends belong to the range}
-- any_of: [min_value, max_value]
-- bad:
--   - rows: SELECT * FROM (VALUES (1), (6), (NULL)) AS t(stars)
--     arguments: {column_name: stars, min_value: 1, max_value: 5}
--   - rows: SELECT 0 AS stars
--     arguments: {column_name: stars, min_value: 0, inclusive: false}
--   - rows: SELECT 'nan'::DOUBLE AS x
--     arguments: {column_name: x, max_value: 5}
--   - rows: SELECT 2 AS low, 1 AS high
--     arguments: {column_name: low, max_value: high}
-- good:
--   - rows: SELECT * FROM (VALUES (1), (5), (NULL)) AS t(stars)
--     arguments: {column_name: stars, min_value: 1, max_value: 5}
--   - rows: SELECT DATE '2024-05-01' AS day
--     arguments: {column_name: day, min_value: "DATE '2024-01-01'"}
--   - rows: SELECT 1 AS stars WHERE false
--     arguments: {column_name: stars, min_value: 3}

{%- set offends %}{% if min_value is not none %}NOT ({{ column_name }} {{ '>=' if inclusive else '>' }} ({{ min_value }})){% endif %}
{%- if min_value is not none and max_value is not none %}
   OR {% endif %}
{%- if max_value is not none %}NOT ({{ column_name }} {{ '<=' if inclusive else '<' }} ({{ max_value }})){% endif %}{% endset %}
SELECT {{ column_name }}
FROM {{ model }}
WHERE {{ offends }}
