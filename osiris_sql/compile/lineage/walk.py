"""The walk over a query, inside out: what each SELECT reads, and what comes out of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from osiris_sql.compile.lineage.equations import add_equalities
from osiris_sql.compile.lineage.facts import OPAQUE, UNKNOWN, Col, Inputs, Relation, Scope, union
from osiris_sql.compile.lineage.from_items import add_from
from osiris_sql.compile.lineage.keys import limited, select_keys, set_operation_keys
from osiris_sql.compile.lineage.pivots import pivot_relation
from osiris_sql.compile.lineage.projections import project
from osiris_sql.compile.lineage.resolve import inputs_of

_MAX_ROUNDS = 20


class Walk:
    """The state of one walk: `reads` notes the columns used of each input node, `scopes` each SELECT.

    `unlimited` has what each query gives before its LIMIT, `pivoted` what each PIVOT reads and groups by.
    """

    def __init__(self, inputs: Mapping[tuple[str, str], Relation]) -> None:
        self.inputs = inputs
        self.reads: dict[str, set[str]] = defaultdict(set)
        self.scopes: dict[int, Scope] = {}
        self.pivoted: dict[int, Scope] = {}
        self.unlimited: dict[int, Relation] = {}
        self.opaque: list[exp.Table] = []
        self.gave_up = False
        self.seen: set[str] = set()
        self.reads_by_name = False
        self.only_exists: set[int] = set()

    def query(self, node: exp.Expr, ctes: dict[str, Relation], parent: Scope | None) -> Relation:
        """Return what a query gives, walking everything in it."""
        ctes = self._with(node, ctes, parent)
        if isinstance(node, exp.Select):
            return self._select(node, ctes, parent)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, ctes, parent)
        if isinstance(node, exp.Subquery):
            return self._subquery(node, ctes, parent)
        if isinstance(node, exp.Values):
            return self._values(node, ctes, parent)
        if isinstance(node, exp.Pivot):
            return pivot_relation(node, self.relation_of(node.this, ctes, parent), self)
        return self.give_up(node)

    def relation_of(self, node: exp.Expr, ctes: dict[str, Relation], parent: Scope | None) -> Relation:
        """Return what `SELECT * FROM node` gives, for a table or query that stands alone."""
        select = exp.Select(expressions=[exp.Star()])
        scope = Scope(select, parent, ctes)
        add_from(node, scope, self)
        select.set("expressions", [exp.Star()])
        return project(select, scope, self)

    def give_up(self, node: exp.Expr) -> Relation:
        """Return a relation of which nothing is known; every table in it is read whole."""
        self.gave_up = True
        for table in node.find_all(exp.Table):
            relation = self.inputs.get(((table.db or "main").lower(), table.name.lower()))
            if relation is not None and relation.node is not None:
                self.seen.add(relation.node)
                self.reads[relation.node].update(c.name for c in relation.columns if c.name)
        return OPAQUE

    def everything_in(self, node: exp.Expr, scope: Scope) -> Inputs:
        """Return all columns that EXISTS depends on: the filters and joins of its subquery."""
        self.only_exists.add(id(node))
        self.query(node, scope.ctes, scope)
        parts: list[Inputs] = []
        for select in node.find_all(exp.Select):
            clauses = [select.args.get(c) for c in ("where", "having", "qualify")]
            clauses += [join.args.get("on") for join in select.args.get("joins") or []]
            parts += [
                inputs_of(c, self.scopes[id(select)], self) for c in clauses if id(select) in self.scopes
            ]
        return union(parts)

    # ------------------------------------------------------------------------------------ queries

    def _with(self, node: exp.Expr, ctes: dict[str, Relation], parent: Scope | None) -> dict[str, Relation]:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        ctes = dict(ctes)
        for cte in clause.expressions:
            name = cte.alias.lower()
            recursive = bool(clause.args.get("recursive")) and isinstance(cte.this, exp.SetOperation)
            relation = self._recursive(cte, ctes, parent) if recursive else self.query(cte.this, ctes, parent)
            ctes[name] = rename(relation, cte.args.get("alias"))
        return ctes

    def _recursive(self, cte: exp.Expr, ctes: dict[str, Relation], parent: Scope | None) -> Relation:
        """Return the columns of a recursive CTE: the anchor's, then as often as more inputs come in."""
        body, alias = cte.this, cte.args.get("alias")
        ctes = self._with(body, ctes, parent)
        anchor = self.query(body.this, ctes, parent)
        relation = Relation(anchor.columns, anchor.rest)
        for _ in range(_MAX_ROUNDS):
            inner = {**ctes, cte.alias.lower(): rename(relation, alias)}
            step = self.query(body.expression, inner, parent)
            wider = unite(relation, step, by_name=bool(body.args.get("by_name")))
            if wider == relation:
                return relation
            relation = wider
        return self.give_up(body)

    def _set_operation(
        self, node: exp.SetOperation, ctes: dict[str, Relation], parent: Scope | None
    ) -> Relation:
        chain: list[exp.SetOperation] = [node]
        while isinstance(chain[-1].this, exp.SetOperation) and not chain[-1].this.args.get("with_"):
            chain.append(chain[-1].this)
        relation = self.query(chain[-1].this, ctes, parent)
        for step in reversed(chain):
            right = self.query(step.expression, ctes, parent)
            by_name = bool(step.args.get("by_name"))
            both = unite(relation, right, by_name=by_name)
            united = relation if isinstance(step, exp.Except) else both
            keys = set_operation_keys(step, relation, both)
            self.unlimited[id(step)] = Relation(united.columns, united.rest, keys)
            relation = limited(step, Relation(united.columns, united.rest, keys, ordered=is_ordered(step)))
        scope = Scope(node, parent, ctes)
        for clause in ("order", "limit", "offset"):
            inputs_of(node.args.get(clause), scope, self)
        return relation

    def _subquery(self, node: exp.Subquery, ctes: dict[str, Relation], parent: Scope | None) -> Relation:
        if isinstance(node.this, exp.Table) or node.args.get("joins"):
            relation = self.relation_of(node, ctes, parent)
        else:
            relation = self.query(node.this, ctes, parent)
        for pivot in node.args.get("pivots") or []:
            relation = pivot_relation(pivot, relation, self)
        self.unlimited[id(node)] = relation
        if is_ordered(node):
            relation = replace(relation, ordered=True)
        return limited(node, relation)

    def _values(self, node: exp.Values, ctes: dict[str, Relation], parent: Scope | None) -> Relation:
        scope = Scope(node, parent, ctes)
        width = max((len(row.expressions) for row in node.expressions), default=0)
        columns = []
        for index in range(width):
            cells = [row.expressions[index] for row in node.expressions if index < len(row.expressions)]
            columns.append(Col(f"col{index}", inputs_of(cells, scope, self)))
        return rename(Relation(tuple(columns)), node.args.get("alias"))

    def _select(self, node: exp.Select, ctes: dict[str, Relation], parent: Scope | None) -> Relation:
        scope = Scope(node, parent, ctes)
        self.scopes[id(node)] = scope
        from_ = node.args.get("from_")
        items = [from_.this] if from_ is not None else []
        for item in [*items, *(node.args.get("joins") or []), *(node.args.get("laterals") or [])]:
            add_from(item, scope, self)
        relation = project(node, scope, self)
        for clause in (
            "where",
            "group",
            "having",
            "qualify",
            "windows",
            "order",
            "distinct",
            "limit",
            "offset",
        ):
            inputs_of(node.args.get(clause), scope, self)
        if node.args.get("where") is not None:
            add_equalities(node.args["where"].this, scope, self, when=(), gives=scope.sources)
        keys = select_keys(scope, self)
        whole = replace(relation, keys=keys)
        self.unlimited[id(node)] = whole
        return limited(node, replace(whole, ordered=is_ordered(node)))


