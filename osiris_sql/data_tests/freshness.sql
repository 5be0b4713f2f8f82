-- description: The newest value of a column is not older than so many seconds before the run clock. A table without any value is not fresh.
-- shape: aggregate
-- alone_with: [where]
-- arguments:
--   column_name: {type: column}
--   seconds: {type: number, about: how old the newest value may be}
-- bad:
--   - rows: SELECT * FROM (VALUES ($run_clock - INTERVAL 3 DAY), (NULL)) AS t(loaded_at)
--     arguments: {column_name: loaded_at, seconds: 172800}
--   - rows: SELECT CAST($run_clock AS DATE) - 2 AS loaded_at
--     arguments: {column_name: loaded_at, seconds: 86400}
--   - rows: SELECT $run_clock AS loaded_at WHERE false
--     arguments: {column_name: loaded_at, seconds: 86400}
-- good:
--   - rows: SELECT * FROM (VALUES ($run_clock - INTERVAL 3 DAY), ($run_clock - INTERVAL 1 HOUR)) AS t(loaded_at)
--     arguments: {column_name: loaded_at, seconds: 3600}
--   - rows: SELECT CAST($run_clock AS TIMESTAMP) AS loaded_at
--     arguments: {column_name: loaded_at, seconds: 0}

{%- set threshold %}CAST($run_clock AS TIMESTAMP) - {{ seconds }} * INTERVAL 1 second{% endset %}
{%- set offends %}coalesce(CAST(max({{ column_name }}){{ kept }} AS TIMESTAMP) < {{ threshold }}, true){% endset %}
SELECT max({{ column_name }}) AS most_recent, {{ threshold }} AS threshold
FROM {{ model }}
HAVING {{ offends }}
