"""Total orders: does an ORDER BY leave ties that can be told apart, and what would break them?"""

from __future__ import annotations

from functools import cache

from sqlglot import Dialect, exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from osiris_sql.compile.determinism.calls import Parts
from osiris_sql.compile.determinism.outline import Block, Tokens
from osiris_sql.compile.determinism.splice import Span
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.lineage.chase import Known, chase, is_total
from osiris_sql.compile.lineage.facts import Atom, Scope, Source
from osiris_sql.compile.lineage.grouping import groups_by_sets, has_aggregate, is_grouped
from osiris_sql.compile.lineage.resolve import resolve
from osiris_sql.types.relation import quote_identifier

_DUCKDB = Dialect.get_or_raise("duckdb")


def known_by(subject: Subject, scope: Scope, nodes: list[exp.Expr]) -> Known:
    """Return what is the same in all rows that agree on some expressions."""
    return chase(scope, _atoms(subject, scope, nodes))


def _atoms(subject: Subject, scope: Scope, nodes: list[exp.Expr]) -> set[Atom]:
    parts = [part for n in nodes for part in (n.expressions if isinstance(n, exp.Tuple) else [n])]
    columns = [resolve(n, scope, subject.walk) for n in parts if isinstance(n, exp.Column)]
    return {c.origin for c in columns if c.origin is not None and c.kind != "interval"}


def is_settled(subject: Subject, scope: Scope, block: Block | None, nodes: list[exp.Expr]) -> bool:
    """Say whether rows that agree on some expressions can't be told apart by the query."""
    rest = tie_breakers(subject, scope, block, nodes)
    return rest is not None and not rest


def has_key(subject: Subject, scope: Scope) -> bool:
    """Say whether the query uses columns that tell all rows of a SELECT apart."""
    if is_grouped(scope.select):
        return True
    used = {(s, name) for s in scope.visible for name in (_used(s, subject) or ())}
    return is_total(scope, chase(scope, used))


def tie_breakers(
    subject: Subject, scope: Scope, block: Block | None, nodes: list[exp.Expr]
) -> list[Parts] | None:
    """Return what to add to an order so that no two rows that differ for the query can tie.

    A proven key if the query uses one; else all columns that it uses: rows that agree on those are
    one and the same to it. Nothing to add means that the order is total. None if it can't be said.
    """
    if is_grouped(scope.select):
        return _group_breakers(subject, scope, block, nodes)
    known = known_by(subject, scope, nodes)
    chosen: list[Atom] = []
    for source in scope.visible:
        if source in known.sources:
            continue
        names = _used(source, subject)
        if names is None:
            return None
        key = next((k for k in source.relation.keys if k <= set(names)), None)
        wanted = sorted(key, key=list(source.names).index) if key is not None else list(names)
        chosen += [(source, name) for name in wanted if (source, name) not in known.atoms]
        known = chase(scope, {*known.atoms, *chosen})
    texts = [breaker_text(scope, *atom) for atom in _needed(scope, chosen, known_by(subject, scope, nodes))]
    return None if None in texts else [[text] for text in texts if text is not None]


def _needed(scope: Scope, chosen: list[Atom], given: Known) -> list[Atom]:
    """Return the columns without those that the others give."""
    kept = list(chosen)
    for atom in chosen:
        others = [a for a in kept if a != atom]
        if atom in chase(scope, {*given.atoms, *others}).atoms:
            kept = others
    return kept


def _used(source: Source, subject: Subject) -> dict[str, str] | None:
    """Return the columns that the query uses of a source, or None if it may use some without a name."""
    if source.starred and source.relation.rest is not None:
        return None
    lost = {name: c.name or name for name, c in source.names.items() if name in subject.lost}
    return {**lost, **source.used}


def column_text(scope: Scope, source: Source, name: str) -> str | None:
    """Return how a column of a source is written in its SELECT."""
    column = source.names.get(name)
    written = _quoted(
        column.name if column is not None and column.name is not None else source.used.get(name, name)
    )
    if source.alias is not None:
        return f"{_quoted(source.alias)}.{written}"
    others = [s for s in scope.visible if s is not source]
    return written if not any(name in s.names or s.fallback for s in others) else None


