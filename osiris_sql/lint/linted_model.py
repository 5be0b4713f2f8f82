"""One model as rules see it: the author's rendered text, its tree, its scopes and its places."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TypeVar

from sqlglot import exp

from osiris_sql.compile.determinism.outline import Outline
from osiris_sql.compile.lineage import Walked
from osiris_sql.compile.lineage.facts import Col, Scope, Source
from osiris_sql.compile.lineage.resolve import find_source, resolve
from osiris_sql.compile.lineage.walk import Walk
from osiris_sql.compile.places import Locate
from osiris_sql.lint.surroundings import Surroundings
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.manifest import CompiledModel

Node = TypeVar("Node", bound=exp.Expr)
Joined = tuple[Source, exp.Expr, exp.Join | None]
"""A source of a SELECT, the item of FROM that it is, and the join that brought it."""


class LintedModel:
    """A compiled model and its query; `tree` is None where the text can't be parsed or followed.

    An incremental model is read twice, as its first build and as an increment. `is_plain` says that no
    control flow of Jinja had a part in the text, so that each piece of it stands once in the file. `nulls`
    holds, by the id of a SELECT, which of its columns may be NULL, once that was asked.
    """

    def __init__(
        self,
        compiled: CompiledModel,
        around: Surroundings,
        text: str,
        sql: str = "",
        tree: exp.Expr | None = None,
        walked: Walked | None = None,
        locate: Locate | None = None,
        *,
        is_plain: bool = False,
    ) -> None:
        self.compiled = compiled
        self.around = around
        self.text = text
        self.sql = sql
        self.tree = tree if walked else None
        self.walk = walked.walk if walked else Walk({})
        self.relation = walked.relation if walked else None
        self._by_class = walked.by_class if walked and not self.walk.gave_up else {}
        self._columns: dict[int, tuple[exp.Expr, Col | None]] = {}
        self.is_plain = is_plain
        self.nulls: dict[int, frozenset[str]] = {}
        self._locate = locate

    @property
    def is_published(self) -> bool:
        """Whether a target wants this model."""
        return self.compiled.name in self.around.published

    @cached_property
    def scopes(self) -> list[Scope]:
        """Return each SELECT with its sources, outer ones last; none where the query can't be followed."""
        return list(self.walk.scopes.values()) if self.tree is not None and not self.walk.gave_up else []

    @cached_property
    def outline(self) -> Outline | None:
        """Return the tokens of the text, None where they can't be followed."""
        try:
            return Outline(self.sql)
        except (ValueError, IndexError, RecursionError):
            return None

    def nodes(self, *kinds: type[Node]) -> Iterator[Node]:
        """Yield the nodes of the tree that are of a class, or of one made from it."""
        for kind, nodes in self._by_class.items():
            if issubclass(kind, kinds):
                yield from nodes  # type: ignore[misc]

    def scope_of(self, node: exp.Expr) -> Scope | None:
        """Return the scope of the SELECT that a node stands in."""
        select = node.find_ancestor(exp.Select, exp.Pivot)
        return self.walk.scopes.get(id(select)) if isinstance(select, exp.Select) else None

    def column(self, node: exp.Expr) -> Col | None:
        """Return the column that a name means, None for what is no name."""
        if not isinstance(node, exp.Column):
            return None
        if id(node) not in self._columns:
            scope = self.scope_of(node)
            column = None if scope is None else resolve(node, scope, self.walk)
            self._columns[id(node)] = node, column  # held, so that no other gets its id
        return self._columns[id(node)][1]

    def source_of(self, node: exp.Expr, scope: Scope) -> Source | None:
        """Return the source of a SELECT that a name takes a column from; None for one of another SELECT."""
        column = self.column(node)
        if column is None or column.origin is None or column.origin[0] not in scope.sources:
            return None
        return column.origin[0]

    def column_type(self, node: exp.Expr) -> str | None:
        """Return the DuckDB type of a column that is named, None where it isn't known."""
        column = self.column(node)
        return column.type if column else None

    def joined(self, scope: Scope) -> list[Joined]:
        """Return the sources of a SELECT with their items; none where they don't match one to one."""
        args = scope.select.args
        from_, joins = args.get("from_"), args.get("joins") or []
        if from_ is None or len(scope.sources) != 1 + len(joins) or args.get("laterals"):
            return []
        if any(item.this.args.get("joins") for item in (from_, *joins)):
            return []
        items = [(from_.this, None), *((join.this, join) for join in joins)]
        return [(source, item, join) for source, (item, join) in zip(scope.sources, items, strict=True)]

    def named(self, qualifier: str, scope: Scope) -> Source | None:
        """Return the source of a SELECT that goes by a name."""
        return find_source([qualifier.lower()], scope)

    def span(self, *nodes: exp.Expr) -> tuple[int, int] | None:
        """Return the characters from the first to the last of all that has a place in some nodes."""
        metas = [part.meta for node in nodes for part in node.walk() if "start" in part.meta]
        if not metas:
            return None
        return min(int(meta["start"]) for meta in metas), max(int(meta["end"]) for meta in metas) + 1

    def locate(self, span: tuple[int, int] | None) -> Location:
        """Return where a piece of the text comes from."""
        if span is None or self._locate is None:
            return self.compiled.location
        return self._locate(span[0], max(span[1] - span[0], 1))


def top_joins(select: exp.Expr) -> list[exp.Join]:
    """Return the joins of a SELECT."""
    return [join for join in select.args.get("joins") or [] if isinstance(join, exp.Join)]


def is_left(join: exp.Join | None) -> bool:
    """Say whether a join keeps rows of its left side that find no partner."""
    if join is None:
        return False
    side, kind, method = (str(join.args.get(key) or "").upper() for key in ("side", "kind", "method"))
    return side == "LEFT" and kind not in ("SEMI", "ANTI") and not method


def is_right(join: exp.Join | None) -> bool:
    """Say whether a join keeps rows of its right side that find no partner, and no others."""
    return join is not None and str(join.args.get("side") or "").upper() == "RIGHT"


def is_inner(join: exp.Join | None) -> bool:
    """Say whether a join only pairs rows: neither side is kept without a partner."""
    if join is None:
        return False
    side, kind, method = (str(join.args.get(key) or "").upper() for key in ("side", "kind", "method"))
    return not side and kind in ("", "INNER", "CROSS") and not method
