"""A query under judgement: its tree, its outline and its scopes, tied together by place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TypeVar

from sqlglot import exp

from osiris_sql.compile.determinism.findings import Finding, InputFacts, Ruling
from osiris_sql.compile.determinism.outline import Block, Call, Outline, Tokens
from osiris_sql.compile.determinism.splice import Edit
from osiris_sql.compile.lineage import Walked, walk_query
from osiris_sql.compile.lineage.facts import Scope, base_relation
from osiris_sql.types.manifest import Verdict
from osiris_sql.types.relation import TableSchema

Node = TypeVar("Node", bound=exp.Expr)

Bind = Callable[[str], TableSchema | None]
"""Returns what a query gives by DuckDB's own binder, None if it refuses the query."""

Output = Callable[[], TableSchema]
"""Returns what the query itself gives by DuckDB; raises where it is refused."""

# The parser gives these calls no place of their own.
_PLACELESS = (
    *(exp.ArgMax, exp.ArgMin, exp.GroupConcat, exp.Max, exp.Min),
    *(exp.Quantile, exp.PercentileCont, exp.PercentileDisc),
)
_PLACELESS_NAMES = {
    **dict.fromkeys(("arg_max", "argmax", "max_by"), "ArgMax"),
    **dict.fromkeys(("arg_min", "argmin", "min_by"), "ArgMin"),
    **dict.fromkeys(("string_agg", "group_concat", "listagg"), "GroupConcat"),
    "max": "Max",
    "min": "Min",
    "quantile": "Quantile",
    "quantile_cont": "PercentileCont",
    "quantile_disc": "PercentileDisc",
}
_MAKES_INTERVALS = re.compile(r"(?i)interval|\bage\s*\(|\bto_[a-z]+\s*\(")
_WRAPPERS = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


