"""Find columns of CTEs and subqueries that nothing reads.

Why: they are read and carried for nothing, and who reads the query looks for their use.

Bad:
    with sales as (select customer_id, sum(amount) as total, max(placed_at) as latest
      from shop.orders group by all)
    select customer_id, total from sales

Good:
    with sales as (select customer_id, sum(amount) as total from shop.orders group by all)
    select customer_id, total from sales
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.lineage.facts import Source
from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.nulls import cte_of

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each column of a plain CTE, or of a subquery of FROM, that no reader of it names."""
    readers = _readers(model)
    for named in model.nodes(exp.CTE, exp.Subquery):
        sources, select = readers.get(id(named)), named.this
        if not sources or not isinstance(select, exp.Select) or select.args.get("distinct"):
            continue
        if any(source.starred or source.relation.rest is not None for source in sources):
            continue
        if not any(source.used for source in sources):
            continue  # what counts rows must read something
        for item in select.expressions:
            name = item.alias_or_name.lower()
            used = any(name in source.used for source in sources)
            if not used and name and _is_removable(item) and not _is_read_inside(select, item, name):
                message = f"nothing reads {item.alias_or_name} of {named.alias or 'this subquery'}"
                yield Finding(message, model.span(item), fix="leave it out")


def _readers(model: LintedModel) -> dict[int, list[Source]]:
    """Return the sources that each CTE or subquery is read as; none for one that can't be followed."""
    found: dict[int, list[Source]] = {}
    followed = set[int]()
    for scope in model.scopes:
        for source, item, _ in model.joined(scope):
            cte = cte_of(item) if isinstance(item, exp.Table) and not item.args.get("pivots") else None
            if cte is not None:
                found.setdefault(id(cte), []).append(source)
                followed.add(id(item))
            elif isinstance(item, exp.Subquery) and not (item.alias_column_names or item.args.get("pivots")):
                found[id(item)] = [source]
    for table in model.nodes(exp.Table):
        cte = cte_of(table)
        if cte is not None and id(table) not in followed:
            found.pop(id(cte), None)
    return found


def _is_removable(item: exp.Expr) -> bool:
    """Say whether a column can go without changing which rows there are."""
    inner = item.unalias()
    plain = isinstance(item, exp.Alias | exp.Column) and not isinstance(inner, exp.Star | exp.Columns)
    return plain and inner.find(exp.Explode, exp.Unnest, exp.Star, exp.Columns) is None


def _is_read_inside(select: exp.Select, item: exp.Expr, name: str) -> bool:
    """Say whether the SELECT itself needs a column: by its name, by its place, or to group by it."""
    is_grouped, aggregates = select.args.get("group") is not None, item.find(exp.AggFunc) is not None
    alone = not any(part.find(exp.AggFunc) for part in select.expressions if part is not item)
    if (is_grouped and not aggregates) or (aggregates and not is_grouped and alone):
        return True
    clauses = [select.args.get(key) for key in ("group", "order", "where", "having", "qualify")]
    places = [c for c in clauses if isinstance(c, exp.Order | exp.Group)]
    if any(place.find(exp.Literal) or _orders_by_all(place) for place in places):
        return True
    if isinstance(item, exp.Column):
        clauses[2] = None  # there the name means the table's column, which stays
    others = [part for part in (*select.expressions, *clauses) if part is not None and part is not item]
    return any(c.name.lower() == name and not c.table for part in others for c in part.find_all(exp.Column))


def _orders_by_all(clause: exp.Expr) -> bool:
    return any(isinstance(order.this, exp.Var) for order in clause.expressions)
