"""What is wrong with a model that binds: columns twice, keys of columns that it lacks, unsafe constructs."""

import re
from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.columns import BinderError
from osiris_sql.compile.draft import Draft
from osiris_sql.compile.parse import Query
from osiris_sql.compile.places import Problem
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.relation import TableSchema

# DuckDB 1.5 calls a tuple a STRUCT whose fields have no names.
_NAMELESS = re.compile(r"\b(TUPLE\(|STRUCT\(\w+[,()\[])")


def refuse_duplicates(schema: TableSchema, query: Query) -> None:
    """Raise BinderError if two columns that a query yields have one name."""
    seen: set[str] = set()
    for name in schema.names:
        if name.lower() in seen:
            message = f'two columns are called "{name}"'
            fix = "give one of them another name with AS, or leave it out"
            raise BinderError(Problem("duplicate-column", message, *_named(query, name), fix=fix))
        seen.add(name.lower())


def refuse_tuples(schema: TableSchema, query: Query) -> None:
    """Raise BinderError if a column of a table holds structs without names, which no table can."""
    for column in schema.columns:
        if _NAMELESS.search(column.type):
            message = f'the column "{column.name}" is {column.type}, which a table can\'t hold'
            fix = "name its fields: {'a': 1, 'b': 'x'} for row(1, 'x')"
            raise BinderError(Problem("unstorable-type", message, *_named(query, column.name), fix=fix))


def _named(query: Query, name: str) -> tuple[int | None, int]:
    """Return where the last column of a name is named, and how long that is; a star names none."""
    items = query.tree.selects if isinstance(query.tree, exp.Query) else []
    named = [item for item in items if item.alias_or_name.lower() == name.lower()]
    last = named[-1] if named else items[-1] if items else None
    places = [n.meta for n in last.walk() if "start" in n.meta] if last is not None else []
    end = max((place["end"] for place in places), default=None)
    start = next((place["start"] for place in places if place["end"] == end), None)
    return start, 1 if start is None or end is None else end + 1 - start


def check_key(draft: Draft, schema: TableSchema) -> Iterator[Diagnostic]:
    """Yield an error for each column of the unique_key that the query does not yield."""
    model = draft.model
    for name in draft.config.unique_key:
        if schema.type_of(name) is None:
            yield Diagnostic(
                rule="unknown-column",
                message=f'{model.name} has no column "{name}", which its unique_key names',
                location=draft.places.get("unique_key", model.location),
                why=f"{model.name} has: {', '.join(schema.names)}",
                fix=did_you_mean(name, schema.names),
            )


def unsafe_constructs(compiled: CompiledModel) -> Iterator[Diagnostic]:
    """Yield an error for each construct whose answer may differ from run to run."""
    for reason in compiled.reasons:
        if reason.verdict == "unsafe":
            yield Diagnostic(
                rule=reason.rule,
                message=reason.message,
                location=reason.location or compiled.location,
                why=f'"{compiled.name}" may give another answer each time it runs',
                fix="or take it on: config(determinism='declared', reason='…')",
            )
