"""Relations: tables and views by name, and what their columns are."""

from typing import Literal, NamedTuple

from osiris_sql.types.noun import noun


def quote_identifier(name: str) -> str:
    """Return `name` quoted for DuckDB and PostgreSQL, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'


class RelationRef(NamedTuple):
    """A relation of the warehouse: a model is `main.<model>`, a source table `<source>.<table>`."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """The quoted name, as it stands in SQL."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"


@noun
class ColumnRef:
    """A column of a relation by its name, as it stands in SQL."""

    relation: RelationRef
    column: str


@noun
class Column:
    """A column with its DuckDB type (as DuckDB prints it, such as `DECIMAL(12,2)`)."""

    name: str
    type: str
    nullable: bool = True
    description: str = ""


@noun
class TableSchema:
    """The columns of a relation in order, and its key if one is known."""

    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(column.name for column in self.columns)

    def type_of(self, name: str) -> str | None:
        """Return the DuckDB type of column `name`, compared without case, or None."""
        return next((c.type for c in self.columns if c.name.lower() == name.lower()), None)


@noun
class ColumnPolicy:
    """What becomes of a column's values that are none of `type`: NULL, or all of its values stay text."""

    column: str
    action: Literal["null", "text"]
    type: str


@noun
class Comparison:
    """A column compared with literals, whose texts are read as `kind` says; IN holds for any of them."""

    column: str
    operator: Literal["=", "<>", "<", "<=", ">", ">=", "IN", "IS NULL", "IS NOT NULL"]
    values: tuple[str, ...] = ()
    kind: Literal["number", "text", "date", "timestamp"] = "number"


RowFilter = tuple[tuple[Comparison, ...], ...]
"""Rows for which all comparisons of one of the groups hold; without groups all rows."""


@noun
class DataFingerprint:
    """The identity of a bag of rows: equal fingerprints mean equal rows, whatever their order.

    `rows` counts them, `digest` folds the schema and an order-free hash of all values; it compares
    only with digests of the same `algorithm`, whose name holds the engine's major version.
    """

    rows: int
    digest: str
    algorithm: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.rows}:{self.digest}"
