"""Which rows of a source table a query sees, as far as simple comparisons in its WHERE say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from sqlglot import exp

from osiris_sql.types.relation import Comparison, RowFilter, TableSchema

Group = tuple[Comparison, ...]
Key = tuple[str, str]

# A clause that is not here may see rows that the WHERE leaves out, or is not known to us.
_CLAUSES = frozenset({"with_", "expressions", "from_", "where", "group", "having", "qualify", "windows"})
_CLAUSES |= {"order", "distinct", "limit", "offset"}
_PLAIN_TABLE = frozenset({"this", "db", "catalog", "alias"})
_OPERATORS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_INTEGER = re.compile(r"U?(TINY|SMALL|BIG)?INT(EGER)?")
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2})?")
_YEARS = {"DATE": (1000, 9999), "TIMESTAMP": (1000, 9999), "TIMESTAMP WITH TIME ZONE": (1971, 2037)}
"""Years that every server knows in a column of this type."""
_CASTS = {"DATE": {"DATE"}, "TIMESTAMP": {"DATE", "TIMESTAMP"}, "TIMESTAMP WITH TIME ZONE": {"TIMESTAMPTZ"}}
_MOST_DIGITS = 18


def read_filters(
    nodes: Iterable[exp.Expr], inputs: Mapping[Key, tuple[str, TableSchema]]
) -> dict[str, RowFilter]:
    """Return a filter for each source table of which the query sees only rows that pass it.

    Every comparison means the same in any database that holds numbers, dates and text exactly; what
    is more than that in a WHERE only lets the filter pass more rows than the query sees.
    """
    found: dict[str, list[Group]] = {}
    for table in nodes:
        if not isinstance(table, exp.Table):
            continue
        node, schema = inputs.get((table.db.lower(), table.name.lower()), ("", None))
        if schema is not None and node.startswith("source:"):
            found.setdefault(node, []).append(tuple(dict.fromkeys(_group(table, schema))))
    return {node: tuple(dict.fromkeys(groups)) for node, groups in found.items() if all(groups)}


def _group(table: exp.Table, schema: TableSchema) -> Iterator[Comparison]:
    """Yield what holds of each row of a table that its SELECT sees; nothing where that can't be told."""
    select = table.parent.parent if isinstance(table.parent, exp.From) else None
    where = select.args.get("where") if isinstance(select, exp.Select) else None
    alias = table.args.get("alias")
    if select is None or where is None or _said(select) - _CLAUSES or _said(table) - _PLAIN_TABLE:
        return
    if alias is None or not alias.args.get("columns"):
        for condition in _conditions(where.this):
            yield from _comparisons(condition, table.alias_or_name.lower(), schema)


def _said(node: exp.Expr) -> set[str]:
    return {name for name, value in node.args.items() if value}


def _conditions(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the conditions that AND joins."""
    left = [node]
    while left:
        node = left.pop().unnest()
        if isinstance(node, exp.And):
            left += [node.right, node.left]
        else:
            yield node


def _comparisons(node: exp.Expr, table: str, schema: TableSchema) -> Iterator[Comparison]:
    """Yield a condition as comparisons of one column with literals; nothing if it is anything else."""
    match node:
        case exp.Not(this=exp.Is(expression=exp.Null()) as inner):
            yield from _compared("IS NOT NULL", inner.this, [], table, schema)
        case exp.Is(expression=exp.Null()):
            yield from _compared("IS NULL", node.this, [], table, schema)
        case exp.Between() if not node.args.get("symmetric"):
            yield from _compared(">=", node.this, [node.args["low"]], table, schema)
            yield from _compared("<=", node.this, [node.args["high"]], table, schema)
        case exp.In() if _said(node) == {"this", "expressions"}:
            yield from _compared("IN", node.this, node.expressions, table, schema)
        case exp.Binary() if type(node) in _OPERATORS:
            operator = _OPERATORS[type(node)]
            yield from _compared(operator, node.left, [node.right], table, schema)
            yield from _compared(_FLIPPED.get(operator, operator), node.right, [node.left], table, schema)


def _compared(
    operator: str, column: exp.Expr, literals: list[exp.Expr], table: str, schema: TableSchema
) -> Iterator[Comparison]:
    column = column.unnest()
    if not isinstance(column, exp.Column) or column.args.get("db") or column.table.lower() not in ("", table):
        return
    found = next((c for c in schema.columns if c.name.lower() == column.name.lower()), None)
    if found is None:
        return
    values = [value for value in (_value(found.type, literal.unnest()) for literal in literals) if value]
    if len(values) == len(literals):
        kind = values[0][0] if values else "number"
        texts = tuple(text for _, text in values)
        yield Comparison(column=found.name, operator=operator, values=texts, kind=kind)  # type: ignore[arg-type]


def _value(type_: str, literal: exp.Expr) -> tuple[str, str] | None:
    """Return a literal as a value of a column's type: what it is and its text; None of any other."""
    if type_ == "VARCHAR":
        return ("text", literal.this) if _is_text(literal) else None
    if type_ in _YEARS:
        return _time(type_, literal)
    return _number(type_, literal)


def _number(type_: str, literal: exp.Expr) -> tuple[str, str] | None:
    sign, literal = ("-", literal.this) if isinstance(literal, exp.Neg) else ("", literal)
    if not isinstance(literal, exp.Literal) or literal.is_string:
        return None
    decimal = _DECIMAL.fullmatch(type_)
    if decimal is None and not _INTEGER.fullmatch(type_):
        return None
    scale = int(decimal[2]) if decimal else 0
    digits = min(int(decimal[1]) - scale, _MOST_DIGITS) if decimal else _MOST_DIGITS
    whole, point, fraction = literal.this.partition(".")
    fits = len(whole) <= digits and len(fraction) <= scale and bool(point) == bool(fraction)
    is_plain = f"{whole}{fraction}".isascii() and whole.isdigit() and (not point or fraction.isdigit())
    return ("number", sign + literal.this) if fits and is_plain else None


def _time(type_: str, literal: exp.Expr) -> tuple[str, str] | None:
    if isinstance(literal, exp.Cast) and type(literal) is exp.Cast:
        if literal.to.sql("duckdb") not in _CASTS[type_]:
            return None
        literal = literal.this
    if not _is_text(literal):
        return None
    text = literal.this
    if not (_DAY if type_ == "DATE" else _INSTANT).fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    first, last = _YEARS[type_]
    if not first <= instant.year <= last:
        return None
    return ("date", text) if type_ == "DATE" else ("timestamp", instant.isoformat(sep=" "))


def _is_text(literal: exp.Expr) -> bool:
    return isinstance(literal, exp.Literal) and bool(literal.is_string)
