"""LIMIT, OFFSET and DISTINCT ON choose rows, ARRAY(SELECT …) lines them up: all need a total order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.intervals import equal_intervals, gives_intervals
from osiris_sql.compile.determinism.outline import Block
from osiris_sql.compile.determinism.rules.tie_messages import ordered_source
from osiris_sql.compile.determinism.splice import Edit
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.determinism.total_order import is_settled
from osiris_sql.compile.lineage.facts import Relation, Scope
from osiris_sql.compile.lineage.grouping import is_grouped
from osiris_sql.compile.lineage.keys import spreads_rows
from osiris_sql.compile.lineage.resolve import resolve

_CUTS = ("limit", "offset", "fetch")


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a ruling for each query that keeps some of its rows, or keeps them in order."""
    nodes = _cut_queries(subject)
    for block in subject.outline.blocks:
        keywords = [block.clauses[name][0] for name in _CUTS if name in block.clauses]
        select = subject.selects.get(block)
        first = min(keywords, default=None)
        if first is not None:
            yield from _judge(subject, _Choice(block, nodes.get(block), "unordered-limit", "LIMIT", first))
        elif _is_array(subject, block):
            yield from _judge(subject, _Choice(block, select, "unordered-array", "ARRAY(SELECT …)", None))
        elif select is not None and _distinct_on(select) is not None:
            yield from _judge(subject, _Choice(block, select, "tied-order", "DISTINCT ON", None))


@dataclass(frozen=True, slots=True)
class _Choice:
    """A query that chooses among rows: by which clause, and the keyword of its LIMIT."""

    block: Block
    node: exp.Expr | None
    rule: str
    what: str
    limit: int | None

    @property
    def end(self) -> int:
        """Return the token before which an ORDER BY goes."""
        return self.block.end if self.limit is None else self.limit


def _is_array(subject: Subject, block: Block) -> bool:
    return subject.outline.word(block.first - 2) == "array" and subject.outline.word(block.first - 1) == "("


def _cut_queries(subject: Subject) -> dict[Block, exp.Expr]:
    """Return the node of each block with a LIMIT, found by where the numbers of the LIMIT stand."""
    found: dict[Block, exp.Expr] = {}
    for clause in subject.find_all(exp.Limit, exp.Offset, exp.Fetch):
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


def _judge(subject: Subject, choice: _Choice) -> Iterator[Ruling]:
    node, what, rule = choice.node, choice.what, choice.rule
    span = _span(subject, choice)
    if node is None:
        message = f"{what} takes rows in no order; give it an ORDER BY with a key"
        yield subject.ruling(rule, "unsafe", message, span)
        return
    relation = subject.walk.unlimited.get(id(node))
    scope = subject.walk.scopes.get(id(node))
    if choice.limit is not None and _takes_nothing(node):
        return
    if relation is not None and _is_total(subject, choice, node, relation, scope):
        yield subject.ruling(rule, "proved", f"{what} goes by an order without ties", span)
    elif node.args.get("order") is None and _rests_on_order(subject, node, scope):
        message = f"{what} relies on the ORDER BY of a subquery; give its own query an ORDER BY"
        yield subject.ruling("ordered-subquery", "unsafe", message, span)
    elif relation is not None and _ties_by_intervals(subject, node, relation):
        yield equal_intervals(subject, f"a column of {what}", span)
    else:
        yield _rewritten(subject, choice, node, relation)


def _span(subject: Subject, choice: _Choice) -> tuple[int, int]:
    outline = subject.outline
    if choice.limit is not None:
        return outline.span((choice.limit, choice.limit + 1))
    if choice.rule == "unordered-array":
        return outline.span((choice.block.first - 2, choice.block.end + 1))
    keyword = choice.block.clauses["select"][0]
    return outline.span((keyword + 1, keyword + 3))


def _takes_nothing(node: exp.Expr) -> bool:
    limit = node.args.get("limit")
    return isinstance(limit, exp.Limit) and limit.expression == exp.Literal.number(0)


def _rests_on_order(subject: Subject, node: exp.Expr, scope: Scope | None) -> bool:
    if isinstance(node, exp.Subquery):
        return subject.walk.unlimited[id(node)].ordered
    plain = scope is not None and not is_grouped(node) and not node.args.get("distinct")
    return plain and scope is not None and ordered_source(scope)


