"""A fixture as a typed relation."""

from collections.abc import Sequence

from osiris_sql.compile.unit_tests.cells import Cells, cell_text, cells_of_csv, cells_of_dicts
from osiris_sql.compile.unit_tests.exact import RawColumn, cast_problems
from osiris_sql.compile.unit_tests.inputs import Fixture
from osiris_sql.compile.unit_tests.mistake import UnitTestError
from osiris_sql.compile.unit_tests.stage import RAW, Stage
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.relation import Column, RelationRef, quote_identifier


def fill_relation(relation: RelationRef, fixture: Fixture, stage: Stage) -> tuple[str, ...]:
    """Create a relation with the rows of a fixture and return the columns that it names.

    A column that it does not name is NULL. Raises UnitTestError that lists all that is wrong.
    """
    try:
        return _fill(relation, fixture, stage)
    except UnitTestError as error:
        lines = (f"{fixture.rows.location}: {fixture.label}: {line}" for line in str(error).split("\n"))
        raise type(error)("\n".join(lines)) from error


def _fill(relation: RelationRef, fixture: Fixture, stage: Stage) -> tuple[str, ...]:
    stage.create(relation, fixture.schema)
    raw, problems = _raw_query(fixture, stage) if fixture.rows.format == "sql" else _raw_cells(fixture, stage)
    problems += [problem for column in raw for problem in cast_problems(column, stage)]
    if problems:
        raise UnitTestError("\n".join(problems))
    if raw:
        names = ", ".join(quote_identifier(column.column.name) for column in raw)
        casts = ", ".join(column.cast() for column in raw)
        stage.run(f"INSERT INTO {relation.sql} ({names}) SELECT {casts} FROM {RAW.sql}", "rows")
    return tuple(column.column.name for column in raw)


def _raw_cells(fixture: Fixture, stage: Stage) -> tuple[list[RawColumn], list[str]]:
    """Put rows of mappings or CSV into RAW, as text; return its columns and what is wrong."""
    rows = fixture.rows.rows
    cells = cells_of_csv(rows) if isinstance(rows, str) else cells_of_dicts(rows)
    if not cells.columns and cells.rows:
        # Rows that name no column: all is NULL.
        cells = Cells(fixture.schema.names[:1], tuple((None,) for _ in cells.rows))
    columns, problems = _match_columns(cells.columns, fixture, has_rows=bool(cells.rows))
    raw, values = [], []
    for index, column in columns.items():
        problems += _unquoted_numbers(column, index, cells)
        written = [row[index] for row in cells.rows]
        nested = any(isinstance(cell, list | dict) for cell in written)
        raw.append(RawColumn(column, f"c{index}", as_json=nested))
        values.append([cell_text(cell, as_json=nested) for cell in written])
    lists = [f"unnest(CAST(? AS VARCHAR[])) AS {column.name}" for column in raw]
    select = ", ".join(["unnest(range(1, CAST(? AS BIGINT))) AS n", *lists])
    stage.create_as(RAW, f"SELECT {select}", "rows", [len(cells.rows) + 1, *values])
    return raw, problems


def _unquoted_numbers(column: Column, index: int, cells: Cells) -> list[str]:
    """Return a line for each number with a fraction that is to be text: YAML has changed how it looks."""
    if column.type != "VARCHAR":
        return []
    return [
        f'row {number}, column "{column.name}": {row[index]} is a number, put quotes round the text'
        for number, row in enumerate(cells.rows, 1)
        if isinstance(row[index], float)
    ]


def _raw_query(fixture: Fixture, stage: Stage) -> tuple[list[RawColumn], list[str]]:
    """Put the rows of a query into RAW, with the types that the query gives; return its columns and what
    is wrong."""
    query = f"({str(fixture.rows.rows).strip().rstrip(';')}\n)"
    schema = stage.describe(f"FROM {query}", "rows")
    names = [f"c{index}" for index in range(len(schema.columns))]
    select = f"SELECT row_number() OVER () AS n, * FROM {query} AS written({', '.join(names)})"
    stage.create_as(RAW, select, "rows")
    columns, problems = _match_columns(schema.names, fixture, has_rows=True)
    types = [column.type for column in schema.columns]
    # DuckDB calls the type of a bare NULL `"NULL"`; in a table it is INTEGER.
    types = ["INTEGER" if type_ == '"NULL"' else type_ for type_ in types]
    return [RawColumn(column, names[place], types[place]) for place, column in columns.items()], problems


def _match_columns(
    names: Sequence[str], fixture: Fixture, *, has_rows: bool
) -> tuple[dict[int, Column], list[str]]:
    """Return the columns that are meant, by their places, and what is wrong with the others."""
    known = {column.name.lower(): column for column in fixture.schema.columns}
    problems = [
        f'there is no column "{name}". {did_you_mean(name, fixture.schema.names)}'.rstrip()
        for name in names
        if name.lower() not in known
    ]
    given = [name.lower() for name in names]
    problems += [
        f'the column "{name}" is named twice' for name in sorted({n for n in given if given.count(n) > 1})
    ]
    if has_rows:
        problems += [
            f'the column "{name}" is missing, which the model reads (null is a value too)'
            for name in fixture.required
            if name.lower() not in given
        ]
    return {place: known[name] for place, name in enumerate(given) if name in known}, problems
