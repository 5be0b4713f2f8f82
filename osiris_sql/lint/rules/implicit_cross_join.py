"""Find joins that pair every row with every row without saying so.

Why: a comma, or an ON that does not name the table it joins, multiplies the rows and every sum over them.

Bad:
    select c.name, o.amount from shop.customers as c, shop.orders as o

Good:
    select c.name, o.amount from shop.customers as c cross join shop.orders as o
"""

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from osiris_sql.compile.lineage.equations import conjuncts
from osiris_sql.compile.lineage.facts import Scope, Source
from osiris_sql.lint.finding import Edit, Finding
from osiris_sql.lint.linted_model import Joined, LintedModel, is_inner

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each table that no condition connects with those before it."""
    for scope in model.scopes:
        joined = model.joined(scope)
        for index, (source, item, join) in enumerate(joined):
            before = [other for other, _, _ in joined[:index]]
            if join is None or not _stands_alone(source, item):
                continue
            if any(frozenset() in other.relation.keys for other in (source, *before)):
                continue  # one row at most
            if _is_comma(join) and not _is_connected(model, scope, source, before):
                yield Finding(
                    f"nothing connects {item.alias_or_name} with the tables before it",
                    model.span(item),
                    fix="join it ON a condition, or write CROSS JOIN if every pair is meant",
                    edits=_edits(model, item, joined[index:]),
                )
            elif (on := join.args.get("on")) is not None and is_inner(join) and not _names_columns(on):
                yield Finding(
                    "the condition of this join compares no columns",
                    model.span(on) or model.span(item),
                    fix="compare columns, or write CROSS JOIN if every pair is meant",
                )
            elif on is not None and _leaves_out(model, scope, on, source, before):
                yield Finding(
                    f"the condition of this join does not connect {item.alias_or_name}",
                    model.span(on),
                    fix=f"compare a column of {item.alias_or_name} with one of the tables before it",
                )


def _stands_alone(source: Source, item: exp.Expr) -> bool:
    """Say whether an item is a table or a query that takes nothing from what stands before it."""
    if isinstance(item, exp.Subquery):
        return isinstance(item.this, exp.Select) and not source.after
    return isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier)


def _names_columns(on: exp.Expr) -> bool:
    return on.find(exp.Column, exp.Query) is not None


def _is_comma(join: exp.Join) -> bool:
    return not any(join.args.get(key) for key in ("on", "using", "side", "kind", "method"))


def _is_connected(model: LintedModel, scope: Scope, source: Source, before: list[Source]) -> bool:
    """Say whether conditions lead from a source to one before it; what is not sure counts."""
    where = scope.select.args.get("where")
    conditions = conjuncts(where.this) if where is not None else []
    conditions += [join.args["on"] for join in scope.select.args.get("joins") or [] if join.args.get("on")]
    found = [{model.source_of(column, scope) for column in c.find_all(exp.Column)} for c in conditions]
    reached: set[Source | None] = {source}
    while more := [sources for sources in found if sources & reached and not sources <= reached]:
        reached |= set().union(*more)
    return any(None in sources for sources in found) or not reached.isdisjoint(before)


def _leaves_out(model: LintedModel, scope: Scope, on: exp.Expr, source: Source, before: list[Source]) -> bool:
    """Say whether an ON names only tables before this one, or pairs each with all that it picks of this."""
    columns = list(on.find_all(exp.Column))
    found = {model.source_of(column, scope) for column in columns}
    if found == {source} and not on.find(exp.Query):
        picks = (part for part in conjuncts(on) if isinstance(part, exp.EQ))
        return all(part.left.find(exp.Column) and part.right.find(exp.Column) for part in picks)
    return bool(columns) and None not in found and source not in found and found <= {*before}


def _edits(model: LintedModel, item: exp.Expr, rest: list[Joined]) -> tuple[Edit, ...]:
    """Return the comma made CROSS JOIN, where no outer join after it would see other rows then."""
    outer = any(str(join.args.get("side") or "") in ("RIGHT", "FULL") for _, _, join in rest if join)
    span, outline = model.span(item), model.outline
    if outer or span is None or outline is None:
        return ()
    comma = outline.at.get(span[0], 0) - 1
    if comma < 0 or outline.tokens[comma].token_type != TokenType.COMMA:
        return ()
    return (Edit(outline.tokens[comma].start, outline.tokens[comma].end + 1, " cross join"),)
