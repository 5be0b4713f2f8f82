-- description: Every value matches a regular expression somewhere (RE2; anchor it with ^ and $). NULLs are ignored.
-- aliases: [expect_column_values_to_match_regex]
-- shape: rows
-- arguments:
--   column_name: {type: column}
--   regex: {type: text, about: the regular expression}
--   flags: {type: text, default: '', about: 'options of DuckDB, such as "i"'}
-- bad:
--   - rows: SELECT * FROM (VALUES ('a1'), ('b')) AS t(code)
--     arguments: {column_name: code, regex: '^[a-z]\d$'}
--   - rows: SELECT 'A1' AS code
--     arguments: {column_name: code, regex: '^[a-z]\d$'}
-- good:
--   - rows: SELECT * FROM (VALUES ('a1'), (NULL)) AS t(code)
--     arguments: {column_name: code, regex: '^[a-z]\d$'}
--   - rows: SELECT 'A1' AS code
--     arguments: {column_name: code, regex: '^[a-z]\d$', flags: i}
--   - rows: SELECT 12 AS code
--     arguments: {column_name: code, regex: '^\d+$'}
--   - rows: SELECT 'it''s' AS code
--     arguments: {column_name: code, regex: "^it's$"}
--   - rows: SELECT '' AS code WHERE false
--     arguments: {column_name: code, regex: x}

{%- set offends %}NOT regexp_matches(CAST({{ column_name }} AS VARCHAR), {{ regex }}, {{ flags }}){% endset %}
SELECT {{ column_name }}
FROM {{ model }}
WHERE {{ offends }}
