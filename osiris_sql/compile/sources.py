"""Source tables: put into the binder, and the columns that anything reads of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from osiris_sql.compile.columns import Binder, BinderError
from osiris_sql.compile.fingerprint import fingerprint, source_fingerprint
from osiris_sql.compile.pushdown import needed_rows
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel, CompiledSource, CompiledTest
from osiris_sql.types.project import Project, SourceTable
from osiris_sql.types.relation import ColumnPolicy, TableSchema

_TYPES = (
    *("BIGINT", "BLOB", "BOOLEAN", "DATE", "DECIMAL(18,2)", "DOUBLE", "FLOAT", "HUGEINT", "INTEGER", "JSON"),
    *("INTERVAL", "SMALLINT", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "TINYINT", "UUID", "VARCHAR"),
)

Reads = Mapping[str, tuple[str, ...] | None]


def bind_sources(project: Project, binder: Binder, diagnostics: list[Diagnostic]) -> dict[str, TableSchema]:
    """Return the columns of each sound source table, all in the binder, with types as DuckDB prints them."""
    found = {}
    for table in project.tables:
        # A table without a schema was reported while the project was loaded.
        schema = project.schemas.get(table.node)
        bound = _bind_source(table, schema, binder, diagnostics) if schema else None
        if bound:
            found[table.node] = bound
    return found


def _bind_source(
    table: SourceTable, schema: TableSchema, binder: Binder, diagnostics: list[Diagnostic]
) -> TableSchema | None:
    if table.source.lower() == binder.catalog.lower():
        diagnostics.append(
            Diagnostic(
                rule="reserved-name",
                message=f'a source can\'t be called "{table.source}"',
                location=table.location,
                why=f"the warehouse's file has that name, so DuckDB can't tell {table.source}.{table.name}",
                fix="rename the source, or the file under warehouse: in the project file",
            )
        )
        return None
    types = [binder.canonical_type(column.type) for column in schema.columns]
    unknown = [column for column, known in zip(schema.columns, types, strict=True) if known is None]
    places = {spec.name.lower(): spec.location for spec in table.columns}
    diagnostics += [
        Diagnostic(
            rule="unknown-type",
            message=f'there is no type "{column.type}"',
            location=places.get(column.name.lower(), table.location),
            why=f"{table.source}.{table.name}.{column.name} has it",
            fix=did_you_mean(column.type, _TYPES),
        )
        for column in unknown
    ]
    if unknown:
        return None
    as_text = {spec.name.lower() for spec in table.columns if spec.on_invalid == "text"}
    pairs = zip(schema.columns, types, strict=True)
    bound = replace(
        schema,
        columns=tuple(
            replace(column, type="VARCHAR" if column.name.lower() in as_text else known or "")
            for column, known in pairs
        ),
    )
    try:
        binder.create_table(table.relation, bound)
    except BinderError as error:
        diagnostics.append(
            Diagnostic(
                rule="invalid-source",
                message=f"{table.source}.{table.name} can't be a table: {error.problem.message}",
                location=table.location,
                why=f"its columns: {', '.join(schema.names) or 'none'}",
                fix=f"osiris-sql discover {table.source}",
            )
        )
        return None
    return bound


def finish_sources(
    project: Project,
    schemas: Mapping[str, TableSchema],
    models: Iterable[CompiledModel],
    tests: Iterable[CompiledTest],
) -> Iterator[CompiledSource]:
    """Yield each source table with the columns that models, tests, its extract and freshness read, and a
    filter that lets every row pass that they need."""
    models, tests = tuple(models), tuple(tests)
    filters = {model.node: model.filters for model in models}
    tested = {node for test in tests for node in test.reads}
    readings = {
        **{model.node: model.reads for model in models},
        **{f"test:{test.name}": test.columns_read for test in tests},
    }
    used = _columns_used(readings.values())
    readers = _readers(readings)
    for table in project.tables:
        schema = schemas.get(table.node)
        if schema is None:
            continue
        # A seed is read whole: a person looks at it, and it is small.
        columns = None if table.seed else used.get(table.node, set())
        wanted = {name.lower() for name in _own_columns(table)} | (columns or set())
        names = schema.names if columns is None else [n for n in schema.names if n.lower() in wanted]
        who = () if table.node in tested else readers.get(table.node, {})
        needed = needed_rows(project, table, schema, [filters.get(n, {}).get(table.node, ()) for n in who])
        identity = source_fingerprint(table, schema)
        yield CompiledSource(
            table=table,
            relation=table.relation,
            schema=schema,
            used=tuple(names),
            filters=needed,
            policies=tuple(_policies(table, project.schemas[table.node], names)),
            readers=_by_column(readers.get(table.node, {}), schema),
            recorded=project.locked.get(table.node),
            fingerprint=fingerprint(identity, repr(needed)) if needed else identity,
        )


def _policies(table: SourceTable, natural: TableSchema, names: Iterable[str]) -> Iterator[ColumnPolicy]:
    """Yield what becomes of values that do not fit, for the columns that are read; text fits any text."""
    for spec in table.columns:
        type_ = natural.type_of(spec.name)
        name = next((name for name in names if name.lower() == spec.name.lower()), None)
        if spec.on_invalid != "error" and name and type_ and type_ != "VARCHAR":
            yield ColumnPolicy(column=name, action=spec.on_invalid, type=type_)


def _readers(readings: Mapping[str, Reads]) -> dict[str, dict[str, tuple[str, ...] | None]]:
    """Return who reads each node, and which of its columns."""
    readers: dict[str, dict[str, tuple[str, ...] | None]] = {}
    for reader, reads in readings.items():
        for node, columns in reads.items():
            readers.setdefault(node, {})[reader] = columns
    return readers


def _by_column(
    readers: Mapping[str, tuple[str, ...] | None], schema: TableSchema
) -> dict[str, tuple[str, ...]]:
    """Return the readers of each column that has any."""
    found: dict[str, list[str]] = {}
    for reader, columns in readers.items():
        lowered = None if columns is None else {name.lower() for name in columns}
        for name in schema.names:
            if lowered is None or name.lower() in lowered:
                found.setdefault(name, []).append(reader)
    return {name: tuple(sorted(nodes)) for name, nodes in found.items()}


def _columns_used(readings: Iterable[Reads]) -> dict[str, set[str] | None]:
    """Return the columns (lower case) read of each node, None where somebody reads them all."""
    used: dict[str, set[str] | None] = {}
    for reads in readings:
        for node, columns in reads.items():
            before = used.get(node, set())
            nobody_all = before is not None and columns is not None
            used[node] = {*(before or ()), *(c.lower() for c in columns or ())} if nobody_all else None
    return used


def _own_columns(table: SourceTable) -> Iterator[str]:
    if table.extract.watermark:
        yield table.extract.watermark
    yield from table.extract.key
    yield from table.extract.columns
    if table.freshness:
        yield table.freshness.loaded_at_field
