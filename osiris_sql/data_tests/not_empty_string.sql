-- description: No text is empty. NULLs are ignored.
-- shape: rows
-- arguments:
--   column_name: {type: column}
--   trim_whitespace: {type: boolean, default: true, about: whether blanks alone count as empty}
-- bad:
--   - rows: SELECT chr(160) || ' ' AS word
--     arguments: {column_name: word}
--   - rows: SELECT * FROM (VALUES ('a'), ('')) AS t(name)
--     arguments: {column_name: name}
--   - rows: SELECT '  ' AS name
--     arguments: {column_name: name}
-- good:
--   - rows: SELECT * FROM (VALUES ('a'), (NULL)) AS t(name)
--     arguments: {column_name: name}
--   - rows: SELECT '  ' AS name
--     arguments: {column_name: name, trim_whitespace: false}
--   - rows: SELECT '' AS name WHERE false
--     arguments: {column_name: name}

{%- set offends %}{% if trim_whitespace %}trim({{ column_name }}){% else %}{{ column_name }}{% endif %} = ''{% endset %}
SELECT {{ column_name }}
FROM {{ model }}
WHERE {{ offends }}
