"""What is not known is not proved: functions outside DuckDB's catalogue, relations outside the project."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.compile.determinism.catalogue import TABLE_FUNCTIONS, is_known
from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.subject import Subject


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a ruling for each unknown name."""
    for call in subject.outline.calls:
        if isinstance(subject.node_of(call), exp.Anonymous) and not is_known(call.name):
            message = f"{call.name} is no function of DuckDB; nothing is known of it"
            yield subject.ruling("unknown-function", "unknown", message, subject.span_of(call))
    for item in subject.find_all(exp.Table, exp.Lateral):
        function = item.this
        if isinstance(function, exp.Anonymous) and function.name.lower() not in TABLE_FUNCTIONS:
            message = f"nothing is known of the rows that {function.name}() gives"
            start = function.meta.get("start")
            span = (start, start + len(function.name)) if start is not None else None
            yield subject.ruling("unknown-relation", "unknown", message, span)
    outline = subject.outline
    for index, word in enumerate(outline.words):
        if word == "using" and outline.word(index + 1) == "key":
            message = "USING KEY keeps the last row of a key, and of several in a round nothing is known"
            span = outline.span((index, index + 2))
            yield subject.ruling("unknown-statement", "unknown", message, span)
    if subject.walk.gave_up:
        message = "this query holds a statement that is not understood, such as SUMMARIZE"
        yield subject.ruling("unknown-statement", "unknown", message, None)
    for table in subject.walk.opaque:
        meta = table.this.meta
        span = (meta["start"], meta["end"] + 1) if "start" in meta else None
        message = f"{table.name} is neither a model nor a source; nothing is known of its rows"
        yield subject.ruling("unknown-relation", "unknown", message, span)
