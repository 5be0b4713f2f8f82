"""Sums of FLOAT and DOUBLE depend on the order of rows in their last bits; exact numbers don't."""

from __future__ import annotations

from sqlglot import exp

from osiris_sql.compile.determinism.calls import Arguments
from osiris_sql.compile.determinism.catalogue import SUMS
from osiris_sql.compile.determinism.outline import Call
from osiris_sql.compile.determinism.subject import Subject
from osiris_sql.compile.lineage.facts import Scope, kind_of_type
from osiris_sql.compile.lineage.numbers import kind_of

_EXACT_AVERAGES = ("DATE", "TIME", "TIMESTAMP", "INTERVAL")


def adds_exactly(
    subject: Subject, call: Call, node: exp.Expr, scope: Scope | None, arguments: Arguments
) -> bool:
    """Say whether a sum or average gives the same bits in any order; DuckDB is asked in doubt."""
    if call.name not in SUMS or len(arguments.values) != 1 or call.method:
        return False
    values = subject.arguments_of(node)
    if scope is not None and len(values) == 1:
        kind = kind_of(values[0], scope, subject.walk)
        if kind in ("int", "decimal"):
            return call.name in ("sum", "avg", "mean")
        if kind == "float":
            return False
    return _is_exact_type(call.name, subject.type_of(call.block, arguments.values[0]))


def _is_exact_type(name: str, type_name: str | None) -> bool:
    if type_name is None or name not in ("sum", "avg", "mean"):
        return False
    if kind_of_type(type_name) in ("int", "decimal"):
        return True
    return type_name == "BIGNUM" if name == "sum" else type_name.startswith(_EXACT_AVERAGES)
