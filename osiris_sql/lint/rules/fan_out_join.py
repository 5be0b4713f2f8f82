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

from osiris_sql.compile.lineage.facts import Atom, Scope, Source
from osiris_sql.lint.definitions import output_behind, scope_behind
from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.settled import repeating

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each SUM, AVG or COUNT of one table's columns beside a table that is known to repeat its rows.

    Both tables have a key, so what a row of each is can be told. The join may stand in a CTE or subquery
    that hands on its rows as they are.
    """
    for aggregate in model.nodes(exp.Sum, exp.Avg, exp.Count):
        scope = model.scope_of(aggregate)
        if scope is None or _is_exempt(aggregate):
            continue
        summed = _only_source(model, aggregate, scope)
        group = _group_atoms(model, scope) if summed is not None else None
        if summed is None or group is None:
            continue
        atoms = {(summed, column.name.lower()) for column in _arguments(aggregate)}
        joined = _joined(model, scope, summed, atoms, group)
        if joined is not None:
            source, other = joined
            yield Finding(
                f"{other.alias} repeats rows of {source.alias}, so this counts some of them more than once",
                model.span(aggregate),
                why=f"the join does not fix a key of {other.alias} "
                f"({', '.join(sorted(other.relation.keys[0]))}), and {source.alias} has one row a "
                f"{', '.join(sorted(source.relation.keys[0]))}",
                fix=f"aggregate {other.alias} before joining it",
            )


def _joined(
    model: LintedModel, scope: Scope, source: Source, atoms: set[Atom], known: set[Atom]
) -> tuple[Source, Source] | None:
    """Return the table whose columns are summed and the one that repeats its rows, here or further in.

    `known` are the columns that rows are grouped by.
    """
    if len(scope.visible) > 1:
        keyed = source.relation.keys and frozenset() not in source.relation.keys
        other = repeating(model, scope, source, known) if keyed else None
        return (source, other) if other is not None else None
    behind = scope_behind(model, scope, source)
    if behind is None or len(scope.sources) > 1 or any(behind.select.args.get(key) for key in _OTHER_ROWS):
        return None
    where = scope.select.args.get("where")
    filtered = {model.column(node) for node in where.find_all(exp.Column)} if where is not None else set()
    picked = {column.origin for column in filtered if column is not None and column.origin is not None}
    inner = _atoms_behind(model, behind, atoms | picked)
    if inner is None or len(picked) < len(filtered) or len({atom[0] for atom in inner}) != 1:
        return None
    groups = _atoms_behind(model, behind, known)
    return None if groups is None else _joined(model, behind, next(iter(inner))[0], inner, groups)


_OTHER_ROWS = ("group", "distinct", "having", "qualify", "limit", "offset", "sample")


def _atoms_behind(model: LintedModel, behind: Scope, atoms: set[Atom]) -> set[Atom] | None:
    """Return the columns that some columns are made from, in the SELECT behind their source.

    None if one is made in another way than from the columns of its own row.
    """
    found = set[Atom]()
    for atom in atoms:
        made, column = output_behind(behind, atom) or (None, None)
        if column is not None and column.origin is not None:
            found.add(column.origin)
            continue
        if made is None or made.find(exp.AggFunc, exp.Window, exp.Query):
            return None
        columns = [model.column(node) for node in made.find_all(exp.Column)]
        if any(column is None or column.origin is None for column in columns):
            return None
        found |= {column.origin for column in columns if column is not None and column.origin is not None}
    return found


def _arguments(aggregate: exp.Expr) -> list[exp.Column]:
    filtered = aggregate.parent if isinstance(aggregate.parent, exp.Filter) else aggregate
    return list(filtered.find_all(exp.Column))


def _is_exempt(aggregate: exp.Expr) -> bool:
    return isinstance(aggregate.this, exp.Distinct | exp.Star) or isinstance(aggregate.parent, exp.Window)


def _only_source(model: LintedModel, aggregate: exp.Expr, scope: Scope) -> Source | None:
    """Return the one source that an aggregate takes all its columns from."""
    filtered = aggregate.parent if isinstance(aggregate.parent, exp.Filter) else aggregate
    if isinstance(filtered.parent, exp.Window) or aggregate.find(exp.Select):
        return None
    found = {model.source_of(column, scope) for column in _arguments(aggregate)}
    return found.pop() if len(found) == 1 else None


def _group_atoms(model: LintedModel, scope: Scope) -> set[Atom] | None:
    """Return the columns that GROUP BY is made from, or None for several groupings at once."""
    group = scope.select.args.get("group")
    if group is None:
        return set()
    if any(group.args.get(key) for key in ("cube", "rollup", "grouping_sets")):
        return None
    listed = group.expressions or [item for item in scope.select.expressions if not item.find(exp.AggFunc)]
    nodes = [node for item in listed for node in _grouped(item, scope).find_all(exp.Column)]
    columns = [model.column(node) for node in nodes]
    return {column.origin for column in columns if column is not None and column.origin is not None}


def _grouped(item: exp.Expr, scope: Scope) -> exp.Expr:
    """Return what GROUP BY groups by: an item of the list where it is named by place or alias."""
    listed: list[exp.Expr] = scope.select.expressions
    if isinstance(item, exp.Literal) and not item.is_string and int(item.this) <= len(listed):
        return listed[int(item.this) - 1].unalias()
    if isinstance(item, exp.Column) and not item.table and item.name.lower() in scope.alias_nodes:
        return scope.alias_nodes[item.name.lower()]
    return item.unalias()
