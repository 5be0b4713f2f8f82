"""GET and HEAD of a table, and calls of functions."""

from __future__ import annotations

import json

from servers.postgrest.answer import Answer, RestError
from servers.postgrest.call import JSON, Call
from servers.postgrest.query import column, quoted, read_filters, read_order, split_list
from servers.postgrest.schema_cache import CachedFunction


def select(call: Call) -> Answer:
    """Return at most `max_rows` rows; a table that the cache does not know is left to PostgreSQL."""
    where = read_filters(call.relation, call.parameters)
    source = f"{call.relation}{f' WHERE {where}' if where else ''}"
    offset, asked = int(call.parameter("offset") or 0), call.parameter("limit")
    limit = min(int(asked), call.max_rows) if asked is not None else call.max_rows
    total = call.row(f"SELECT count(*) FROM {source}")[0] if call.counted else None
    names = ", ".join(_selected(call, part) for part in split_list(call.parameter("select") or "*"))
    order = read_order(call.relation, call.parameter("order"))
    page = f"SELECT {names} FROM {source}{order} LIMIT {limit} OFFSET {offset}"
    count, body = call.row(f"SELECT count(*), coalesce(json_agg(p), '[]')::text FROM ({page}) AS p")
    if total is not None and offset > total:
        raise _beyond(offset, total)
    if call.wants_object:
        body = json.dumps(call.single(count, body))
    shown = "*" if total is None else total
    headers = {"Content-Range": f"{offset}-{offset + count - 1}/{shown}" if count else f"*/{shown}"}
    status = 206 if total is not None and count < total else 200
    body = "" if call.method == "HEAD" else body
    return Answer(
        status=status, headers={**JSON, **headers, **call.prefer.applied("count")}, body=body.encode()
    )


def _selected(call: Call, part: str) -> str:
    return f"{call.relation}.*" if part == "*" else column(call.relation, part)


def _beyond(offset: int, total: int) -> RestError:
    details = f"An offset of {offset} was requested, but there are only {total} rows."
    error = RestError(416, "PGRST103", "Requested range not satisfiable", details)
    error.headers["Content-Range"] = f"*/{total}"
    return error


def find_function(call: Call) -> CachedFunction:
    """Return the function that takes the body's arguments, as the cache knows it."""
    functions = call.cache.functions.get((call.schema, call.name), [])
    if call.is_text:
        return _taking_text(call, functions)
    names = set(call.arguments)
    for function in functions:
        if function.takes(names):
            return function
    shown = ", ".join(sorted(names))
    place = f"{call.schema}.{call.name}"
    raise RestError(
        404,
        "PGRST202",
        f"Could not find the function {place}({shown}) in the schema cache",
        f"Searched for the function {place} with parameters {shown} or with a single unnamed json/jsonb "
        "parameter, but no matches were found in the schema cache.",
    )


def _taking_text(call: Call, functions: list[CachedFunction]) -> CachedFunction:
    for function in functions:
        if function.arguments == {"": "text"}:
            return function
    place = f"{call.schema}.{call.name}"
    raise RestError(
        404,
        "PGRST202",
        f"Could not find the function {place} in the schema cache",
        f"Searched for the function {place} with a single unnamed text parameter, but no matches were"
        " found in the schema cache.",
    )


def call_function(call: Call, function: CachedFunction) -> Answer:
    """Run a function with the body's members, or the whole of it, as arguments; return its bare value."""
    names = [] if call.is_text else call.arguments
    arguments = ", ".join(f"{quoted(name)} := a.{quoted(name)}" for name in names)
    typed = ", ".join(f"{quoted(name)} {function.arguments[name]}" for name in names)
    source = f"json_to_record({call.literal()}) AS a({typed})" if names else "(SELECT 1) AS a"
    run = f"{quoted(call.schema)}.{quoted(call.name)}({call.literal('text') if call.is_text else arguments})"
    if function.returns_set:
        sql = f"SELECT coalesce(json_agg(r), '[]')::text FROM {source}, {run} AS r"
    else:
        sql = f"SELECT to_json(r)::text FROM {source}, {run} AS r"
    value = call.row(sql)[0]
    if function.returns_nothing:
        return Answer(status=204, headers={"Content-Range": "0-0/*"})
    return Answer(status=200, headers={**JSON, "Content-Range": "0-0/*"}, body=(value or "null").encode())