def breaker_text(scope: Scope, source: Source, name: str) -> str | None:
    """Return what breaks ties by a column: of an interval its text, for 1 month equals 30 days."""
    text, column = column_text(scope, source, name), source.names.get(name)
    is_interval = column is not None and column.kind == "interval"
    return f"CAST({text} AS VARCHAR)" if is_interval and text is not None else text


@cache
def _quoted(name: str) -> str:
    try:
        tokens = _DUCKDB.tokenize(name)
    except SqlglotError:
        return quote_identifier(name)
    plain = len(tokens) == 1 and tokens[0].token_type == TokenType.VAR and tokens[0].text == name
    return name if plain else quote_identifier(name)


# --------------------------------------------------------------------------------------------- groups


def _group_breakers(
    subject: Subject, scope: Scope, block: Block | None, nodes: list[exp.Expr]
) -> list[Parts] | None:
    items = group_items(subject, scope, block)
    if items is None:
        return None
    known = known_by(subject, scope, nodes)
    open_items = [
        tokens
        for node, tokens in items
        if node not in nodes and not _atoms(subject, scope, [node]) & known.atoms
    ]
    if not open_items or is_total(scope, known):
        return []
    spans = [Span(*subject.outline.span(tokens)) for tokens in open_items]
    if scope.select.args["group"].args.get("all"):  # a bare column would change what is grouped by
        return [["min(", span, ")"] for span in spans]
    return [[span] for span in spans]


def group_items(subject: Subject, scope: Scope, block: Block | None) -> list[tuple[exp.Expr, Tokens]] | None:
    """Return the expressions of a GROUP BY with their places, ordinals and aliases written out."""
    group = scope.select.args.get("group")
    if group is None:
        return []
    if block is None or subject.selects.get(block) is not scope.select:
        return None
    if groups_by_sets(group):
        return None
    listed = _select_items(subject, scope, block)
    if listed is None:
        return None
    if group.args.get("all"):
        return [item for item in listed if not has_aggregate(item[0])]
    places = subject.outline.split(block.clauses["group"][1])
    if len(places) != len(group.expressions):
        return None
    return [_group_item(n, p, scope, listed) for n, p in zip(group.expressions, places, strict=True)]


def _group_item(
    node: exp.Expr, place: Tokens, scope: Scope, listed: list[tuple[exp.Expr, Tokens]]
) -> tuple[exp.Expr, Tokens]:
    if isinstance(node, exp.Literal) and not node.is_string and 0 < int(node.name) <= len(listed):
        return listed[int(node.name) - 1]
    if isinstance(node, exp.Column) and len(node.parts) == 1:
        name = node.name.lower()
        if not any(name in source.names for source in scope.visible):
            aliased = scope.alias_nodes.get(name)
            return next((item for item in listed if item[0] is aliased), (node, place))
    return node, place


def _select_items(subject: Subject, scope: Scope, block: Block) -> list[tuple[exp.Expr, Tokens]] | None:
    """Return the expressions of a SELECT list without their aliases; None if a star is among them."""
    nodes = scope.select.expressions
    places = subject.outline.items(block)
    if len(nodes) != len(places) or any(_is_star(node.unalias()) for node in nodes):
        return None
    return [(n.unalias(), without_alias(subject, n, p)) for n, p in zip(nodes, places, strict=True)]


def _is_star(node: exp.Expr) -> bool:
    inner = node.this if isinstance(node, exp.Column | exp.Binary | exp.Not) else node
    return (isinstance(inner, exp.Star | exp.Binary) and node.find(exp.Star) is not None) or bool(
        node.find(exp.Columns)
    )


def without_alias(subject: Subject, node: exp.Expr, place: Tokens) -> Tokens:
    """Return the tokens of an item of a SELECT list that are its expression."""
    if not isinstance(node, exp.Alias):
        return place
    index = subject.outline.at.get(node.args["alias"].meta.get("start", -1))
    if index is None:
        return place
    if index == place[0]:  # the alias comes first: `name: expression`
        return index + 2, place[1]
    return place[0], index - 1 if subject.outline.word(index - 1) == "as" else index
