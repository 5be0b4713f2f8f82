-- description: Two relations have equally many rows. With groups, each group has.
-- arguments:
--   compare_model: {type: relation, about: 'the other relation, such as ref(''orders'')'}
--   group_by_columns: {type: columns, default: [], about: columns of both relations}
-- bad:
--   - rows: SELECT * FROM (VALUES (1), (NULL)) AS t(id)
--     arguments: {compare_model: SELECT 1 AS id}
--   - rows: SELECT 1 AS id WHERE false
--     arguments: {compare_model: SELECT 1 AS id}
--   - rows: SELECT * FROM (VALUES ('a'), ('a'), ('b')) AS t(part)
--     arguments: {compare_model: 'SELECT * FROM (VALUES (''a''), (''b''), (''b'')) AS t(part)', group_by_columns: [part]}
-- good:
--   - rows: SELECT * FROM (VALUES (1), (NULL)) AS t(id)
--     arguments: {compare_model: 'SELECT * FROM (VALUES (3), (4)) AS t(id)'}
--   - rows: SELECT 1 AS id WHERE false
--     arguments: {compare_model: SELECT 1 AS id WHERE false}
--   - rows: SELECT * FROM (VALUES ('a'), (NULL)) AS t(part)
--     arguments: {compare_model: 'SELECT * FROM (VALUES (NULL), (''a'')) AS t(part)', group_by_columns: [part]}

SELECT {% for column in group_by_columns %}coalesce(here.{{ column }}, there.{{ column }}) AS {{ column }}, {% endfor %}
       coalesce(here.n_rows, 0) AS n_rows, coalesce(there.n_rows, 0) AS n_rows_compared
FROM (SELECT {% for column in group_by_columns %}{{ column }}, {% endfor %}count(*) AS n_rows
      FROM {{ model }}{% if group_by_columns %} GROUP BY {{ group_by_columns | join(', ') }}{% endif %}) AS here
FULL JOIN (SELECT {% for column in group_by_columns %}{{ column }}, {% endfor %}count(*) AS n_rows
      FROM {{ compare_model }}{% if group_by_columns %} GROUP BY {{ group_by_columns | join(', ') }}{% endif %}) AS there
  ON {% for column in group_by_columns %}here.{{ column }} IS NOT DISTINCT FROM there.{{ column }} AND {% endfor %}true
WHERE here.n_rows IS DISTINCT FROM there.n_rows
