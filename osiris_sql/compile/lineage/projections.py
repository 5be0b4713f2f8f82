"""SELECT lists: stars and their EXCLUDE, REPLACE and RENAME, COLUMNS(...), aliases, names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from osiris_sql.compile.lineage.facts import NOTHING, UNKNOWN, Col, Relation, Scope, Source, union
from osiris_sql.compile.lineage.numbers import kind_of, type_of
from osiris_sql.compile.lineage.resolve import all_columns, inputs_of, resolve, star_source

if TYPE_CHECKING:
    from osiris_sql.compile.lineage.walk import Walk

_PATTERNS = (exp.Like, exp.ILike, exp.SimilarTo, exp.Glob)


def project(select: exp.Select, scope: Scope, walk: Walk) -> Relation:
    """Return what the SELECT list gives, and note the aliases that other clauses may use."""
    columns: list[Col] = []
    rest: Col | None = None
    sure = 0
    for item in select.expressions:
        found, more = _expand(item, scope, walk)
        if more is not None:
            rest = more if rest is None else UNKNOWN
        scope.widths.append(None if more is not None else len(found))
        scope.outputs += [(item.unalias() if len(found) == 1 else None, column) for column in found]
        columns += found
        sure = len(columns) if rest is None else sure
        if more is not None and rest is more and len(scope.visible) == 1:
            sure = len(columns) - len(found) + _sure(found, scope.visible[0])
    return Relation(tuple(columns), rest, sure=sure)


def _sure(found: list[Col], source: Source) -> int:
    """Return how many of a star's columns surely have the names that they seem to have."""
    sure = {column.name for column in source.relation.columns[: source.relation.sure]}
    return next((i for i, column in enumerate(found) if column.name not in sure), len(found))


def _expand(item: exp.Expr, scope: Scope, walk: Walk) -> tuple[list[Col], Col | None]:
    """Return the columns that one item of the list gives, and a stand-in where there may be others."""
    inner = item.unalias()
    if isinstance(inner, exp.Star) and id(scope.select) in walk.only_exists:
        return [], Col(None, NOTHING)
    if isinstance(inner, exp.Star):
        return _edited(inner, all_columns(scope, walk), scope, walk)
    if isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star):
        qualifier = [part.name.lower() for part in inner.parts[:-1]]
        columns = star_source(qualifier, scope, walk)
        if columns is None:
            return _fields(resolve(exp.Column(this=inner.parts[-2].copy()), scope, walk))
        return _edited(inner.this, columns, scope, walk)
    if (isinstance(inner, _PATTERNS) and isinstance(inner.this, exp.Star)) or isinstance(inner, exp.Not):
        star = inner.find(exp.Star) if not inner.find(exp.Count, exp.Select) else None
        if star is not None:
            return [], _any_of(all_columns(scope, walk))
    if (marker := inner.find(exp.Columns)) is not None and _is_own(marker, inner):
        return _each_column(inner, marker, scope, walk)
    column = _single(item, inner, scope, walk)
    if isinstance(inner, exp.Explode | exp.Unnest) and not isinstance(
        inner.this, exp.Array | exp.GenerateSeries
    ):
        spread = resolve(inner.this, scope, walk) if isinstance(inner.this, exp.Column) else column
        if inner.expressions or not (spread.type or "").endswith("]"):
            return _fields(column if inner.expressions else spread)
    if isinstance(item, exp.Alias):
        scope.aliases.setdefault(item.alias.lower(), column)
        scope.alias_nodes.setdefault(item.alias.lower(), inner)
    return [column], None


def _single(item: exp.Expr, inner: exp.Expr, scope: Scope, walk: Walk) -> Col:
    name = item.alias if isinstance(item, exp.Alias) else None
    plain = inner.unnest()
    if isinstance(plain, exp.Column):
        found = resolve(plain, scope, walk)
        return found.named(name or plain.name)
    inputs = inputs_of(inner, scope, walk)
    return Col(name, inputs, kind_of(inner, scope, walk), type_of(inner, scope, walk))


