-- description: The latest value of a column is not older than an interval before the run clock. A column without any value passes.
-- shape: aggregate
-- alone_with: [group_by_columns, where]
-- arguments:
--   field: {type: sql, about: 'the column, or SQL that gives a date or timestamp'}
--   datepart: {type: datepart, about: 'the unit: second, minute, hour, day, week, month, quarter or year'}
--   interval: {type: number, about: how many of them}
--   ignore_time_component: {type: boolean, default: false, about: whether to compare days}
--   group_by_columns: {type: columns, default: [], about: looks at each group of these columns}
-- bad:
--   - rows: SELECT * FROM (VALUES ($run_clock - INTERVAL 3 DAY), (NULL)) AS t(loaded_at)
--     arguments: {field: loaded_at, datepart: day, interval: 2}
--   - rows: SELECT * FROM (VALUES ('a', $run_clock), ('b', $run_clock - INTERVAL 2 HOUR)) AS t(part, loaded_at)
--     arguments: {field: loaded_at, datepart: hour, interval: 1, group_by_columns: [part]}
-- good:
--   - rows: SELECT * FROM (VALUES ($run_clock - INTERVAL 3 DAY), ($run_clock)) AS t(loaded_at)
--     arguments: {field: loaded_at, datepart: day, interval: 2}
--   - rows: SELECT CAST($run_clock AS DATE) - 1 AS day
--     arguments: {field: day, datepart: day, interval: 1, ignore_time_component: true}
--   - rows: SELECT $run_clock AS loaded_at WHERE false
--     arguments: {field: loaded_at, datepart: day, interval: 1}
--   - rows: SELECT NULL::TIMESTAMP AS loaded_at
--     arguments: {field: loaded_at, datepart: day, interval: 1}

{%- set type = 'DATE' if ignore_time_component else 'TIMESTAMP' %}
{%- set threshold %}CAST(CAST($run_clock AS TIMESTAMP) - {{ interval }} * INTERVAL 1 {{ datepart }} AS {{ type }}){% endset %}
{%- set offends %}CAST(max({{ field }}){{ kept }} AS {{ type }}) < {{ threshold }}{% endset %}
SELECT {% for column in group_by_columns %}{{ column }}, {% endfor %}CAST(max({{ field }}) AS {{ type }}) AS most_recent, {{ threshold }} AS threshold
FROM {{ model }}
{%- if group_by_columns %}
GROUP BY {{ group_by_columns | join(', ') }}
{%- endif %}
HAVING {{ offends }}
