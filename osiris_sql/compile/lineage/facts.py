"""What is known of the columns and relations of a query while it is walked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from osiris_sql.types.relation import TableSchema

if TYPE_CHECKING:
    from sqlglot import exp

Input = tuple[str, str]
"""A node's id and the name of one of its columns."""

Inputs = frozenset[Input] | None
"""The columns that a value is made from; None where that can't be known."""

Kind = Literal["int", "decimal", "float", "interval", "other"]
"""How a number adds up: `int` and `decimal` exactly, in any order; `float` does not. An `interval` is, or
holds, one that equals others which are spelt otherwise: 1 month, 30 days."""

NOTHING: frozenset[Input] = frozenset()

_INTEGERS = {
    *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
}
_INTERVAL = re.compile(r"\bINTERVAL\b")


def kind_of_type(type_name: str) -> Kind:
    """Return how values of a DuckDB type add up; UHUGEINT and BIGNUM turn into DOUBLE, so `other`."""
    if type_name in _INTEGERS:
        return "int"
    if type_name.startswith("DECIMAL"):
        return "decimal"
    if type_name in ("FLOAT", "DOUBLE"):
        return "float"
    return "interval" if _INTERVAL.search(type_name) else "other"


def union(many: list[Inputs]) -> Inputs:
    """Return all inputs together; one unknown makes all unknown."""
    known = [inputs for inputs in many if inputs is not None]
    return frozenset().union(*known) if len(known) == len(many) else None


@dataclass(frozen=True, slots=True)
class Col:
    """A column: its name (None where DuckDB makes one up), its inputs, and what is known of its type.

    `origin` is the column of the source that it stands for in the SELECT at hand. `among` are the columns of
    which one that stands for several may be any, under its own name.
    """

    name: str | None
    inputs: Inputs
    kind: Kind | None = None
    type: str | None = None
    origin: Atom | None = field(default=None, compare=False)
    among: tuple[Col, ...] = field(default=(), compare=False)

    def named(self, name: str | None) -> Col:
        """Return the same column under another name."""
        return Col(name, self.inputs, self.kind, self.type, self.origin)

    def called(self, name: str) -> Col:
        """Return the column of a name, of those that this one stands for."""
        found = (c for c in self.among if c.name and c.name.lower() == name.lower())
        return Col(name, next(found, self).inputs)


UNKNOWN = Col(None, None)


@dataclass(frozen=True, slots=True)
class Relation:
    """The columns of a table or query in order.

    `rest` stands for further columns whose names are not known; it may take the name of any column
    but the first `sure` ones. `keys` hold names in lower case: no
    two rows agree on all columns of a key, NULL counted as a value; the empty key says that there is
    at most one row. `ordered` says that its query ends in an ORDER BY that its reader may rely on.
    """

    columns: tuple[Col, ...]
    rest: Col | None = None
    keys: tuple[frozenset[str], ...] = ()
    ordered: bool = False
    node: str | None = None
    sure: int = 0


OPAQUE = Relation((), rest=UNKNOWN)


def base_relation(node: str, schema: TableSchema, keys: tuple[frozenset[str], ...]) -> Relation:
    """Return the relation of an input: every column is made from itself."""
    columns = tuple(
        Col(c.name, frozenset({(node, c.name)}), kind_of_type(c.type), c.type) for c in schema.columns
    )
    return Relation(columns, keys=keys, node=node)


JoinMode = Literal["plain", "left", "single", "full"]


@dataclass(eq=False, slots=True)
class Source:
    """An item of a FROM clause: its relation under an alias, and which columns the SELECT uses of it.

    `mode` is how it was joined to those before it: `left` may leave it empty, `single` joins at most
    one of its rows (ASOF), `full` may leave either side empty. `after` are sources whose row must be
    known before this one's can be.
    """

    alias: str | None
    schema: str | None
    relation: Relation
    mode: JoinMode = "plain"
    visible: bool = True
    after: list[Source] = field(default_factory=list)
    used: dict[str, str] = field(default_factory=dict)
    names: dict[str, Col] = field(default_factory=dict)
    starred: bool = False

    def __post_init__(self) -> None:
        relation = self.relation
        for index, column in enumerate(relation.columns):
            if column.name is not None:
                sure = relation.rest is None or index < relation.sure
                known = column if sure else Col(column.name, None)
                self.names.setdefault(column.name.lower(), known)

    @property
    def fallback(self) -> Col | None:
        """Return what a name that is not listed stands for, or None if there can be no such column."""
        if self.relation.rest is not None:
            return self.relation.rest
        unnamed = [column for column in self.relation.columns if column.name is None]
        return None if not unnamed else unnamed[0] if len(unnamed) == 1 else UNKNOWN


@dataclass(eq=False, slots=True)
class Equality:
    """An equation that holds in every row once the sources of `when` are known: knowing the columns
    `known` gives the column `gives`."""

    known: frozenset[Atom]
    gives: Atom
    when: tuple[Source, ...] = ()


@dataclass(eq=False, slots=True)
class Scope:
    """One SELECT: its sources, what names mean in it, and (after the walk) what comes out of it.

    `is_reached` is set when a query inside it takes a name from it.
    """

    select: exp.Expr
    parent: Scope | None
    ctes: dict[str, Relation]
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, Col] = field(default_factory=dict)
    aliases: dict[str, Col] = field(default_factory=dict)
    alias_nodes: dict[str, exp.Expr] = field(default_factory=dict)
    locals: set[str] = field(default_factory=set)
    equalities: list[Equality] = field(default_factory=list)
    widths: list[int | None] = field(default_factory=list)
    is_reached: bool = False
    outputs: list[tuple[exp.Expr | None, Col]] = field(default_factory=list)

    @property
    def visible(self) -> list[Source]:
        """Return the sources that names may refer to (not the right side of a SEMI or ANTI join)."""
        return [source for source in self.sources if source.visible]


Atom = tuple[Source, str]
"""A column of a source, its name in lower case."""
