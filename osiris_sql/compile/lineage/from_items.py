"""FROM: the sources of a SELECT, how each is joined to those before it, and what equations hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from osiris_sql.compile.lineage.equations import add_equalities, same_values
from osiris_sql.compile.lineage.facts import NOTHING, OPAQUE, Col, Relation, Scope, Source, union
from osiris_sql.compile.lineage.pivots import pivot_relation
from osiris_sql.compile.lineage.resolve import inputs_of, take, take_all

if TYPE_CHECKING:
    from osiris_sql.compile.lineage.walk import Walk


def add_from(item: exp.Expr, scope: Scope, walk: Walk) -> None:
    """Add an item of FROM, with what is joined to it, to the sources of a SELECT."""
    if isinstance(item, exp.Join):
        _add_join(item, scope, walk)
        return
    if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Table) and not item.alias:
        add_from(item.this, scope, walk)
    else:
        scope.sources.append(_source(item, scope, walk))
    for join in item.args.get("joins") or []:
        _add_join(join, scope, walk)


def _source(item: exp.Expr, scope: Scope, walk: Walk) -> Source:
    from osiris_sql.compile.lineage.walk import rename

    alias = item.args.get("alias")
    name = alias.name if isinstance(alias, exp.TableAlias) and alias.name else None
    schema = None
    scope.is_reached, was_reached = False, scope.is_reached
    if isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
        relation = _table(item, scope, walk)
        if name is None:
            name, schema = item.name, (item.db or "main").lower()
    elif isinstance(item, exp.Table):
        relation = _function(item.this, scope, walk)
        name = name or item.this.name or None
    elif isinstance(item, exp.Unnest):
        relation = _unnest(item, scope, walk)
        name = name or "unnest"
    elif isinstance(item, exp.Lateral):
        relation = (
            walk.query(item.this, scope.ctes, scope)
            if isinstance(item.this, exp.Subquery | exp.Select)
            else _function(item.this, scope, walk)
        )
    else:
        relation = walk.query(item, scope.ctes, scope)
    for pivot in item.args.get("pivots") or [] if isinstance(item, exp.Table) else []:
        relation = pivot_relation(pivot, relation, walk, read=item)
        name = pivot.alias or name
    if item.args.get("sample") is not None or item.args.get("when") is not None:
        relation = Relation(relation.columns, relation.rest, relation.keys, node=relation.node)
    # Any subquery may be correlated with what stands before it, LATERAL or not.
    after = list(scope.sources) if scope.is_reached or isinstance(item, exp.Table | exp.Unnest) else []
    scope.is_reached = was_reached or scope.is_reached
    plain = isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier)
    if relation.node is not None and alias is not None and alias.args.get("columns"):
        # Names go by place, so no column may be missing.
        walk.reads[relation.node].update(c.name for c in relation.columns if c.name)
    return Source(name, schema, rename(relation, alias), after=[] if plain else after)


def _table(item: exp.Table, scope: Scope, walk: Walk) -> Relation:
    name = item.name.lower()
    if not item.db and name in scope.ctes:
        return scope.ctes[name]
    relation = walk.inputs.get(((item.db or "main").lower(), name))
    if relation is None:
        walk.opaque.append(item)
        return OPAQUE
    assert relation.node is not None
    walk.seen.add(relation.node)
    return relation


def _function(node: exp.Expr, scope: Scope, walk: Walk) -> Relation:
    """Return what a table function gives: made from its arguments, where it reads nothing else."""
    if isinstance(node, exp.GenerateSeries):
        name = "range" if node.args.get("is_end_exclusive") else "generate_series"
        return Relation((Col(name, inputs_of(list(node.args.values()), scope, walk)),))
    if isinstance(node, exp.Explode):
        return Relation((Col("unnest", inputs_of(node.this, scope, walk)),))
    inputs = inputs_of(list(node.args.values()), scope, walk)
    name = node.name.lower()
    if name in ("query", "query_table"):
        walk.reads_by_name = True
    pure = name in ("json_each", "json_tree", "unnest", "repeat", "repeat_row")
    return Relation((), rest=Col(None, inputs if pure else None))


def _unnest(item: exp.Unnest, scope: Scope, walk: Walk) -> Relation:
    inputs = inputs_of(item.expressions, scope, walk)
    if item.args.get("offset"):
        return Relation((Col("unnest", inputs), Col("ordinality", NOTHING)))
    if len(item.expressions) > 1:
        return Relation((), rest=Col(None, inputs))
    return Relation((Col("unnest", inputs),))


def _add_join(join: exp.Join, scope: Scope, walk: Walk) -> None:
    before = [*scope.sources]
    visible_before = scope.visible
    add_from(join.this, scope, walk)
    added = [source for source in scope.sources if source not in before]
    side, kind, method = (str(join.args.get(k) or "").upper() for k in ("side", "kind", "method"))
    when = _join_mode(side, method, before, added)
    using = [column.name.lower() for column in join.args.get("using") or []]
    if method == "NATURAL":
        using = _common_names(visible_before, added, walk)
    for name in using:
        _merge(name, visible_before, added, side, when, scope, walk)
    on = join.args.get("on")
    inputs_of(on, scope, walk)
    if on is not None and when is not None and kind not in ("SEMI", "ANTI"):
        add_equalities(on, scope, walk, when=when, gives=_gives(side, before, added))
    if kind in ("SEMI", "ANTI"):
        for source in added:
            source.visible = False


def _join_mode(
    side: str, method: str, before: list[Source], added: list[Source]
) -> tuple[Source, ...] | None:
    """Note how sources hang on each other; return after which of them the ON equations may be used."""
    if side == "FULL" or method == "POSITIONAL":
        for source in (*before, *added):
            source.mode = "full"
        return None
    if side == "RIGHT":
        for source in before:
            source.after = [*source.after, *added]
        return tuple(added)
    if method == "ASOF":
        for source in added:
            source.mode = "single"
    if side == "LEFT" or method == "ASOF":
        for source in added:
            source.after = [*source.after, *before]
        return tuple(before)
    return ()


def _gives(side: str, before: list[Source], added: list[Source]) -> list[Source]:
    return before if side == "RIGHT" else added if side == "LEFT" else [*before, *added]


def _common_names(before: list[Source], added: list[Source], walk: Walk) -> list[str]:
    if any(source.relation.rest for source in (*before, *added)):
        for source in (*before, *added):
            take_all(source, walk)
            source.mode = "full"
    left = {name for source in before for name in source.names}
    return [name for source in added for name in source.names if name in left]


def _merge(
    name: str,
    before: list[Source],
    added: list[Source],
    side: str,
    when: tuple[Source, ...] | None,
    scope: Scope,
    walk: Walk,
) -> None:
    """Make the columns of a name that USING joins into one, as `SELECT *` and plain names see it."""
    from osiris_sql.compile.lineage.facts import Equality

    left = [source for source in before if name in source.names]
    right = [source for source in added if name in source.names]
    if not left or not right:
        return
    columns = [take(source, name, walk) for source in (left[0], right[0])]
    old = scope.merged.get(name, columns[0])
    chosen = {"RIGHT": columns[1:], "FULL": [old, columns[1]]}.get(side, [old])
    one = chosen[0]
    both = Col(one.name, union([c.inputs for c in chosen]))
    scope.merged[name] = one if len(chosen) == 1 else both
    if when is None or not same_values(columns[0], columns[1]):
        return
    a, b = (left[0], name), (right[0], name)
    if side != "RIGHT":
        scope.equalities.append(Equality(frozenset({a}), b, when))
    if side != "LEFT":
        scope.equalities.append(Equality(frozenset({b}), a, when))
