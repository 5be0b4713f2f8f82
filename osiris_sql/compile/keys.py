"""Keys that are known to hold: from sources.lock, and from the tests that guard a relation."""

from collections.abc import Iterable, Mapping, Sequence

from osiris_sql.types.project import DataTest, Project, SourceTable
from osiris_sql.types.relation import TableSchema

Keys = tuple[frozenset[str], ...]

_COMBINATIONS = frozenset({"unique_combination", "unique_combination_of_columns"})


def declared_keys(project: Project, schemas: Mapping[str, TableSchema]) -> dict[str, Keys]:
    """Return the keys (column names in lower case) of each node that has some.

    A unique test proves a key only if it fails the build, looks at all rows, and its columns are
    never NULL: it says nothing of NULLs.
    """
    tests = [test for test in project.data_tests if test.kind == "generic" and _guards_all_rows(test)]
    not_null = {(t.node, t.column.lower()) for t in tests if t.test == "not_null" and t.column}
    for node, schema in schemas.items():
        not_null |= {(node, column.name.lower()) for column in schema.columns if not column.nullable}
    found: dict[str, set[frozenset[str]]] = {}
    for test in tests:
        key = _key_of(test)
        if key and all((test.node, column) in not_null for column in key):
            found.setdefault(test.node, set()).add(key)
    for table in project.tables:
        for key in _source_keys(table, schemas):
            found.setdefault(table.node, set()).add(key)
    return {node: order_keys(keys) for node, keys in found.items()}


def order_keys(keys: Iterable[frozenset[str]]) -> Keys:
    """Return keys shortest first, each once."""
    return tuple(sorted(set(keys), key=lambda key: (len(key), sorted(key))))


def lower_key(columns: Sequence[str]) -> frozenset[str]:
    """Return a key as it is compared: names in lower case."""
    return frozenset(column.lower() for column in columns)


def _source_keys(table: SourceTable, schemas: Mapping[str, TableSchema]) -> Iterable[frozenset[str]]:
    schema = schemas.get(table.node)
    if schema and schema.key:
        yield lower_key(schema.key)
    # Rows of an incremental extract are merged by this key.
    if table.extract.mode == "incremental" and table.extract.key:
        yield lower_key(table.extract.key)


def _guards_all_rows(test: DataTest) -> bool:
    config = test.config
    plain = not config.get("where") and not config.get("limit")
    return plain and config.get("severity", "error") == "error" and "error_if" not in config


def _key_of(test: DataTest) -> frozenset[str] | None:
    if test.test == "unique" and test.column:
        return frozenset({test.column.lower()})
    if test.test in _COMBINATIONS:
        columns = test.arguments.get("combination_of_columns") or test.arguments.get("columns") or ()
        return lower_key([str(column) for column in columns])
    return None
