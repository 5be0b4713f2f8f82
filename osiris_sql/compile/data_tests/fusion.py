"""What of a test can run together with others: one aggregate expression over its relation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osiris_sql.compile.columns import BinderError
from osiris_sql.compile.data_tests.arguments import unquoted
from osiris_sql.compile.data_tests.built_in import BuiltIn
from osiris_sql.compile.data_tests.scope import TestScope
from osiris_sql.compile.data_tests.total import asks_every_row
from osiris_sql.compile.known import Known
from osiris_sql.types.manifest import TestShape
from osiris_sql.types.relation import ColumnRef, RelationRef, TableSchema

if TYPE_CHECKING:
    from jinja2.environment import TemplateModule

_FIXED_SIZE = re.compile(r"\[\d+\]")
_PLAIN = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|VARCHAR|UUID|DATE|TIMESTAMP.*|DECIMAL.*")


@dataclass(frozen=True, slots=True)
class Measure:
    """A test as an aggregate over `relation`: 0 if no row offends.

    `sql` counts the offending rows at shape `rows`; at the others it is above 0 if there are some.
    `key` and `parent` are as in `CompiledTest`.
    """

    shape: TestShape
    sql: str
    relation: RelationRef
    key: str = ""
    parent: ColumnRef | None = None


def measure_test(
    built_in: BuiltIn, values: Mapping[str, Any], where: str | None, known: Known, scope: TestScope
) -> Measure | None:
    """Return a built-in test as one aggregate, or None where it must run alone."""
    given = {**values, "where": where}
    if built_in.shape is None or known.inlined or any(given.get(name) for name in built_in.alone_with):
        return None
    parent = _parent(values, known.schema, scope) if built_in.name == "relationships" else None
    if built_in.name == "relationships" and parent is None:
        return None
    # A DISTINCT count of rows that hold an array of fixed size ends the process (2.0.0).
    combined = values.get("combination_of_columns") or ()
    if any(_FIXED_SIZE.search(known.schema.type_of(unquoted(name)) or "") for name in combined):
        return None
    asked, sql = _measure(built_in, values, where)
    if where or any(
        a.type == "sql" and isinstance(values.get(a.name), str) for a in built_in.arguments.values()
    ):
        if asked and not asks_every_row(asked, known.schema):
            return None
        if not _is_sound(sql, known.relation, scope):
            return None
    key = str(values["column_name"]) if parent else "" if where else _key(built_in, values, known.schema)
    return Measure(built_in.shape, sql, known.relation, key, parent)


def _key(built_in: BuiltIn, values: Mapping[str, Any], schema: TableSchema) -> str:
    """Return the column of a key, if it is one of a plain type."""
    column = str(values.get("column_name", "")) if built_in.shape == "key" else ""
    return column if column and _PLAIN.fullmatch(schema.type_of(unquoted(column)) or "") else ""


def _measure(built_in: BuiltIn, values: Mapping[str, Any], where: str | None) -> tuple[str, str]:
    """Return the condition that is asked of each row, and the aggregate."""
    kept = f" FILTER (WHERE {where})" if where else ""
    module = built_in.template.make_module({**values, "model": "", "columns_in_arguments": "", "kept": kept})
    match built_in.shape:
        case "key":
            key = _block(module, "key")
            return where or "", f"count({key}){kept} - count(DISTINCT {key}){kept}"
        case "aggregate":
            return where or "", f"CASE WHEN {_block(module, 'offends')} THEN 1 ELSE 0 END"
        case _:
            offends = _block(module, "offends")
            asked = f"({where}) AND ({offends})" if where else offends
            counted = str(getattr(module, "count", "")).strip()
            return asked, counted or f"count(*) FILTER (WHERE {asked})"


def _block(module: TemplateModule, name: str) -> str:
    return str(getattr(module, name)).strip()


def _is_sound(sql: str, relation: RelationRef, scope: TestScope) -> bool:
    """Say whether DuckDB takes what a person wrote in this place, as one value."""
    try:
        return len(scope.binder.bind(f"SELECT {sql} FROM {relation.sql}").columns) == 1
    except BinderError:
        return False


def _parent(values: Mapping[str, Any], schema: TableSchema, scope: TestScope) -> ColumnRef | None:
    """Return where values are to occur, if `IN` compares as the join of the test's query does: of unequal
    types it casts one."""
    parent = next((k for k in scope.known.values() if k.relation.sql == values["to"] and not k.inlined), None)
    column, field = (unquoted(values[name]) for name in ("column_name", "field"))
    if parent is None or schema.type_of(column) != parent.schema.type_of(field):
        return None
    return ColumnRef(relation=parent.relation, column=values["field"])