def is_ordered(node: exp.Expr) -> bool:
    """Say whether a query ends in an ORDER BY, so that its reader sees its rows in that order. That of a
    DISTINCT ON says which rows it keeps."""
    distinct = node.args.get("distinct")
    picks = isinstance(distinct, exp.Distinct) and distinct.args.get("on") is not None
    return node.args.get("order") is not None and not picks


def rename(relation: Relation, alias: exp.Expr | None) -> Relation:
    """Return the relation under the column names of an alias such as `t(a, b)`."""
    names = [column.name for column in alias.args.get("columns") or []] if alias is not None else []
    if not names:
        return relation
    if relation.rest is not None:
        return _rename_open(relation, relation.rest, names)
    pairs = list(zip(relation.columns, names, strict=False))
    new = {(old.name or "").lower(): name.lower() for old, name in pairs}
    columns = tuple(column.named(name) for column, name in pairs) + relation.columns[len(names) :]
    keys = tuple(frozenset(new.get(name, name) for name in key) for key in relation.keys)
    return Relation(columns, None, keys, relation.ordered)


def _rename_open(relation: Relation, rest: Col, names: list[str]) -> Relation:
    """Rename columns of which only the first are sure to stand where they seem to."""
    sure = relation.columns[: relation.sure]
    further = rest if relation.sure == len(relation.columns) else UNKNOWN
    columns = [*sure, *[further] * len(names)][: len(names)]
    return Relation(tuple(c.named(n) for c, n in zip(columns, names, strict=True)), rest, sure=len(names))


def unite(left: Relation, right: Relation, *, by_name: bool) -> Relation:
    """Return the columns of a UNION: by position, or by name; each made from both sides."""
    if left.rest or right.rest or (not by_name and len(left.columns) != len(right.columns)):
        return OPAQUE
    if not by_name:
        return Relation(tuple(_both(a, b) for a, b in zip(left.columns, right.columns, strict=True)))
    of_right = {(c.name or "").lower(): c for c in right.columns}
    merged = [_both(c, of_right.pop((c.name or "").lower(), None)) for c in left.columns]
    return Relation((*merged, *of_right.values()))


def _both(left: Col, right: Col | None) -> Col:
    if right is None:
        return left
    kind = left.kind if left.kind == right.kind else None
    kinds = {left.kind, right.kind}
    if kinds == {"int", "decimal"}:
        kind = "decimal"
    same = left.type if left.type == right.type else None
    return Col(left.name, union([left.inputs, right.inputs]), kind, same)
