"""POST, PATCH and DELETE on a table: one statement each."""

from __future__ import annotations

import csv
import io
import json

from servers.postgrest.answer import Answer, RestError
from servers.postgrest.call import JSON, Call
from servers.postgrest.query import literal, quoted, read_filters, read_names

_COUNTER = "coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)"
_PLUS = f"set_config('pgrst.inserted', ({_COUNTER} + 1)::text, true) <> '0'"
_MINUS = f"set_config('pgrst.inserted', ({_COUNTER} - 1)::text, true) <> '-1'"
_ARRAY = "CASE json_typeof({0}) WHEN 'array' THEN {0} ELSE json_build_array({0}) END"


def insert(call: Call) -> Answer:
    """Insert or upsert the rows of the body."""
    table = call.table()
    columns, payload = _columns_and_payload(call)
    names = ", ".join(map(quoted, columns))
    resolution = call.prefer.known.get("resolution")
    key = read_names(call.parameter("on_conflict")) or (list(table.key) if resolution else [])
    conflict = _on_conflict(columns, key, resolution) if key and resolution else ""
    rows = f"json_populate_recordset(NULL::{call.relation}, {_ARRAY.format('j')})"
    source = f"SELECT {names} FROM (SELECT {payload} AS j) AS p, {rows}"
    statement = f"INSERT INTO {call.relation} ({names}) {source} WHERE {_PLUS} {conflict}"
    if not columns:
        statement = (
            f"INSERT INTO {call.relation} OVERRIDING SYSTEM VALUE SELECT * FROM {call.relation} WHERE false"
        )
    count, returned, fresh = _written(call, statement)
    created = fresh > 0 or resolution != "merge-duplicates"
    headers = {"Content-Range": f"*/{count if call.counted else '*'}"}
    if call.prefer.known.get("return") == "headers-only" and count == 1 and table.key:
        [row] = json.loads(returned)
        headers["Location"] = f"/{call.name}?" + "&".join(f"{k}=eq.{row[k]}" for k in table.key)
    applied = call.prefer.applied("resolution", "missing", "return", "count")
    return _answer(call, 201 if created else 200, {**headers, **applied}, returned)


def _columns_and_payload(call: Call) -> tuple[list[str], str]:
    kind = call.content_type.partition(";")[0].strip() or "application/json"
    if kind == "text/csv":
        header, *lines = csv.reader(io.StringIO(call.body.decode()))
        rows = [{h: None if v == "NULL" else v for h, v in zip(header, line, strict=True)} for line in lines]
        return call.known(read_names(call.parameter("columns")) or header), literal(
            json.dumps(rows)
        ) + "::json"
    if kind != "application/json":
        raise RestError(400, "PGRST102", f"Content-Type not acceptable: {kind}")
    said = read_names(call.parameter("columns"))
    if said is None:
        parsed = call.parsed()
        rows = parsed if isinstance(parsed, list) else [parsed]
        columns = list(rows[0]) if rows else []
        if any(set(row) != set(columns) for row in rows):
            raise RestError(400, "PGRST102", "All object keys must match")
        return call.known(columns), call.literal()
    if not call.body.strip():
        raise RestError(400, "PGRST102", "Empty or invalid json")
    call.known(said)
    if call.prefer.known.get("missing") == "default":
        return said, _with_defaults(call, said)
    return said, call.literal()


def _with_defaults(call: Call, columns: list[str]) -> str:
    defaults = call.table().defaults
    pairs = ", ".join(f"{literal(c)}, {defaults[c]}" for c in columns if defaults[c] is not None)
    rows = f"jsonb_array_elements(({_ARRAY.format(call.literal())})::jsonb) AS r"
    return f"(SELECT json_agg(jsonb_build_object({pairs}) || r) FROM {rows})"


def _on_conflict(columns: list[str], key: list[str], resolution: str) -> str:
    names = ", ".join(map(quoted, key))
    if resolution != "merge-duplicates":
        return f"ON CONFLICT ({names}) DO NOTHING"
    assignments = ", ".join(f"{quoted(c)} = EXCLUDED.{quoted(c)}" for c in columns)
    return f"ON CONFLICT ({names}) DO UPDATE SET {assignments} WHERE {_MINUS}"


def update(call: Call) -> Answer:
    """Change the rows that the filters choose."""
    call.table()
    where = _filtered(call, "UPDATE")
    body = call.parsed()
    names = call.known(read_names(call.parameter("columns")) or list(body))
    assignments = ", ".join(f"{quoted(name)} = b.{quoted(name)}" for name in names)
    source = f"(SELECT * FROM json_populate_record(NULL::{call.relation}, {call.literal()})) AS b"
    statement = f"UPDATE {call.relation} SET {assignments} FROM {source} WHERE {where}"
    count, returned, _ = _written(call, statement)
    total = count if call.counted else "*"
    headers = {"Content-Range": f"0-{count - 1}/{total}" if count else f"*/{total}"}
    return _changed(call, count, headers, returned)


def delete(call: Call) -> Answer:
    """Delete the rows that the filters choose."""
    call.table()
    where = _filtered(call, "DELETE")
    count, returned, _ = _written(call, f"DELETE FROM {call.relation} WHERE {where}")
    return _changed(call, count, {"Content-Range": f"*/{count if call.counted else '*'}"}, returned)


def _filtered(call: Call, verb: str) -> str:
    where = read_filters(call.relation, call.parameters)
    if not where:
        raise RestError(400, "21000", f"{verb} requires a WHERE clause")
    return where


def _changed(call: Call, count: int, headers: dict[str, str], returned: str) -> Answer:
    limit = call.prefer.known.get("max-affected")
    if call.prefer.known.get("handling") == "strict" and limit is not None and count > int(limit):
        details = f"The query affects {count} rows"
        raise RestError(400, "PGRST124", "Query result exceeds max-affected preference constraint", details)
    applied = call.prefer.applied("return", "count", "handling", "max-affected")
    whole = call.prefer.known.get("return") == "representation"
    return _answer(call, 200 if whole else 204, {**headers, **applied}, returned)


def _written(call: Call, statement: str) -> tuple[int, str, int]:
    """Run a statement; return its rows counted, as JSON if asked for, and how many were inserted."""
    wanted = call.prefer.known.get("return") in ("representation", "headers-only")
    returning = f"{call.relation}.*" if wanted else "1"
    rows = "coalesce(json_agg(w), '[]')::text" if wanted else "''"
    count, returned = call.row(
        f"WITH w AS ({statement} RETURNING {returning}) SELECT count(*), {rows} FROM w"
    )
    if call.wants_object:
        returned = json.dumps(call.single(count, returned))
    return count, returned, call.row(f"SELECT {_COUNTER}")[0]


def _answer(call: Call, status: int, headers: dict[str, str], returned: str) -> Answer:
    if call.prefer.known.get("return") == "representation":
        return Answer(status=status, headers={**JSON, **headers}, body=returned.encode())
    return Answer(status=status, headers=headers)
