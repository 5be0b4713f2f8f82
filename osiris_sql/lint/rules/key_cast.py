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
from osiris_sql.compile.lineage.facts import kind_of_type
from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel, top_joins

SEVERITY = "warning"

_TIMES = {"DATE": "date", "TIMESTAMP WITH TIME ZONE": "instant", "TIME": "time"}


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each equation of a join between columns whose types are of two families."""
    for scope in model.scopes:
        for join in top_joins(scope.select):
            on = join.args.get("on")
            for node in conjuncts(on) if on is not None else ():
                if not isinstance(node, exp.EQ):
                    continue
                types = [model.column_type(side) for side in (node.left, node.right)]
                if types[0] and types[1] and _clash(types[0], types[1]):
                    yield Finding(
                        f"this join compares {types[0]} with {types[1]}",
                        model.span(node),
                        fix="cast one side yourself, in the model that makes it",
                    )


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
