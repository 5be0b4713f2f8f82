"""LIMIT, OFFSET and DISTINCT ON choose rows: the choice needs an order without ties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.outline import Block
from osiris_sql.compile.determinism.rules.tie_messages import ordered_source
from osiris_sql.compile.determinism.splice import Edit
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.determinism.total_order import is_settled
from osiris_sql.compile.lineage.facts import Relation, Scope
from osiris_sql.compile.lineage.grouping import is_grouped

_CUTS = ("limit", "offset", "fetch")


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a ruling for each query that keeps some of its rows."""
    nodes = _cut_queries(subject)
    for block in subject.outline.blocks:
        cuts = [block.clauses[name] for name in _CUTS if name in block.clauses]
        select = subject.selects.get(block)
        distinct_on = select is not None and _distinct_on(select) is not None
        if not cuts and not distinct_on:
            continue
        first = min((keyword for keyword, _ in cuts), default=None)
        node = nodes.get(block) if cuts else select
        rule = "unordered-limit" if cuts else "tied-order"
        yield from _judge(subject, block, node, rule, first)


def _cut_queries(subject: Subject) -> dict[Block, exp.Expr]:
    """Return the node of each block with a LIMIT, found by where the numbers of the LIMIT stand."""
    found: dict[Block, exp.Expr] = {}
    for clause in subject.tree.find_all(exp.Limit, exp.Offset, exp.Fetch):
        starts = [n.meta["start"] for n in clause.walk() if "start" in n.meta]
        index = subject.outline.at.get(min(starts, default=-1))
        for block in subject.outline.blocks if index is not None else ():
            held = [t for name in _CUTS if name in block.clauses for t in [block.clauses[name][1]]]
            if any(begin <= index < end for begin, end in held) and clause.parent is not None:  # type: ignore[operator]
                found[block] = clause.parent
    return found


def _distinct_on(select: exp.Expr) -> exp.Expr | None:
    distinct = select.args.get("distinct")
    return distinct.args.get("on") if isinstance(distinct, exp.Distinct) else None


def _judge(
    subject: Subject, block: Block, node: exp.Expr | None, rule: str, first: int | None
) -> Iterator[Ruling]:
    what = "LIMIT" if first is not None else "DISTINCT ON"
    span = _span(subject, block, first)
    if node is None:
        yield subject.ruling(
            rule, "unsafe", f"{what} chooses among rows; give it an ORDER BY with a key", span
        )
        return
    relation = subject.walk.unlimited.get(id(node))
    scope = subject.walk.scopes.get(id(node))
    ordered = node.args.get("order")
    if first is not None and _takes_nothing(node):
        return
    if relation is not None and _is_total(subject, block, node, relation, scope, cuts=first is not None):
        yield subject.ruling(rule, "proved", f"{what} chooses by an order without ties", span)
    elif ordered is None and _rests_on_order(subject, node, scope):
        message = (
            f"{what} relies on the ORDER BY of a subquery; give the query of the {what} its own ORDER BY"
        )
        yield subject.ruling("ordered-subquery", "unsafe", message, span)
    else:
        yield _rewritten(subject, block, node, relation, rule, first)


def _span(subject: Subject, block: Block, first: int | None) -> tuple[int, int]:
    if first is not None:
        return subject.outline.span((first, first + 1))
    keyword = block.clauses["select"][0]
    return subject.outline.span((keyword + 1, keyword + 3))


def _takes_nothing(node: exp.Expr) -> bool:
    limit = node.args.get("limit")
    return isinstance(limit, exp.Limit) and limit.expression == exp.Literal.number(0)


def _rests_on_order(subject: Subject, node: exp.Expr, scope: Scope | None) -> bool:
    if isinstance(node, exp.Subquery):
        return subject.walk.unlimited[id(node)].ordered
    plain = scope is not None and not is_grouped(node) and not node.args.get("distinct")
    return plain and scope is not None and ordered_source(scope)


