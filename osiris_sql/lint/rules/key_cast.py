"""Find joins whose sides have types that are cast to meet.

Why: '01' is then 1, a text that is no number stops the run, large numbers lose digits as DOUBLE, and a DATE
only meets the timestamps of midnight.

Bad:
    select o.order_id, c.name from shop.orders as o join shop.customers as c on c.code = o.customer_id

Good:
    select o.order_id, c.name from shop.orders as o join shop.customers as c on c.customer_id = o.customer_id
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.lineage.equations import conjuncts
from osiris_sql.compile.lineage.facts import Scope, kind_of_type
from osiris_sql.lint.definitions import definition
from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel, top_joins

SEVERITY = "warning"

_CAST = {
    **dict.fromkeys(exp.DataType.INTEGER_TYPES, "BIGINT"),
    **dict.fromkeys(exp.DataType.TEXT_TYPES, "VARCHAR"),
    exp.DType.DATE: "DATE",
    exp.DType.DOUBLE: "DOUBLE",
}
_TIMES = {"DATE": "date", "TIMESTAMP WITH TIME ZONE": "instant", "TIME": "time"}


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each equation between columns whose types are of two families, in ON, USING or WHERE."""
    for scope in model.scopes:
        joined = [(node, node.left, node.right) for node in _equations(scope)]
        types = [(node, _type(model, a, scope), _type(model, b, scope)) for node, a, b in joined]
        for node, left, right in [*types, *_used(scope)]:
            if left and right and _clash(left, right):
                yield Finding(
                    f"this join compares {left} with {right}",
                    model.span(node),
                    fix="cast one side yourself, in the model that makes it",
                )


def _equations(scope: Scope) -> list[exp.EQ]:
    """Return the equations in the ON of a SELECT's joins, and those between two tables in its WHERE."""
    clauses = [join.args["on"] for join in top_joins(scope.select) if join.args.get("on") is not None]
    where = scope.select.args.get("where")
    found = [part for clause in clauses for part in conjuncts(clause)]
    found += [part for part in conjuncts(where.this) if _joins(part)] if where is not None else []
    return [part for part in found if isinstance(part, exp.EQ)]


def _joins(part: exp.Expr) -> bool:
    sides = [part.args.get(side) for side in ("this", "expression")]
    tables = [side.text("table").lower() for side in sides if isinstance(side, exp.Column)]
    return len(tables) == 2 and "" not in tables and tables[0] != tables[1]


def _type(model: LintedModel, node: exp.Expr, scope: Scope) -> str | None:
    found = model.column_type(node)
    if found or not isinstance(node, exp.Column):
        return found
    made = definition(model, node)
    if isinstance(made, exp.Cast):
        return _CAST.get(made.to.this)
    hidden = [s for s in scope.sources if not s.visible and s.alias and s.alias.lower() == node.table.lower()]
    column = hidden[0].names.get(node.name.lower()) if hidden else None
    return column.type if column else None


def _used(scope: Scope) -> list[tuple[exp.Expr, str | None, str | None]]:
    """Return the columns that USING joins, with their types on both sides."""
    found: list[tuple[exp.Expr, str | None, str | None]] = []
    joins = top_joins(scope.select)
    for place, join in enumerate(joins if len(scope.sources) == len(joins) + 1 else [], 1):
        for name in join.args.get("using") or []:
            key = name.name.lower()
            left = next((s.names[key] for s in scope.sources[:place] if key in s.names), None)
            right = scope.sources[place].names.get(key)
            found.append((name, left.type if left else None, right.type if right else None))
    return found


def _clash(left: str, right: str) -> bool:
    families = {_family(left), _family(right)}
    return None not in families and len(families) > 1


def _family(type_name: str) -> str | None:
    kind = kind_of_type(type_name)
    if kind in ("int", "decimal"):
        return "exact"
    if kind == "float" or type_name == "VARCHAR":
        return type_name
    if type_name.startswith("TIMESTAMP") and type_name not in _TIMES:
        return "timestamp"
    return _TIMES.get(type_name)
