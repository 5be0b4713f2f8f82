"""Chance, sequences, row ids and the environment: nothing makes these the same twice."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.determinism.catalogue import ENVIRONMENT, RANDOM, is_volatile
from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.lineage.resolve import resolve

_ENVIRONMENT_TABLES = ("duckdb_", "pragma_", "pg_timezone", "icu_", "test_")


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a ruling for each such value."""
    for call in subject.outline.calls:
        span = subject.span_of(call)
        if call.name in RANDOM:
            message = f"{call.name}() differs from run to run; derive it from a key: {RANDOM[call.name]}"
            yield subject.ruling("random-value", "unsafe", message, span)
        elif call.name in ENVIRONMENT or call.name.startswith(_ENVIRONMENT_TABLES):
            message = f"{call.name}() tells about the place where it runs; pass the value as a var()"
            yield subject.ruling("environment-value", "unsafe", message, span)
        elif is_volatile(call.name):
            message = f"DuckDB calls {call.name}() volatile: it may differ from row to row and run to run"
            yield subject.ruling("random-value", "unsafe", message, span)
    for column in subject.find_all(exp.Column):
        yield from _column(subject, column)
    if subject.find_all(exp.CurrentCatalog):
        for index, word in enumerate(subject.outline.words):
            if word == "current_catalog" and subject.outline.word(index + 1) != "(":
                message = f"{word} tells about the place where it runs; pass the value as a var()"
                span = subject.outline.span((index, index + 1))
                yield subject.ruling("environment-value", "unsafe", message, span)


def _column(subject: Subject, column: exp.Column) -> Iterator[Ruling]:
    name = column.name.lower()
    if name != "rowid" and (name != "current_schema" or len(column.parts) > 1):
        return
    scope = subject.scope_of(column)
    if scope is None or resolve(column, scope, subject.walk).inputs is not None:
        return
    start = column.this.meta.get("start")
    span = (start, start + len(name)) if start is not None else None
    if name == "rowid":
        message = "rowid is the place of a row in storage, which differs from build to build; use a key"
        yield subject.ruling("row-id", "unsafe", message, span)
    else:
        message = f"{name} tells about the place where it runs; pass the value as a var()"
        yield subject.ruling("environment-value", "unsafe", message, span)