def _is_total(
    subject: Subject, block: Block, node: exp.Expr, relation: Relation, scope: Scope | None, *, cuts: bool
) -> bool:
    """Say whether the order decides: it holds all that comes out, or a key of what goes in or out."""
    order = _read_order(node, relation, scope)
    every = relation.rest is None and len(order.outputs) == len(relation.columns)
    if order.is_all or every:
        return True
    on = _distinct_on(node)
    if on is not None:
        nodes = [*on.expressions, *order.nodes]
        if scope is None or not is_settled(subject, scope, block, nodes):
            return False
    if not cuts or any(_holds(key, order.outputs, relation) for key in relation.keys):
        return True
    plain = scope is not None and node.args.get("distinct") is None
    return plain and scope is not None and is_settled(subject, scope, block, order.nodes)


@dataclass(frozen=True, slots=True)
class _Order:
    """What an ORDER BY names: which output columns, by position, and which expressions."""

    outputs: set[int]
    nodes: list[exp.Expr]
    is_all: bool = False


def _read_order(node: exp.Expr, relation: Relation, scope: Scope | None) -> _Order:
    """Return what an ORDER BY names; a plain name is an output column before it is an input one."""
    order = node.args.get("order")
    found = _Order(set(), [])
    names = [(c.name or "").lower() for c in relation.columns]
    for item in order.expressions if order is not None else []:
        this = item.this
        if isinstance(this, exp.Var) and this.name.upper() == "ALL":
            return _Order(set(), [], is_all=True)
        if isinstance(this, exp.Literal) and not this.is_string and 0 < int(this.name) <= len(names):
            found.outputs.add(int(this.name) - 1)
        elif isinstance(this, exp.Column) and len(this.parts) == 1 and this.name.lower() in names:
            found.outputs.add(names.index(this.name.lower()))
            aliased = scope.alias_nodes.get(this.name.lower()) if scope is not None else None
            found.nodes.append(aliased or this)
        else:
            found.nodes.append(this)
    return found


def _holds(key: frozenset[str], outputs: set[int], relation: Relation) -> bool:
    names = [(c.name or "").lower() for c in relation.columns]
    return all(names.count(name) == 1 and names.index(name) in outputs for name in key)


def _rewritten(
    subject: Subject,
    block: Block,
    node: exp.Expr,
    relation: Relation | None,
    rule: str,
    first: int | None,
) -> Ruling:
    what = "LIMIT" if first is not None else "DISTINCT ON"
    span = _span(subject, block, first)
    last = (block.end if first is None else first) - 1
    if "order" not in block.clauses:
        place = subject.outline.tokens[last].end + 1
        message = f"{what} chooses among rows in no order; it chooses in the order of all columns"
        return subject.ruling(rule, "rewritten", message, span, Edit(place, place, (" order by all",)))
    columns = _missing(node, relation, subject.walk.scopes.get(id(node)))
    if columns is None:
        return subject.ruling(rule, "unsafe", f"{what} may meet ties; add a key to its ORDER BY", span)
    place = subject.outline.span(block.clauses["order"][1])[1]
    message = f"the order of {what} may have ties; the remaining columns were added to it"
    edit = Edit(place, place, ("".join(f", {n}" for n in columns),))
    return subject.ruling(rule, "rewritten", message, span, edit)


def _missing(node: exp.Expr, relation: Relation | None, scope: Scope | None) -> list[int] | None:
    """Return the ordinals of the output columns that an order lacks: those of a key if there is one."""
    if relation is None or relation.rest is not None:
        return None
    have = _read_order(node, relation, scope).outputs
    names = [(c.name or "").lower() for c in relation.columns]
    keys = [] if _distinct_on(node) is not None else relation.keys
    key = next((k for k in keys if all(names.count(name) == 1 for name in k)), None)
    wanted = [i for i, name in enumerate(names) if key is None or name in key]
    return [i + 1 for i in wanted if i not in have]
