"""What stands in the warehouse, read once: asking DuckDB costs a walk over all its tables each time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from osiris_sql.types.relation import Column, RelationRef, TableSchema, quote_identifier

if TYPE_CHECKING:
    import duckdb

Kind = Literal["table", "view"]
Place = tuple[str, str]


def place_of(relation: RelationRef) -> Place:
    """Return a relation's name as DuckDB compares it, without case."""
    return relation.schema.lower(), relation.name.lower()


def describe(cursor: duckdb.DuckDBPyConnection, relation: RelationRef, kind: Kind) -> TableSchema:
    """Return the columns of a relation that exists."""
    if kind == "table" and '"' not in relation.schema + relation.name:
        # A fifth of what DESCRIBE costs; DuckDB 1.5 has no such way to a view, or to a name with a quote.
        table = cursor.table(relation.sql)
        found = list(zip(table.columns, map(str, table.types), strict=True))
    else:
        found = [(row[0], row[1]) for row in cursor.execute(f"DESCRIBE {relation.sql}").fetchall()]
    return TableSchema(columns=tuple(Column(name=name, type=type_) for name, type_ in found))


@dataclass(frozen=True, slots=True)
class AboutTable:
    """About how many rows a table has, and whether a column of it may have a collation."""

    rows: int
    may_collate: bool


class Catalog:
    """The kind of each relation, and the nodes that have a state. One process writes a warehouse, through
    transactions that say what they changed; so this stays true while it is open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._schemas = {"main"}
        self.kinds: dict[Place, Kind] = {}
        self._tables: dict[Place, AboutTable] = {}
        kinds: tuple[Kind, ...] = ("table", "view")
        for kind in kinds:
            about = "estimated_size, sql ILIKE '%collate%'" if kind == "table" else "0, false"
            rows = connection.execute(
                f"SELECT lower(schema_name), lower({kind}_name), {about}"
                f" FROM duckdb_{kind}s() WHERE database_name = current_database() AND NOT internal"
            ).fetchall()
            self.kinds |= dict.fromkeys(((schema, name) for schema, name, *_ in rows), kind)
            self._tables |= {(schema, name): AboutTable(size, may) for schema, name, size, may in rows}
        self.nodes: set[str] = set()
        if ("osiris", "state") in self.kinds:
            self.nodes = {node for (node,) in connection.execute("SELECT node FROM osiris.state").fetchall()}

    def about(self, relation: RelationRef, changed: Mapping[Place, Kind | None]) -> AboutTable | None:
        """Return what was known of a table when the warehouse was opened; None if it was made since."""
        place = place_of(relation)
        return None if place in changed else self._tables.get(place)

    def make_schema(self, name: str) -> None:
        """Make a schema if it is not there, at once: two transactions that make the same one conflict.

        A transaction that has begun before would not see it.
        """
        with self._lock:
            if name not in self._schemas:
                cursor = self._connection.cursor()
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(name)}").fetchall()
                cursor.close()
                self._schemas.add(name)

    def absorb(self, changed: Mapping[Place, Kind | None], written: Mapping[str, str | None]) -> None:
        """Take over what a transaction has committed; None is a relation, or a node's state, that is gone."""
        for place, kind in changed.items():
            self._tables.pop(place, None)
            if kind is None:
                self.kinds.pop(place, None)
            else:
                self.kinds[place] = kind
        self.nodes -= {node for node, record in written.items() if record is None}
        self.nodes |= {node for node, record in written.items() if record is not None}
