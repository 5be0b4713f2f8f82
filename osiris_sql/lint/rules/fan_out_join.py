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
from osiris_sql.compile.lineage.grouping import GROUPING_SETS
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
    groups: dict[int, set[Atom]] = {}
    for aggregate in model.nodes(exp.Sum, exp.Avg, exp.Count):
        scope = model.scope_of(aggregate)
        if scope is None or _is_exempt(aggregate):
            continue
        summed = _only_source(model, aggregate, scope)
        if summed is None or (len(scope.visible) < 2 and scope_behind(model, scope, summed) is None):
            continue
        if id(scope) not in groups:
            groups[id(scope)] = _group_atoms(model, scope)
        atoms = {(summed, column.name.lower()) for column in _arguments(aggregate)}
        joined = _joined(model, scope, summed, atoms, groups[id(scope)])
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
    picked = _origins(model, where) if where is not None else set()
    inner = _atoms_behind(model, behind, atoms | picked) if picked is not None else None
    groups = _atoms_behind(model, behind, known)
    tables = {atom[0] for atom in inner or ()}
    if inner is None or groups is None or len(tables) != 1:
        return None
    return _joined(model, behind, tables.pop(), inner, groups)


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
        origins = _origins(model, made) if made is not None else None
        if origins is None:
            return None
        found |= origins
    return found


def _origins(model: LintedModel, node: exp.Expr) -> set[Atom] | None:
    """Return the columns that an expression takes from one row; None if it takes more than that."""
    found = [model.column(column) for column in node.find_all(exp.Column)]
    origins = {column.origin for column in found if column is not None and column.origin is not None}
    is_plain = node.find(exp.AggFunc, exp.Window, exp.Query) is None
    return origins if is_plain and all(c is not None and c.origin is not None for c in found) else None


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


def _group_atoms(model: LintedModel, scope: Scope) -> set[Atom]:
    """Return the columns that GROUP BY is made from; of several groupings at once, those of all of them."""
    group = scope.select.args.get("group")
    if group is None:
        return set()
    listed = group.expressions or [item for item in scope.select.expressions if not item.find(exp.AggFunc)]
    parts = [
        part for item in listed for part in (item.expressions if isinstance(item, GROUPING_SETS) else [item])
    ]
    nodes = [node for item in parts for node in _grouped(item, scope).find_all(exp.Column)]
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
