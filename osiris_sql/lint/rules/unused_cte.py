"""Find CTEs that nothing reads.

Why: who reads the query takes it for a part of the answer.

Bad:
    with large as (select order_id from shop.orders where amount > 100)
    select order_id, amount from shop.orders

Good:
    with large as (select order_id from shop.orders where amount > 100)
    select order_id from large
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.lint.cuts import cut_back, cut_on
from osiris_sql.lint.finding import Edit, Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each CTE whose name stands nowhere else in the query."""
    named: dict[str, list[exp.Table]] = {}
    for table in model.nodes(exp.Table):
        if not table.db:
            named.setdefault(table.name.lower(), []).append(table)
    for cte in model.nodes(exp.CTE):
        if all(_is_inside(table, cte) for table in named.get(cte.alias.lower(), ())):
            span = model.span(cte.args["alias"])
            message = f"nothing reads {cte.alias}"
            yield Finding(message, span, fix="remove it", edits=_edits(model, span))


def _is_inside(table: exp.Expr | None, cte: exp.CTE) -> bool:
    while table is not None and table is not cte:
        table = table.parent
    return table is not None


def _edits(model: LintedModel, span: tuple[int, int] | None) -> tuple[Edit, ...]:
    """Return the CTE taken out with its comma, or with the word WITH if it is the only one."""
    outline = model.outline
    index = outline.at.get(span[0]) if outline is not None and span is not None else None
    if outline is None or index is None:
        return ()
    block = next((b for b in outline.blocks if any(cte[0] == index for cte in b.ctes)), None)
    if block is None or block.recursive:
        return ()
    [own] = [cte for cte in block.ctes if cte[0] == index]
    start, end = outline.span(own)
    if len(block.ctes) == 1:
        return (cut_on(model.sql, outline.tokens[block.first].start, end),)
    if own is not block.ctes[-1]:
        return (cut_on(model.sql, start, outline.tokens[own[1]].end + 1),)
    comma = outline.tokens[own[0] - 1]
    rest = cut_back(model.sql, comma.end + 1, start, end)
    return (Edit(comma.start, comma.end + 1, ""), rest)