def _fields(struct: Col) -> tuple[list[Col], Col | None]:
    """Return the fields of a struct: made from it, whatever their names are."""
    if struct.type is not None and struct.type.startswith("STRUCT("):
        fields = exp.DataType.build(struct.type, dialect="duckdb").expressions
        return [Col(field.name, struct.inputs) for field in fields], None
    return [], Col(None, struct.inputs)


def _any_of(columns: list[Col]) -> Col:
    """Return what stands for some of these columns under their own names."""
    return Col(None, union([c.inputs for c in columns]), among=tuple(columns))


def _is_own(marker: exp.Expr, item: exp.Expr) -> bool:
    query = marker.find_ancestor(exp.Select, exp.SetOperation)
    return query is item.find_ancestor(exp.Select, exp.SetOperation)


def _edited(star: exp.Star, columns: list[Col], scope: Scope, walk: Walk) -> tuple[list[Col], Col | None]:
    """Apply EXCLUDE, REPLACE and RENAME to the columns of a star."""
    excluded = {e.name.lower() for e in star.args.get("except_") or []}
    replaced = {e.alias.lower(): e.this for e in star.args.get("replace") or []}
    renamed = {e.this.name.lower(): e.alias for e in star.args.get("rename") or []}
    rest = next((c for c in columns if c.name is None and c in _rests(scope)), None)
    found = []
    for column in columns:
        name = (column.name or "").lower()
        if column is rest or (name and name in excluded):
            continue
        if name in replaced:
            value = replaced[name]
            column = Col(column.name, inputs_of(value, scope, walk), kind_of(value, scope, walk))
        found.append(column.named(renamed.get(name, column.name)))
    if rest is not None and (replaced or renamed):
        rest = Col(None, union([rest.inputs, *(inputs_of(v, scope, walk) for v in replaced.values())]))
    return found, rest


def _rests(scope: Scope) -> list[Col]:
    return [source.relation.rest for source in scope.visible if source.relation.rest is not None]


def _each_column(item: exp.Expr, marker: exp.Expr, scope: Scope, walk: Walk) -> tuple[list[Col], Col | None]:
    """Return an expression over COLUMNS(...) once for each column that it stands for."""
    candidates = all_columns(scope, walk)
    others = union(
        [inputs_of(c, scope, walk) for c in item.find_all(exp.Column) if not c.find_ancestor(exp.Columns)]
    )
    chosen = _chosen(marker.this, candidates, scope, walk)
    if marker.args.get("unpack"):  # all of them in one value, as the arguments of a call
        taken = candidates if chosen is None else chosen
        return [Col(None, union([others, *(c.inputs for c in taken)]))], None
    if chosen is None and isinstance(item.parent, exp.Alias):
        return [], Col(None, union([others, *(c.inputs for c in candidates)]))
    if chosen is None:
        return [], _any_of([Col(c.name, union([others, c.inputs])) for c in candidates])
    own_name = item is marker
    return [
        Col(c.name if own_name else None, union([c.inputs, others]), c.kind if own_name else None)
        for c in chosen
    ], None


def _chosen(which: exp.Expr, candidates: list[Col], scope: Scope, walk: Walk) -> list[Col] | None:
    if any(column.name is None for column in candidates):
        return None
    if isinstance(which, exp.Star):
        found, rest = _edited(which, candidates, scope, walk)
        return None if rest else found
    if isinstance(which, exp.Array) and all(isinstance(name, exp.Literal) for name in which.expressions):
        names = {name.name.lower() for name in which.expressions}
        return [c for c in candidates if c.name and c.name.lower() in names]
    if isinstance(which, exp.Literal) and which.is_string:
        try:
            return [c for c in candidates if c.name and re.search(which.this, c.name)]
        except re.error:
            return None
    return None
