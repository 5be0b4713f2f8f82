-- description: The ranges between two columns don't overlap, and each begins before it ends. A range without a lower or upper end fails, but for the upper end of the last.
-- arguments:
--   lower_bound_column: {type: sql, about: the column where a range begins}
--   upper_bound_column: {type: sql, about: 'the column where it ends, which is no part of the range'}
--   partition_by: {type: sql, default: null, about: looks at each group of this column}
--   gaps: {type: choice, choices: [allowed, not_allowed, required], default: allowed, about: 'gaps between ranges: allowed, not_allowed or required'}
--   zero_length_range_allowed: {type: boolean, default: false, about: whether a range may end where it begins}
-- bad:
--   - rows: SELECT * FROM (VALUES (1, 3), (2, 4)) AS t(a, b)
--     arguments: {lower_bound_column: a, upper_bound_column: b}
--   - rows: SELECT 3 AS a, 1 AS b
--     arguments: {lower_bound_column: a, upper_bound_column: b}
--   - rows: SELECT 1 AS a, 1 AS b
--     arguments: {lower_bound_column: a, upper_bound_column: b}
--   - rows: SELECT * FROM (VALUES (1, 2), (3, 4)) AS t(a, b)
--     arguments: {lower_bound_column: a, upper_bound_column: b, gaps: not_allowed}
--   - rows: SELECT * FROM (VALUES (1, 2), (2, 3)) AS t(a, b)
--     arguments: {lower_bound_column: a, upper_bound_column: b, gaps: required}
--   - rows: SELECT NULL::INTEGER AS a, 2 AS b
--     arguments: {lower_bound_column: a, upper_bound_column: b}
-- good:
--   - rows: SELECT * FROM (VALUES (1, 2), (2, 3), (5, 6)) AS t(a, b)
--     arguments: {lower_bound_column: a, upper_bound_column: b}
--   - rows: SELECT * FROM (VALUES (1, 1), (1, 3)) AS t(a, b)
--     arguments: {lower_bound_column: a, upper_bound_column: b, zero_length_range_allowed: true}
--   - rows: SELECT * FROM (VALUES ('x', 1, 3), ('y', 2, 4)) AS t(part, a, b)
--     arguments: {lower_bound_column: a, upper_bound_column: b, partition_by: part}
--   - rows: SELECT 1 AS a, 2 AS b WHERE false
--     arguments: {lower_bound_column: a, upper_bound_column: b}

SELECT *
FROM (
  SELECT {% if partition_by %}{{ partition_by }} AS partition_value, {% endif %}{{ lower_bound_column }} AS lower_bound, {{ upper_bound_column }} AS upper_bound,
         lead({{ lower_bound_column }}) OVER ranges AS next_lower_bound,
         row_number() OVER ranges = count(*) OVER ({% if partition_by %}PARTITION BY {{ partition_by }}{% endif %}) AS is_last
  FROM {{ model }}
  WINDOW ranges AS ({% if partition_by %}PARTITION BY {{ partition_by }} {% endif %}ORDER BY {{ lower_bound_column }}, {{ upper_bound_column }})
)
WHERE NOT (
  coalesce(lower_bound {{ '<=' if zero_length_range_allowed else '<' }} upper_bound, false)
  AND coalesce(upper_bound {{ {'allowed': '<=', 'not_allowed': '=', 'required': '<'}[gaps] }} next_lower_bound, is_last, false)
)
