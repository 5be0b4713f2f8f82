"""ASOF joins may find more than one nearest row; POSITIONAL joins pair rows by where they are stored."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.splice import Edit
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.determinism.total_order import breaker_text, column_text
from osiris_sql.compile.lineage.equations import conjuncts
from osiris_sql.compile.lineage.facts import Scope, Source
from osiris_sql.compile.lineage.resolve import resolve


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a ruling for each such join."""
    for join in subject.find_all(exp.Join):
        method = str(join.args.get("method") or "").upper()
        if method == "POSITIONAL":
            message = "a POSITIONAL JOIN pairs rows by where they are stored; join on a key"
            yield subject.ruling("positional-join", "unsafe", message, _span(subject, join))
        elif method == "ASOF":
            yield _asof(subject, join)


def _span(subject: Subject, join: exp.Join) -> tuple[int, int] | None:
    starts = [(n.meta["start"], n.meta["end"] + 1) for n in join.this.walk() if "start" in n.meta]
    return (min(s for s, _ in starts), max(e for _, e in starts)) if starts else None


def _asof(subject: Subject, join: exp.Join) -> Ruling:
    span = _span(subject, join)
    scope = subject.scope_of(join)
    source = _source(join, scope)
    if scope is None or source is None:
        return subject.ruling("asof-tie", "unsafe", _fix(), span)
    names = _compared(subject, join, scope, source)
    used = set(source.used) if not (source.starred and source.relation.rest) else None
    if any(key <= names for key in source.relation.keys) or (used is not None and used <= names):
        return subject.ruling("asof-tie", "proved", "the ASOF JOIN finds one row at most", span)
    edit = _without_ties(subject, join, source, names, used)
    if edit is None:
        return subject.ruling("asof-tie", "unsafe", _fix(), span)
    message = "the ASOF JOIN may find rows that tie; the first by their remaining columns was taken"
    return subject.ruling("asof-tie", "rewritten", message, span, edit)


def _fix() -> str:
    return "the ASOF JOIN may find rows that tie; make its right side unique in the columns that it compares"


def _source(join: exp.Join, scope: Scope | None) -> Source | None:
    name = join.this.alias_or_name.lower()
    named = [s for s in scope.sources if (s.alias or "").lower() == name] if scope is not None else []
    return named[0] if len(named) == 1 else None


def _compared(subject: Subject, join: exp.Join, scope: Scope, source: Source) -> set[str]:
    """Return the columns of the right side that the join compares."""
    names = {c.name.lower() for c in join.args.get("using") or []}
    on = join.args.get("on")
    for node in conjuncts(on) if on is not None else []:
        for side in (node.left, node.right) if isinstance(node, exp.Binary) else ():
            origin = resolve(side, scope, subject.walk).origin if isinstance(side, exp.Column) else None
            if origin is not None and origin[0] is source:
                names.add(origin[1])
    return names


def _without_ties(
    subject: Subject, join: exp.Join, source: Source, names: set[str], used: set[str] | None
) -> Edit | None:
    """Return the edit that reads one row for each tie from the right side, if that is a plain table."""
    table = join.this
    if (
        not isinstance(table, exp.Table)
        or not isinstance(table.this, exp.Identifier)
        or used is None
        or not names
    ):
        return None
    if (
        table.args.get("pivots")
        or table.args.get("sample")
        or (table.args.get("alias") and table.alias_column_names)
    ):
        return None
    span = _span(subject, join)
    scope = subject.scope_of(join)
    if span is None or scope is None or source.alias is None:
        return None
    parts = [p for p in (table.args.get("db"), table.this) if p is not None]
    written = subject.sql[parts[0].meta["start"] : parts[-1].meta["end"] + 1]
    bare = Source(None, None, source.relation, used=source.used)
    alone = Scope(scope.select, None, {}, sources=[bare])
    by = [column_text(alone, bare, n) for n in sorted(names)]
    rest = [breaker_text(alone, bare, n) for n in source.used if n not in names]
    if None in by or None in rest:
        return None
    alias = table.args["alias"].this if table.alias else table.this
    name = subject.sql[alias.meta["start"] : alias.meta["end"] + 1]
    text = (
        f"(select * from {written} qualify row_number() over"
        f" (partition by {', '.join(map(str, by))} order by {', '.join(map(str, rest))}) = 1) as {name}"
    )
    return Edit(span[0], span[1], (text,))
