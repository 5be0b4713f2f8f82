"""Find UNION where no row can stand on both sides.

Why: UNION compares all rows to drop doubles; where there are none, that is work and memory for nothing.

Bad:
    select customer_id, 'customer' as kind from shop.customers
    union
    select order_id, 'order' from shop.orders

Good:
    select customer_id, 'customer' as kind from shop.customers
    union all
    select order_id, 'order' from shop.orders
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations, pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from osiris_sql.lint.finding import Edit, Finding
from osiris_sql.lint.linted_model import LintedModel

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each UNION of SELECTs that have keys and differ in a constant."""
    for union in model.nodes(exp.Union):
        if isinstance(union.parent, exp.Union):
            continue
        branches = _branches(union)
        if branches and all(_has_key(model, b) for b in branches) and _differ(branches):
            edits = _edits(model, branches)
            yield Finding(
                "UNION drops doubles, and there can't be any",
                (edits[0].start, edits[0].end) if edits else model.span(union),
                why="each side has a key, and a constant tells them apart",
                fix="write UNION ALL",
                edits=edits,
            )


def _branches(union: exp.Union) -> list[exp.Select]:
    """Return the SELECTs of a chain of plain UNIONs, or nothing for any other chain."""
    found: list[exp.Select] = []
    for side in (union.left, union.right):
        if isinstance(side, exp.Union):
            inner = _branches(side)
            if not inner:
                return []
            found += inner
        elif isinstance(side, exp.Select):
            found.append(side)
        else:
            return []
    plain = union.args.get("distinct") and not union.args.get("by_name")
    return found if plain else []


def _has_key(model: LintedModel, select: exp.Select) -> bool:
    relation = model.walk.unlimited.get(id(select))
    return relation is not None and bool(relation.keys)


def _differ(branches: list[exp.Select]) -> bool:
    width = min(len(branch.expressions) for branch in branches)
    return all(
        any(_constants_differ(a.expressions[i], b.expressions[i]) for i in range(width))
        for a, b in combinations(branches, 2)
    )


def _constants_differ(left: exp.Expr, right: exp.Expr) -> bool:
    a, b = left.unalias(), right.unalias()
    if isinstance(a, exp.Boolean) and isinstance(b, exp.Boolean):
        return bool(a.this != b.this)
    if not isinstance(a, exp.Literal) or not isinstance(b, exp.Literal) or a.is_string != b.is_string:
        return False
    return a != b if a.is_string else Decimal(a.this) != Decimal(b.this)


def _edits(model: LintedModel, branches: list[exp.Select]) -> tuple[Edit, ...]:
    outline = model.outline
    spans = [model.span(branch) for branch in branches]
    if outline is None:
        return ()
    found = []
    for before, after in pairwise(spans):
        if before is None or after is None:
            return ()
        tokens = [t for t in outline.tokens if before[1] <= t.start < after[0]]
        words = [t for t in tokens if t.token_type in (TokenType.UNION, TokenType.DISTINCT)]
        if not words or sum(t.token_type == TokenType.UNION for t in words) != 1:
            return ()
        end = words[-1].end + 1 if words[-1].token_type == TokenType.DISTINCT else words[0].end + 1
        found.append(
            Edit(words[0].start, end, words[0].text + (" ALL" if words[0].text.isupper() else " all"))
        )
    return tuple(found)
