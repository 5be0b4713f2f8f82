"""`sources.lock`: the recorded schemas of source tables, one set for each environment."""

from collections.abc import Mapping
from typing import Any, Literal

import yaml
from pydantic import Field

from osiris_sql.project.check import check_shape
from osiris_sql.project.shape import Report, Shape
from osiris_sql.support.yamlfile import read_yaml
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.relation import Column, TableSchema

Lock = Mapping[str, Mapping[str, TableSchema]]
"""Environment → source node (such as `source:cinema.movies`) → schema."""

LOCK_NAME = "sources.lock"
_HEADER = "# Written by osiris-sql discover. Commit it; to choose another type, declare it in sources.yml.\n"
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class LockedColumn(Shape):
    """A column as the source described it."""

    name: str
    type: str
    nullable: bool = True
    description: str = ""


class LockedTable(Shape):
    """A table as the source described it."""

    columns: list[LockedColumn]
    key: list[str] = Field(default_factory=list)


class LockFile(Shape):
    """The whole of sources.lock; a table is called `source.table`."""

    version: Literal[1] = 1
    environments: dict[str, dict[str, LockedTable]] = Field(default_factory=dict)


def read_lock(text: str) -> Lock:
    """Return what a lock file holds; raises ProjectError if it is not one."""
    found: list[Diagnostic] = []
    lock = _read(text, found.append)
    if found:
        raise ProjectError(*found)
    return lock


def _read(text: str, report: Report) -> Lock:
    file, found = read_yaml(text, LOCK_NAME)
    for diagnostic in found:
        report(diagnostic)
    if file is None:
        return {}
    shape = check_shape(LockFile, file.data or {}, file.at, report).value or LockFile()
    return {
        env: {f"source:{name}": _to_schema(table) for name, table in tables.items()}
        for env, tables in shape.environments.items()
    }


def _to_schema(table: LockedTable) -> TableSchema:
    columns = tuple(
        Column(name=c.name, type=c.type, nullable=c.nullable, description=c.description)
        for c in table.columns
    )
    return TableSchema(columns=columns, key=tuple(table.key))


def merge_lock(old: Lock, env: str, fresh: Mapping[str, TableSchema]) -> Lock:
    """Return the lock with the tables of `fresh`, by source node, in place of those of `env`."""
    return {**old, env: {**old.get(env, {}), **fresh}}


def write_lock(lock: Lock) -> str:
    """Return the text of the lock file: sorted, one line a column, the same text for the same lock."""
    tables = {
        env: {node.removeprefix("source:"): _to_data(schema) for node, schema in schemas.items()}
        for env, schemas in lock.items()
        if schemas
    }
    data = {"environments": tables, "version": 1}
    body: str = yaml.dump(
        data, Dumper=_DUMPER, default_flow_style=None, sort_keys=True, width=2**30, allow_unicode=True
    )
    return _HEADER + body


def _to_data(schema: TableSchema) -> dict[str, Any]:
    columns = [_to_entry(column) for column in schema.columns]
    return {"columns": columns, **({"key": list(schema.key)} if schema.key else {})}


def _to_entry(column: Column) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": column.name, "type": column.type}
    if not column.nullable:
        entry["nullable"] = False
    if column.description:
        entry["description"] = column.description
    return entry
