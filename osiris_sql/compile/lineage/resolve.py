"""Names in expressions: which column of which source a name means, and what a value is made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlglot import exp

from osiris_sql.compile.lineage.facts import NOTHING, UNKNOWN, Col, Inputs, Scope, Source, union

if TYPE_CHECKING:
    from osiris_sql.compile.lineage.walk import Walk

QUERIES = (exp.Select, exp.SetOperation, exp.Subquery, exp.Pivot, exp.Values)


def inputs_of(node: object, scope: Scope, walk: Walk) -> Inputs:
    """Return what the value of an expression is made from, and note every column it reads."""
    if isinstance(node, list):
        return union([inputs_of(item, scope, walk) for item in node])
    if not isinstance(node, exp.Expr) or isinstance(node, exp.Identifier | exp.Literal | exp.DataType):
        return NOTHING
    if isinstance(node, exp.Column):
        return resolve(node, scope, walk).inputs
    special = _special(node, scope, walk)
    if special is not _GENERIC:
        return special  # type: ignore[return-value]
    return union([inputs_of(child, scope, walk) for child in node.args.values() if child])


_GENERIC = object()


def _special(node: exp.Expr, scope: Scope, walk: Walk) -> object:
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
        return NOTHING
    if isinstance(node, exp.PositionalColumn):
        return _by_place(node, scope, walk)
    if isinstance(node, exp.Star):
        return union([c.inputs for c in all_columns(scope, walk)])
    if isinstance(node, exp.Exists):
        return walk.everything_in(node.this, scope)
    if isinstance(node, QUERIES):
        relation = walk.query(node, scope.ctes, scope)
        rest = [relation.rest.inputs] if relation.rest else []
        return union([*(column.inputs for column in relation.columns), *rest])
    if isinstance(node, exp.Lambda):
        return _with_locals(node, (p.name for p in node.expressions), scope, walk, [node.this])
    if isinstance(node, exp.Comprehension):
        inner = [node.this, node.args.get("condition")]
        outer = inputs_of(node.args.get("iterator"), scope, walk)
        name = node.expression.name
        if any(name.lower() in source.names for source in scope.visible):
            resolve(exp.column(name), scope, walk)  # DuckDB 1.5 means the column where there is one
        return union([outer, _with_locals(node, [node.expression.name], scope, walk, inner)])
    if isinstance(node, exp.Window) and node.args.get("alias"):
        own = [inputs_of(child, scope, walk) for child in node.args.values() if child]
        return union([*own, _named_window(node, scope, walk)])
    return _chained(node, scope, walk) if isinstance(node, exp.Dot) else _GENERIC


def _by_place(node: exp.PositionalColumn, scope: Scope, walk: Walk) -> Inputs:
    """Return the inputs of `#2`; every column is read, or the places would move."""
    columns, place = all_columns(scope, walk), int(node.this.name)
    sure = len(scope.visible) == 1 and scope.visible[0].relation.rest is None and place <= len(columns)
    return columns[place - 1].inputs if sure else None


def _chained(node: exp.Dot, scope: Scope, walk: Walk) -> Inputs:
    """Return the inputs of `column.upper().left(2)`: the parser leaves the column as bare identifiers."""
    links: list[exp.Expr] = []
    first: exp.Expr = node
    while isinstance(first, exp.Dot):
        links.insert(0, first.expression)
        first = first.this.unnest()
    names: list[exp.Expr] = [first] if isinstance(first, exp.Identifier) else []
    while names and links and isinstance(links[0], exp.Identifier):
        names.append(links.pop(0))
    for link in [first, *links] if not names else links:
        _restore_columns(link)
    arguments = inputs_of(links, scope, walk)
    if not names:
        return union([inputs_of(first, scope, walk), arguments])
    places = ("catalog", "db", "table", "this")[-len(names[:4]) :]
    column = exp.Column(**{place: name.copy() for place, name in zip(places, names, strict=False)})
    return union([resolve(column, scope, walk).inputs, arguments])


# Where an identifier is a name and not a value.
_NAMING = (
    *(exp.Column, exp.Dot, exp.Table, exp.TableAlias, exp.Alias, exp.DataType, exp.Star, exp.Window),
    *(exp.CTE, exp.ColumnDef),
)


def _restore_columns(node: exp.Expr) -> None:
    """Turn bare identifiers that stand for values into the columns that they are."""
    for found in list(node.find_all(exp.Identifier)):
        parent = found.parent
        keys = isinstance(parent, exp.PropertyEQ | exp.Kwarg) and parent.this is found
        if parent is not None and not keys and not isinstance(parent, _NAMING):
            found.replace(exp.Column(this=found.copy()))


def _with_locals(
    node: exp.Expr, names: Iterable[str], scope: Scope, walk: Walk, inner: list[object]
) -> Inputs:
    before = scope.locals
    scope.locals = before | {name.lower() for name in names}
    try:
        return inputs_of(inner, scope, walk)
    finally:
        scope.locals = before


def _named_window(node: exp.Window, scope: Scope, walk: Walk) -> Inputs:
    """Return the inputs of `OVER name`, following windows that extend windows."""
    name = node.args["alias"].name.lower()
    for window in scope.select.args.get("windows") or []:
        if window.this.name.lower() == name and window is not node:
            return inputs_of(window, scope, walk)
    return NOTHING


def resolve(column: exp.Column, scope: Scope, walk: Walk) -> Col:
    """Return the column that a name means, looking outwards as a correlated subquery does."""
    parts = [part.name.lower() for part in column.parts]
    if isinstance(column.this, exp.Star):
        columns = star_source(parts[:-1], scope, walk)
        return UNKNOWN if columns is None else Col(None, union([c.inputs for c in columns]))
    here: Scope | None = scope
    guess: Col | None = None
    while here is not None:
        found = _resolve_here(parts, here, walk)
        if found is not None:
            here.is_reached = here.is_reached or here is not scope
            return found if guess is None else UNKNOWN
        guess = guess or _guess(parts, here, walk)
        here = here.parent
    return guess or UNKNOWN


def _resolve_here(parts: list[str], scope: Scope, walk: Walk) -> Col | None:
    if parts[0] in scope.locals:
        return Col(parts[-1], NOTHING)
    for position, name in enumerate(parts[1:3], 1):
        source = find_source(parts[:position], scope)
        if source is not None and name in source.names:
            return _field(take(source, name, walk), parts[position + 1 :])
    name, fields = parts[0], parts[1:]
    for source in scope.visible:
        if name in source.names:
            return _field(_unqualified(source, name, scope, walk), fields)
    if not fields and (source := find_source(parts, scope)) is not None:
        return Col(name, union([c.inputs for c in take_all(source, walk)]))
    if name in scope.aliases and not any(s.fallback for s in scope.visible):
        return _field(scope.aliases[name], fields)
    return None


def _unqualified(source: Source, name: str, scope: Scope, walk: Walk) -> Col:
    column = take(source, name, walk)
    return scope.merged.get(name, column)


def _guess(parts: list[str], scope: Scope, walk: Walk) -> Col | None:
    """Return what a name may stand for where a source has columns that we have no names for."""
    qualified = find_source(parts[:1], scope) if len(parts) > 1 else None
    name = parts[1] if qualified else parts[0]
    open_ones = [source for source in ([qualified] if qualified else scope.visible) if source.fallback]
    for source in open_ones:
        source.used.setdefault(name, name)
    if len(open_ones) == 1 and open_ones[0].fallback and parts[0] not in scope.aliases:
        return open_ones[0].fallback.called(name).named(parts[-1])
    return UNKNOWN if open_ones else None


def _field(column: Col, fields: list[str]) -> Col:
    return column if not fields else Col(fields[-1], column.inputs)


def find_source(qualifier: list[str], scope: Scope) -> Source | None:
    """Return the source that a qualifier such as `t` or `schema.t` names."""
    for source in scope.visible:
        if source.alias is None or source.alias.lower() != qualifier[-1]:
            continue
        if len(qualifier) == 1 or source.schema == qualifier[-2]:
            return source
    return None


def take(source: Source, name: str, walk: Walk) -> Col:
    """Return a column of a source by its name in lower case, noted as used."""
    column = source.names[name]
    assert column.name is not None
    source.used.setdefault(name, column.name)
    if source.relation.node is not None:
        walk.reads[source.relation.node].add(column.name)
    return Col(column.name, column.inputs, column.kind, column.type, (source, name))


def take_all(source: Source, walk: Walk) -> list[Col]:
    """Return all columns of a source in order, noted as used; the last may stand for unknown ones."""
    source.starred = True
    taken = {name: take(source, name, walk) for name in source.names}
    columns = [taken.pop((c.name or "").lower(), c) for c in source.relation.columns]
    rest = [source.relation.rest] if source.relation.rest else []
    return [*columns, *rest]


def star_source(qualifier: list[str], scope: Scope, walk: Walk) -> list[Col] | None:
    """Return the columns of `t.*`, or None if `t` is no source but a struct."""
    here: Scope | None = scope
    while here is not None:
        source = find_source(qualifier, here)
        if source is not None:
            return take_all(source, walk)
        here = here.parent
    return None


def all_columns(scope: Scope, walk: Walk) -> list[Col]:
    """Return the columns of `*`: a column merged by USING or NATURAL stands once, where it came first."""
    found: list[Col] = []
    seen: set[str] = set()
    for source in scope.visible:
        for column in take_all(source, walk):
            name = (column.name or "").lower()
            if name in scope.merged:
                if name not in seen:
                    found.append(scope.merged[name])
                seen.add(name)
            else:
                found.append(column)
    return found
