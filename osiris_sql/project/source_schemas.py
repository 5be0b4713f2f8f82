"""The schema of each source table as models see it: sources.lock under what sources.yml declares."""

from collections.abc import Iterator, Mapping

from osiris_sql.project.lockfile import LOCK_NAME, Lock
from osiris_sql.project.shape import Report
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.project import ColumnSpec, SourceTable
from osiris_sql.types.relation import Column, TableSchema


def effective_schemas(
    tables: list[SourceTable], lock: Lock, default_env: str, env: str, report: Report
) -> Mapping[str, TableSchema]:
    """Return the schema of each table by node; a table whose columns nobody knows is left out."""
    found = {}
    for table in tables:
        locked = lock.get(default_env, {}).get(table.node) or lock.get(env, {}).get(table.node)
        schema = _effective(table, locked, report)
        if schema:
            schema = _restricted(table, schema, report)
            _check_columns(table, schema, report)
            found[table.node] = schema
    return found


def _effective(table: SourceTable, locked: TableSchema | None, report: Report) -> TableSchema | None:
    declared = {column.name.lower(): column for column in table.columns}
    if locked is None:
        return _declared_schema(table, report)
    for column in table.columns:
        if locked.type_of(column.name) is None:
            report(_unknown_column(table, column, locked))
    columns = [_override(column, declared.get(column.name.lower())) for column in locked.columns]
    columns += [_from_spec(c) for c in table.columns if c.data_type and locked.type_of(c.name) is None]
    return TableSchema(columns=tuple(columns), key=locked.key)


def _restricted(table: SourceTable, schema: TableSchema, report: Report) -> TableSchema:
    """The schema without the columns that `extract: columns:` does not read."""
    wanted = {name.lower() for name in table.extract.columns}
    if not wanted:
        return schema
    for name in table.extract.columns:
        if schema.type_of(name) is None:
            report(_absent_column(table, "column to extract", name, schema))
    columns = tuple(c for c in schema.columns if c.name.lower() in wanted)
    key = schema.key if wanted.issuperset(name.lower() for name in schema.key) else ()
    return TableSchema(columns=columns, key=key)


def _declared_schema(table: SourceTable, report: Report) -> TableSchema | None:
    if table.columns and all(column.data_type for column in table.columns):
        return TableSchema(columns=tuple(map(_from_spec, table.columns)))
    untyped = ", ".join(column.name for column in table.columns if not column.data_type)
    why = f"{LOCK_NAME} does not hold it, and sources.yml declares no type of: {untyped}"
    report(
        Diagnostic(
            rule="undiscovered-source",
            message=f"the columns of {table.source}.{table.name} are not known",
            location=table.location,
            why=why if untyped else f"{LOCK_NAME} does not hold it, and sources.yml declares no columns",
            fix=f"osiris-sql discover {table.source}",
        )
    )
    return None


def _override(column: Column, spec: ColumnSpec | None) -> Column:
    return Column(
        name=column.name,
        type=(spec and spec.data_type) or column.type,
        nullable=column.nullable,
        description=(spec and spec.description) or column.description,
    )


def _from_spec(spec: ColumnSpec) -> Column:
    return Column(name=spec.name, type=spec.data_type or "", description=spec.description)


def _unknown_column(table: SourceTable, column: ColumnSpec, locked: TableSchema) -> Diagnostic:
    discover = f"if the table changed, run: osiris-sql discover {table.source}"
    guess = did_you_mean(column.name, locked.names)
    return Diagnostic(
        rule="unknown-column",
        message=f'{table.source}.{table.name} has no column "{column.name}"',
        location=column.location,
        why=f"{LOCK_NAME} records: {', '.join(locked.names)}",
        fix=f"{guess} {discover}".strip(),
    )


def _check_columns(table: SourceTable, schema: TableSchema, report: Report) -> None:
    for what, name in _named_columns(table):
        if schema.type_of(name) is None:
            report(_absent_column(table, what, name, schema))


def _absent_column(table: SourceTable, what: str, name: str, schema: TableSchema) -> Diagnostic:
    return Diagnostic(
        rule="unknown-column",
        message=f'{table.source}.{table.name} has no column "{name}"',
        location=table.location,
        why=f"it is the table's {what}; columns: {', '.join(schema.names)}",
        fix=did_you_mean(name, schema.names, f"osiris-sql discover {table.source}"),
    )


def _named_columns(table: SourceTable) -> Iterator[tuple[str, str]]:
    if table.extract.watermark:
        yield "watermark", table.extract.watermark
    for name in table.extract.key:
        yield "key", name
    if table.freshness and table.freshness.loaded_at_field != table.extract.watermark:
        yield "loaded_at_field", table.freshness.loaded_at_field
