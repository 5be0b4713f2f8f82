"""The tables of a query from DuckDB's own syntax tree, for what sqlglot can't read."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from osiris_sql.compile.table_name import TableName

_PART = r'(?:"(?:[^"]|"")*"|[^\W\d]\w*)'
_NAME = re.compile(rf"{_PART}(?:\s*\.\s*{_PART})*")

Json = Any


def tables_in(document: Mapping[str, Json], sql: str) -> Iterator[TableName]:
    """Yield the tables that a statement names, CTEs left out; `document` is `json_serialize_sql` of it."""
    for node in _nodes(document, frozenset()):
        if node["type"] == "BASE_TABLE":
            start = _character(sql, node["query_location"])
            name = _NAME.match(sql, start)
            yield TableName(
                schema=".".join(p for p in (node["catalog_name"], node["schema_name"]) if p) or None,
                name=node["table_name"],
                start=start,
                # A file's name stands in single quotes.
                end=name.end() if name else start + len(node["table_name"]) + 2,
                alias=node["alias"],
            )


def functions_in(document: Mapping[str, Json], sql: str) -> Iterator[tuple[str, int]]:
    """Yield the table functions that a statement calls, and where."""
    for node in _nodes(document, frozenset()):
        if node["type"] == "TABLE_FUNCTION":
            yield node["function"]["function_name"].lower(), _character(sql, node["query_location"])


def _character(sql: str, location: int) -> int:
    """Return the character at a place that DuckDB counts in bytes."""
    return len(sql.encode()[:location].decode(errors="ignore"))


def _nodes(node: Json, ctes: frozenset[str]) -> Iterator[Mapping[str, Json]]:
    """Yield the tables and table functions at or under a node, those that mean a CTE in `ctes` left out."""
    if isinstance(node, list):
        for item in node:
            yield from _nodes(item, ctes)
    if not isinstance(node, dict):
        return
    if node.get("type") == "TABLE_FUNCTION":
        yield node
    if node.get("type") == "BASE_TABLE":
        if node["schema_name"] or node["table_name"].lower() not in ctes:
            yield node
        return
    if node.get("type") == "RECURSIVE_CTE_NODE":
        ctes |= {node["cte_name"].lower()}
    for entry in (node.get("cte_map") or {}).get("map", ()):
        yield from _nodes(entry["value"], ctes)
        ctes |= {entry["key"].lower()}
    for key, value in node.items():
        if key != "cte_map":
            yield from _nodes(value, ctes)
