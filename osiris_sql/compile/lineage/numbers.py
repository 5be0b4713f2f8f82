"""How the value of an expression adds up: a sound guess without a binder, None where unsure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from osiris_sql.compile.lineage.facts import Kind, Scope
from osiris_sql.compile.lineage.resolve import resolve

if TYPE_CHECKING:
    from osiris_sql.compile.lineage.walk import Walk

_T = exp.DType
_CASTS: dict[exp.DType, Kind] = {
    **dict.fromkeys((_T.BOOLEAN, _T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT, _T.INT128), "int"),
    **dict.fromkeys((_T.UTINYINT, _T.USMALLINT, _T.UINT, _T.UBIGINT), "int"),
    _T.DECIMAL: "decimal",
    _T.FLOAT: "float",
    _T.DOUBLE: "float",
    **dict.fromkeys((_T.DATE, _T.TIMESTAMPNTZ, _T.TIMESTAMPTZ), "other"),
}
_SPANS = {"age", "normalized_interval", "to_microseconds", "to_milliseconds", "to_seconds", "to_minutes"} | {
    f"to_{unit}"
    for unit in ("hours", "weeks", "months", "quarters", "years", "decades", "centuries", "millennia")
}
_HOLDERS = (exp.Struct, exp.Array, exp.Tuple, exp.ToMap, exp.Explode, exp.PropertyEQ)
_INTEGERS = (
    *(exp.Count, exp.CountIf, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.Length),
    *(exp.Predicate, exp.Boolean, exp.Connector, exp.Not, exp.DateDiff),
)
_SAME = (
    exp.Paren,
    exp.Neg,
    exp.Abs,
    exp.Min,
    exp.Max,
    exp.First,
    exp.Last,
    exp.AnyValue,
    exp.FirstValue,
    exp.LastValue,
    exp.NthValue,
    exp.Lag,
    exp.Lead,
    exp.Window,
    exp.Filter,
    exp.IgnoreNulls,
    exp.RespectNulls,
    exp.Distinct,
    exp.Order,
)


def kind_of(node: exp.Expr, scope: Scope, walk: Walk) -> Kind | None:
    """Return how the value of an expression adds up, or None where only DuckDB's binder can tell."""
    if isinstance(node, exp.Column):
        return resolve(node, scope, walk).kind
    if isinstance(node, exp.Literal):
        return _literal(node)
    if isinstance(node, exp.Cast):
        is_span = any(part.this == _T.INTERVAL for part in node.to.find_all(exp.DataType))
        return "interval" if is_span else _CASTS.get(node.to.this)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
        return _of_sides(node, [kind_of(side, scope, walk) for side in (node.left, node.right)])
    if isinstance(node, exp.Avg):
        return None
    if isinstance(node, _INTEGERS):
        return "int"
    if isinstance(node, exp.Sum):
        return kind_of(node.this, scope, walk)
    if isinstance(node, exp.Distinct):
        return kind_of(node.expressions[0], scope, walk) if len(node.expressions) == 1 else None
    if isinstance(node, _SAME) and isinstance(node.this, exp.Expr):
        return kind_of(node.this, scope, walk)
    if isinstance(node, exp.Interval | exp.ToDays) or (
        isinstance(node, exp.Anonymous) and node.name.lower() in _SPANS
    ):
        return "interval"
    if isinstance(node, _HOLDERS):
        held = {kind_of(part, scope, walk) for part in node.iter_expressions()}
        return "interval" if "interval" in held else None
    branches = _branches(node)
    return (
        _wider([kind_of(b, scope, walk) for b in branches if not isinstance(b, exp.Null)])
        if branches
        else None
    )


def type_of(node: exp.Expr, scope: Scope, walk: Walk) -> str | None:
    """Return the DuckDB type of an expression where it is that of a column, else None."""
    return resolve(node, scope, walk).type if isinstance(node, exp.Column) else None


def _literal(node: exp.Literal) -> Kind | None:
    if node.is_string:
        return None
    text = str(node.this)
    if text.isdigit():
        return "int" if len(text) < 19 else None
    return "decimal" if text.replace(".", "", 1).isdigit() else "float"


def _branches(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
        return [node.this, *node.expressions]
    if isinstance(node, exp.Case):
        default = node.args.get("default")
        return [*(branch.args["true"] for branch in node.args["ifs"]), *([default] if default else [])]
    if isinstance(node, exp.If):
        return [b for b in (node.args.get("true"), node.args.get("false")) if b is not None]
    return [node.this] if isinstance(node, exp.Nullif) else []


def _of_sides(node: exp.Expr, kinds: list[Kind | None]) -> Kind | None:
    """Return the kind of a sum, difference, product or quotient. A time with an interval is a time, and two
    times differ by days and less, which have one spelling."""
    if isinstance(node, exp.Add | exp.Sub) and set(kinds) <= {"interval", "other"}:
        return "interval" if set(kinds) == {"interval"} else "other"
    if isinstance(node, exp.Div):
        return "interval" if kinds[0] == "interval" else "float"
    return _wider(kinds) if isinstance(node, exp.Mul) or "interval" not in kinds else None


def _wider(kinds: list[Kind | None]) -> Kind | None:
    """Return the kind of a mix: exact numbers stay exact, a DOUBLE makes all DOUBLE."""
    if "interval" in kinds:
        return "interval"
    if None in kinds or "other" in kinds or not kinds:
        return None
    return "float" if "float" in kinds else "decimal" if "decimal" in kinds else "int"
