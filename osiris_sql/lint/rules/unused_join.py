"""Find joins that change nothing.

Why: a LEFT JOIN on a key adds no row and drops none; if no column of it is used, it only costs time.

Bad:
    select o.order_id, o.amount from shop.orders as o
    left join shop.customers as c on c.customer_id = o.customer_id

Good:
    select o.order_id, o.amount, c.name from shop.orders as o
    left join shop.customers as c on c.customer_id = o.customer_id
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.lineage.chase import chase
from osiris_sql.compile.lineage.facts import Scope, Source
from osiris_sql.lint.cuts import cut_back
from osiris_sql.lint.finding import Edit, Finding
from osiris_sql.lint.linted_model import LintedModel, is_left

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each LEFT JOIN of which one row at most matches and no column is used."""
    for scope in model.scopes:
        joined = model.joined(scope)
        for index, (source, item, join) in enumerate(joined):
            before = {(other, name) for other, _, _ in joined[:index] for name in other.names}
            if join is None or not is_left(join) or not _condition(join):
                continue
            if source in chase(scope, before).sources and not _is_used(model, scope, source, join):
                yield Finding(
                    f"no column of {item.alias_or_name} is used, and it changes no row",
                    model.span(item),
                    why="it is joined LEFT and on a key",
                    fix="remove the join",
                    edits=_edits(model, item, join),
                )


def _condition(join: exp.Join) -> list[exp.Expr]:
    on: exp.Expr | None = join.args.get("on")
    return [on] if on is not None else list(join.args.get("using") or [])


def _is_used(model: LintedModel, scope: Scope, source: Source, join: exp.Join) -> bool:
    if source.relation.rest is not None or source.alias is None:
        return True
    inside = {id(node) for node in join.walk()}
    own = scope.select.args.get("with_")  # what it defines can't see the tables of its reader
    for node in scope.select.walk(prune=lambda node: node is own):
        if id(node) in inside:
            continue
        if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
            return True
        if isinstance(node, exp.Column) and _may_mean(node, source):
            return True
        if isinstance(node, exp.Identifier) and isinstance(node.parent, exp.Dot):
            return True
    return any(other is not source and source in other.after for other in scope.sources)


def _may_mean(column: exp.Column, source: Source) -> bool:
    parts = [part.name.lower() for part in column.parts]
    alias = (source.alias or "").lower()
    return alias in parts or parts[0] in source.names


def _edits(model: LintedModel, item: exp.Expr, join: exp.Join) -> tuple[Edit, ...]:
    """Return the join taken out, from the end of what stands before it to the end of its condition."""
    outline = model.outline
    span, condition = model.span(item), model.span(*_condition(join))
    if outline is None or span is None or condition is None or not isinstance(item, exp.Table):
        return ()
    first = outline.at.get(span[0], 0)
    while first > 0 and outline.word(first) != "left":
        first -= 1
    last = max((i for i, t in enumerate(outline.tokens) if t.start < condition[1]), default=0)
    closing = {close: opened for opened, close in outline.match.items()}
    while closing.get(last + 1, -1) > first:
        last += 1
    if first == 0 or not _is_end(outline.word(last + 1)):
        return ()
    before, end = outline.tokens[first - 1].end + 1, outline.tokens[last].end + 1
    return (cut_back(model.sql, before, outline.tokens[first].start, end),)


_AFTER = ("", "left", "join", "inner", "right", "full", "cross", "where", "group", "order", "having", "limit")


def _is_end(word: str) -> bool:
    """Say whether a word can only stand after a whole join."""
    return word in (*_AFTER, "qualify", "window", "union", ")", ";", "group by", "order by")