class Subject:
    """Everything that rules may ask about a query; `bind` costs milliseconds, the rest nearly nothing."""

    def __init__(
        self,
        sql: str,
        tree: exp.Expr,
        inputs: Mapping[tuple[str, str], InputFacts],
        output: TableSchema | Output,
        bind: Bind,
        clock_grain: str | None,
        float_sums: str | None = None,
        walked: Walked | None = None,
    ) -> None:
        self.sql = sql
        self.tree = tree
        self._output = output
        self.bind = bind
        self.clock_grain = clock_grain
        self.float_sums = float_sums
        self.outline = Outline(sql)
        walked = walked or walk_query(
            sql, tree, {k: base_relation(f.node, f.schema, f.keys) for k, f in inputs.items()}
        )
        self.walk, self.relation = walked.walk, walked.relation
        self._nodes, self._by_class = walked.nodes, walked.by_class
        self.lost = walked.lost or frozenset()
        self._types: dict[Tokens, tuple[str, ...]] = {}

    @cached_property
    def output(self) -> TableSchema:
        """Return what the query gives by DuckDB."""
        return self._output if isinstance(self._output, TableSchema) else self._output()

    @cached_property
    def may_hold_intervals(self) -> bool:
        """Say whether there can be an interval here, apart from differences of times."""
        types = (c.kind for relation in self.walk.inputs.values() for c in relation.columns)
        return "interval" in types or _MAKES_INTERVALS.search(self.sql) is not None

    def find_all(self, *kinds: type[Node]) -> list[Node]:
        """Return the nodes of the tree that are of some classes, the root first."""
        found = [nodes for kind, nodes in self._by_class.items() if issubclass(kind, kinds)]
        if len(found) > 1:  # of several classes, in the order of the tree
            return [node for node in self._nodes if isinstance(node, kinds)]
        return list(found[0]) if found else []  # type: ignore[arg-type]

    @cached_property
    def nodes(self) -> dict[int, exp.Expr]:
        """Return the calls of the tree by where their names begin."""
        found: dict[int, exp.Expr] = {}
        placeless: list[exp.Expr] = []
        for node in self.find_all(exp.Func, exp.IgnoreNulls):
            if "start" in node.meta:
                inner = node.this if isinstance(node, exp.IgnoreNulls) else node
                found[node.meta["start"]] = inner
            elif isinstance(node, _PLACELESS):
                placeless.append(node)
        for node in reversed(placeless):  # inner ones first: the root is found first
            start = self._call_around(node, found)
            if start is not None:
                found[start] = node
        return found

    def _call_around(self, node: exp.Expr, taken: dict[int, exp.Expr]) -> int | None:
        """Return where the call of a node begins that the parser gave no place: around its arguments."""
        starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
        index = self.outline.at.get(min(starts, default=-1), -1)
        tokens = self.outline.tokens
        around = [
            call
            for call in self.outline.calls
            if call.open < index < call.close and tokens[call.start].start not in taken
        ]
        named = [call for call in around if _PLACELESS_NAMES.get(call.name) == type(node).__name__]
        inner = max(named, key=lambda call: call.open, default=None)
        return None if inner is None else tokens[inner.start].start

    @cached_property
    def selects(self) -> dict[Block, exp.Select]:
        """Return the SELECT of the tree that each block of the text is."""
        found: dict[Block, exp.Select] = {}
        for select in self.find_all(exp.Select):
            start = _anchor(select)
            block = self.outline.block_at(start) if start is not None else None
            if block is not None:
                found.setdefault(block, select)
        return found

    def node_of(self, call: Call) -> exp.Expr | None:
        """Return the tree's node for a call."""
        return self.nodes.get(self.outline.tokens[call.start].start)

    def scope_of(self, node: exp.Expr) -> Scope | None:
        """Return the scope of the SELECT that a node stands in."""
        select = node.find_ancestor(exp.Select, exp.Pivot)
        return self.walk.scopes.get(id(select)) if isinstance(select, exp.Select) else None

    def scope_around(self, node: exp.Expr) -> Scope | None:
        """Return the scope that the names of a node are of, which may be that of a PIVOT."""
        return self.scope_of(node) or self.walk.pivoted.get(id(node.find_ancestor(exp.Pivot)))

    def arguments_of(self, node: exp.Expr) -> list[exp.Expr]:
        """Return the values that a call aggregates, without its ORDER BY and DISTINCT."""
        this = node.expressions[0] if isinstance(node, exp.Anonymous) and node.expressions else node.this
        while isinstance(this, exp.Order):
            this = this.this
        if isinstance(this, exp.Distinct):
            return list(this.expressions)
        return [this] if isinstance(this, exp.Expr) else []

    def span_of(self, call: Call) -> tuple[int, int]:
        """Return the characters of a call, from its name to its closing parenthesis."""
        return self.outline.span((call.start, call.close + 1))

    def types_of(self, block: Block | None, tokens: Tokens) -> tuple[str, ...]:
        """Return the DuckDB types of an expression in a block, by binding it there: several for COLUMNS(…),
        none if it can't be."""
        if tokens not in self._types:
            self._types[tokens] = self._bound_types(block, tokens)
        return self._types[tokens]

    def _bound_types(self, block: Block | None, tokens: Tokens) -> tuple[str, ...]:
        if block is None or block.is_set:
            return ()
        source = f" FROM {self.outline.text(block.clauses['from'][1])}" if "from" in block.clauses else ""
        ctes = self.visible_ctes(block)
        schema = self.bind(f"{ctes}SELECT {self.outline.text(tokens)}{source}") if ctes is not None else None
        return tuple(column.type for column in schema.columns) if schema is not None else ()

    def visible_ctes(self, block: Block) -> str | None:
        """Return a WITH clause of all CTEs that a block sees; None where names hide each other."""
        texts: list[Tokens] = []
        recursive = False
        here: Block | None = block
        while here is not None:
            recursive = recursive or here.recursive
            seen = [cte for cte in here.ctes if cte[1] <= block.first or here is block]
            own = [cte for cte in here.ctes if cte[0] <= block.first < cte[1] and here.recursive]
            texts = [*seen, *own, *texts]
            here = here.parent
        names = [self.outline.word(first) or self.outline.tokens[first].text for first, _ in texts]
        if len(set(names)) != len(names):
            return None
        body = ", ".join(self.outline.text(cte) for cte in texts)
        return f"WITH {'RECURSIVE ' if recursive else ''}{body} " if texts else ""

    def ruling(
        self,
        rule: str,
        verdict: Verdict,
        message: str,
        span: tuple[int, int] | None,
        *edits: Edit,
        clock: str | None = None,
    ) -> Ruling:
        """Return a ruling on a piece of the text."""
        finding = Finding(rule=rule, verdict=verdict, message=message, span=span)
        return Ruling(finding=finding, edits=edits, clock=clock)


def unwrapped_parent(node: exp.Expr) -> exp.Expr | None:
    """Return what a call stands in, past its FILTER, IGNORE NULLS and WITHIN GROUP."""
    parent = node.parent
    while isinstance(parent, _WRAPPERS):
        parent = parent.parent
    return parent


def _anchor(select: exp.Select) -> int | None:
    """Return where something of a SELECT itself, not of a query in it, stands in the text."""
    for part in (*select.expressions, select.args.get("from_")):
        if part is None:
            continue
        for node in part.walk(prune=lambda n: isinstance(n, exp.Query | exp.Pivot)):
            if "start" in node.meta and not isinstance(node, exp.Query):
                return int(node.meta["start"])
    return None
