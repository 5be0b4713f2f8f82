"""What PostgreSQL's catalog says about a table, as one noun."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from osiris_sql.types.relation import quote_identifier

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor  # noqa: N812

# These types have no equality operator, so their text is compared.
_NO_EQUALITY = {"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle"}


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    """A column; `generated` and `identity` as in pg_attribute: "s"; "a" (always) or "d" (by default)."""

    name: str
    type: str
    not_null: bool = False
    has_default: bool = False
    generated: str = ""
    identity: str = ""
    comment: str = ""

    @property
    def is_array(self) -> bool:
        """Whether the column is of a type `x[]`."""
        return self.type.endswith("[]")

    @property
    def comparable(self) -> bool:
        """Whether two values can be compared as they are, and not only their text."""
        return self.type.removesuffix("[]") not in _NO_EQUALITY


@dataclass(frozen=True, kw_only=True)
class Table:
    """A relation of the target database; `kind` is pg_class.relkind, `uniques` sets of key columns.

    `inbound` names the tables whose foreign keys point here, `triggers` the row triggers; `rules` says
    that statements are rewritten;
    `row_security` says that policies hide or refuse rows for the role that is logged in,
    `made_here` that a publication created the table.
    """

    schema: str
    name: str
    kind: str = "r"
    columns: tuple[TableColumn, ...] = ()
    primary_key: tuple[str, ...] = ()
    uniques: tuple[frozenset[str], ...] = ()
    inbound: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    rules: bool = False
    row_security: bool = False
    privileges: frozenset[str] = field(default_factory=frozenset)
    role: str = ""
    comment: str = ""
    made_here: bool = False

    @property
    def sql(self) -> str:
        """The quoted name."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"

    def column(self, name: str) -> TableColumn | None:
        """Return the column of that exact name, or None."""
        return next((column for column in self.columns if column.name == name), None)


_RELATION = """
SELECT c.oid, c.relkind::text, row_security_active(c.oid), c.relhasrules, current_user::text,
       coalesce(obj_description(c.oid, 'pg_class'), ''),
       ARRAY(SELECT p FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE']) AS p
             WHERE has_table_privilege(c.oid, p))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind <> 'i' AND c.relkind <> 'I'"""
_COLUMNS = """
SELECT attname::text, format_type(atttypid, atttypmod), attnotnull, atthasdef,
       attgenerated::text, attidentity::text, coalesce(col_description(attrelid, attnum), '')
FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_UNIQUES = """
SELECT i.indisprimary, ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(n, o)
              JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
              WHERE k.o <= i.indnkeyatts ORDER BY k.o)
FROM pg_catalog.pg_index i
WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indimmediate
  AND i.indpred IS NULL AND i.indexprs IS NULL"""
_INBOUND = """
SELECT DISTINCT conrelid::regclass::text FROM pg_catalog.pg_constraint
WHERE confrelid = %s AND contype = 'f' AND conrelid <> confrelid ORDER BY 1"""
_TRIGGERS = """
SELECT tgname::text FROM pg_catalog.pg_trigger
WHERE tgrelid = %s AND NOT tgisinternal AND tgenabled <> 'D' AND tgtype & 1 = 1 ORDER BY 1"""


def read_table(cursor: Cursor, schema: str, name: str) -> Table | None:
    """Return the table as the catalog has it now, or None if there is none."""
    cursor.execute(_RELATION, (schema, name))
    found = cursor.fetchone()
    if not found:
        return None
    oid, kind, row_security, rules, role, comment, privileges = found
    uniques = _rows(cursor, _UNIQUES, oid)
    return Table(
        schema=schema,
        name=name,
        kind=kind,
        columns=tuple(
            TableColumn(name=n, type=t, not_null=nn, has_default=d, generated=g, identity=i, comment=c)
            for n, t, nn, d, g, i, c in _rows(cursor, _COLUMNS, oid)
        ),
        primary_key=next((tuple(columns) for primary, columns in uniques if primary), ()),
        uniques=tuple(frozenset(columns) for _, columns in uniques),
        inbound=tuple(row[0] for row in _rows(cursor, _INBOUND, oid)),
        triggers=tuple(row[0] for row in _rows(cursor, _TRIGGERS, oid)),
        rules=rules,
        row_security=row_security,
        privileges=frozenset(privileges),
        role=role,
        comment=comment,
    )


def _rows(cursor: Cursor, sql: str, oid: int) -> list[tuple]:  # type: ignore[type-arg]
    cursor.execute(sql, (oid,))
    return cursor.fetchall()
