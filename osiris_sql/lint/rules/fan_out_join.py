"""Find sums over rows that a join repeats.

Why: a row that meets three rows of the other table is added three times; the total is too high, and nothing
says so.

Bad:
    select c.country, sum(c.credit) as credit
    from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id
    group by c.country

Good:
    select c.country, sum(o.amount) as sales
    from shop.customers as c join shop.orders as o on o.customer_id = c.customer_id
    group by c.country
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.lineage.chase import chase
from osiris_sql.compile.lineage.facts import Atom, Scope, Source
from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each SUM, AVG or COUNT of one table's columns beside a table that is known to repeat its rows.

    Both tables have a key, so what a row of each is can be told.
    """
    for aggregate in model.nodes(exp.Sum, exp.Avg, exp.Count):
        scope = model.scope_of(aggregate)
        if scope is None or len(scope.visible) < 2 or _is_exempt(aggregate):
            continue
        source = _only_source(model, aggregate, scope)
        if source is None or not source.relation.keys or frozenset() in source.relation.keys:
            continue
        other = _repeats(model, scope, source)
        if other is not None:
            yield Finding(
                f"{other.alias} repeats rows of {source.alias}, so this counts some of them more than once",
                model.span(aggregate),
                why=f"the join does not fix a key of {other.alias} "
                f"({', '.join(sorted(other.relation.keys[0]))}), and {source.alias} has one row a "
                f"{', '.join(sorted(source.relation.keys[0]))}",
                fix=f"aggregate {other.alias} before joining it",
            )


def _is_exempt(aggregate: exp.Expr) -> bool:
    return isinstance(aggregate.this, exp.Distinct | exp.Star) or isinstance(aggregate.parent, exp.Window)


def _only_source(model: LintedModel, aggregate: exp.Expr, scope: Scope) -> Source | None:
    """Return the one source that an aggregate takes all its columns from."""
    filtered = aggregate.parent if isinstance(aggregate.parent, exp.Filter) else aggregate
    if isinstance(filtered.parent, exp.Window) or aggregate.find(exp.Select):
        return None
    found = {model.source_of(column, scope) for column in filtered.find_all(exp.Column)}
    return found.pop() if len(found) == 1 else None


def _repeats(model: LintedModel, scope: Scope, source: Source) -> Source | None:
    """Return a source that may have several rows for one of `source` in a group."""
    atoms: set[Atom] = {(source, name) for name in source.names}
    group = scope.select.args.get("group")
    if group is not None:
        listed = group.expressions or [i for i in scope.select.expressions if not i.find(exp.AggFunc)]
        if group.args.get("cube") or group.args.get("rollup") or group.args.get("grouping_sets"):
            return None
        for item in listed:
            node = _grouped(item, scope)
            if isinstance(node, exp.Column):
                column = model.column(node)
                if column is not None and column.origin is not None:
                    atoms.add(column.origin)
            elif node.find(exp.Column):
                return _repeats_plainly(scope, source, atoms, node, model)
    return _first_loose(scope, source, atoms)


def _grouped(item: exp.Expr, scope: Scope) -> exp.Expr:
    """Return what GROUP BY groups by: an item of the list where it is named by place or alias."""
    if (
        isinstance(item, exp.Literal)
        and not item.is_string
        and int(item.this) <= len(scope.select.expressions)
    ):
        return scope.select.expressions[int(item.this) - 1].unalias()
    if isinstance(item, exp.Column) and not item.table and item.name.lower() in scope.alias_nodes:
        return scope.alias_nodes[item.name.lower()]
    return item.unalias()


def _repeats_plainly(
    scope: Scope, source: Source, atoms: set[Atom], node: exp.Expr, model: LintedModel
) -> Source | None:
    """Count the columns of an expression as fixed by it: that may only hide a finding."""
    atoms |= {c.origin for n in node.find_all(exp.Column) if (c := model.column(n)) and c.origin}
    return _first_loose(scope, source, atoms)


def _first_loose(scope: Scope, source: Source, atoms: set[Atom]) -> Source | None:
    known = chase(scope, atoms)
    for other in scope.visible:
        loose = other is not source and other not in known.sources and other.mode == "plain"
        if loose and other.relation.keys and not other.after:
            return other
    return None
