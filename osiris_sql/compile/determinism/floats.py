"""Sums of FLOAT and DOUBLE depend on the order of rows in their last bits; exact numbers don't."""

from __future__ import annotations

from sqlglot import exp

from osiris_sql.compile.determinism.calls import Arguments, whole_end
from osiris_sql.compile.determinism.catalogue import SUMS
from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.outline import Call
from osiris_sql.compile.determinism.splice import Edit
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.lineage.facts import Scope, kind_of_type
from osiris_sql.compile.lineage.numbers import kind_of

_PLAIN = {"fsum": "sum", "sumkahan": "sum", "kahan_sum": "sum", "favg": "avg"}
_EXACT_AVERAGES = ("DATE", "TIME", "TIMESTAMP", "INTERVAL")


def adds_exactly(
    subject: Subject, call: Call, node: exp.Expr, scope: Scope | None, arguments: Arguments
) -> bool:
    """Say whether a sum or average gives the same bits in any order; DuckDB is asked in doubt."""
    if call.name not in SUMS or len(arguments.values) != 1 or call.method:
        return False
    values = subject.arguments_of(node)
    scope = scope or subject.scope_around(node)
    if scope is not None and len(values) == 1:
        kind = kind_of(values[0], scope, subject.walk)
        if kind in ("int", "decimal"):
            return call.name in ("sum", "avg", "mean")
        if kind == "float":
            return False
    types = subject.types_of(call.block, arguments.values[0])
    return bool(types) and all(_is_exact_type(call.name, type_name) for type_name in types)


def added_as_decimal(
    subject: Subject, call: Call, node: exp.Expr, arguments: Arguments, rule: str
) -> Ruling | None:
    """Return the ruling that adds a sum or average up in the DECIMAL type that is configured for that; None
    if none is, or if it can't: DISTINCT rounded values would be others."""
    decimal = subject.float_sums
    if decimal is None or call.name not in SUMS or len(arguments.values) != 1 or call.method:
        return None
    if arguments.order is not None or node.find(exp.Distinct):
        return None
    outline = subject.outline
    start, end = outline.span(arguments.values[0])
    name, opened = outline.tokens[call.start].start, outline.tokens[call.open].start
    last = whole_end(outline, call)
    edits = (
        Edit(name, opened, (f"CAST({_PLAIN[call.name]}",)) if call.name in _PLAIN else _at(name, "CAST("),
        _at(start, "CAST("),
        _at(end, f" AS {decimal})"),
        # What is added behind it, such as its name, comes after.
        Edit(last - 1, last, (f"{subject.sql[last - 1]} AS DOUBLE)",)),
    )
    message = f"{call.name} adds DOUBLE values in any order; each is added as {decimal}, exactly"
    return subject.ruling(rule, "rewritten", message, subject.span_of(call), *edits)


def _at(place: int, text: str) -> Edit:
    return Edit(place, place, (text,))


def _is_exact_type(name: str, type_name: str) -> bool:
    if name not in ("sum", "avg", "mean"):
        return False
    if kind_of_type(type_name) in ("int", "decimal"):
        return True
    return type_name == "BIGNUM" if name == "sum" else type_name.startswith(_EXACT_AVERAGES)