def _is_total(
    subject: Subject, choice: _Choice, node: exp.Expr, relation: Relation, scope: Scope | None
) -> bool:
    """Say whether the order decides: it holds all that comes out, or a key of what goes in or out."""
    order = _read_order(subject, node, relation, scope)
    every = relation.rest is None and len(order.outputs) == len(relation.columns)
    if (order.is_all or every) and not _ties_by_intervals(subject, node, relation):
        return True
    on = _distinct_on(node)
    if on is not None:
        if scope is None or spreads_rows(scope.select):
            return False
        nodes = [*(_meant(one, scope) for one in on.expressions), *order.nodes]
        if not is_settled(subject, scope, choice.block, nodes):
            return False
    only_picks = choice.what == "DISTINCT ON"
    if only_picks or any(_holds(key, order.outputs, relation) for key in relation.keys):
        return True
    plain = scope is not None and node.args.get("distinct") is None and not spreads_rows(node)
    return plain and scope is not None and is_settled(subject, scope, choice.block, order.nodes)


@dataclass(frozen=True, slots=True)
class _Order:
    """What an ORDER BY names: which output columns, by position, and which expressions."""

    outputs: set[int]
    nodes: list[exp.Expr]
    is_all: bool = False


def _read_order(subject: Subject, node: exp.Expr, relation: Relation, scope: Scope | None) -> _Order:
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
            found.nodes.append(_meant(this, scope))
        else:
            found.outputs.update(_outputs_like(subject, this, relation, scope))
            found.nodes.append(this)
    return found


def _meant(node: exp.Expr, scope: Scope | None) -> exp.Expr:
    """Return what a plain name stands for in ORDER BY and DISTINCT ON: an alias before a column."""
    plain = scope is not None and isinstance(node, exp.Column) and len(node.parts) == 1
    return (scope.alias_nodes.get(node.name.lower()) if plain and scope is not None else None) or node


def _outputs_like(subject: Subject, this: exp.Expr, relation: Relation, scope: Scope | None) -> set[int]:
    """Return the output columns that an expression of an ORDER BY writes out again."""
    if scope is None or None in scope.widths or len(scope.outputs) != len(relation.columns):
        return set()
    if any(
        column.name.lower() in scope.alias_nodes for column in this.find_all(exp.Column) if not column.table
    ):
        return set()  # an alias stands in an expression for what it names
    origin = resolve(this, scope, subject.walk).origin if isinstance(this, exp.Column) else None
    return {
        index
        for index, (expression, column) in enumerate(scope.outputs)
        if expression == this or (origin is not None and column.origin == origin)
    }


def _holds(key: frozenset[str], outputs: set[int], relation: Relation) -> bool:
    names = [(c.name or "").lower() for c in relation.columns]
    return all(names.count(name) == 1 and names.index(name) in outputs for name in key)


def _rewritten(subject: Subject, choice: _Choice, node: exp.Expr, relation: Relation | None) -> Ruling:
    span = _span(subject, choice)
    if "order" not in choice.block.clauses:
        place = subject.outline.tokens[choice.end - 1].end + 1
        message = f"{choice.what} takes rows in no order; it takes them in the order of all columns"
        edit = Edit(place, place, (" order by all",))
        return subject.ruling(choice.rule, "rewritten", message, span, edit)
    columns = _missing(subject, node, relation)
    if columns is None:
        message = f"{choice.what} may meet ties; add a key to its ORDER BY"
        return subject.ruling(choice.rule, "unsafe", message, span)
    place = subject.outline.span(choice.block.clauses["order"][1])[1]
    message = f"the order of {choice.what} may have ties; the remaining columns were added to it"
    edit = Edit(place, place, ("".join(f", {n}" for n in columns),))
    return subject.ruling(choice.rule, "rewritten", message, span, edit)


def _key(node: exp.Expr, relation: Relation) -> frozenset[str] | None:
    """Return a key of what comes out; that of DISTINCT ON does not say which rows stay."""
    names = [(c.name or "").lower() for c in relation.columns]
    keys = [] if _distinct_on(node) is not None else relation.keys
    return next((k for k in keys if all(names.count(name) == 1 for name in k)), None)


def _ties_by_intervals(subject: Subject, node: exp.Expr, relation: Relation) -> bool:
    """Say whether only intervals may tell the rows apart that come out."""
    return _key(node, relation) is None and gives_intervals(subject, node, relation)


def _missing(subject: Subject, node: exp.Expr, relation: Relation | None) -> list[int] | None:
    """Return the ordinals of the output columns that an order lacks: those of a key if there is one."""
    if relation is None or relation.rest is not None:
        return None
    have = _read_order(subject, node, relation, subject.walk.scopes.get(id(node))).outputs
    names = [(c.name or "").lower() for c in relation.columns]
    key = _key(node, relation)
    wanted = [i for i, name in enumerate(names) if key is None or name in key]
    return [i + 1 for i in wanted if i not in have]
