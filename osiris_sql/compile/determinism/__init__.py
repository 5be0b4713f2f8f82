"""Determinism: is a query's answer decided by its inputs, and if not, what makes it so?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from sqlglot import exp

from osiris_sql.compile.columns import Binder, BinderError
from osiris_sql.compile.determinism import rules
from osiris_sql.compile.determinism.findings import Finding, InputFacts, Judgement, Ruling, worst
from osiris_sql.compile.determinism.names import LostNameError, keep_names
from osiris_sql.compile.determinism.splice import Edit, OverlapError, apply
from osiris_sql.compile.determinism.subject import Bind, Output, Subject
from osiris_sql.compile.lineage import Walked
from osiris_sql.types.relation import RelationRef, TableSchema

__all__ = ["Bind", "Finding", "InputFacts", "Judgement", "Output", "judge_query"]

_GRAINS = ("day", "hour", "minute", "instant")


def judge_query(
    sql: str,
    tree: exp.Expr | None,
    inputs: Mapping[tuple[str, str], InputFacts],
    output: TableSchema | Output,
    *,
    declared: bool = False,
    reason: str = "",
    clock_grain: str | None = None,
    float_sums: str | None = None,
    bind: Bind | None = None,
    walked: Walked | None = None,
) -> Judgement:
    """Return the verdict on a query, and the text that makes it true.

    `inputs` maps schema and name, in lower case; `output` is what the query gives by DuckDB, or asks it,
    which is left undone where the text that will run is all that has to be bound. `bind`
    returns what a query gives, or None, in a database that has the inputs; without it one is made. `walked`
    is the query's walk, if it was made already.
    `float_sums` is the DECIMAL type as which FLOAT and DOUBLE are added up; else they are in a fixed order.
    A `declared` query runs as its author wrote it, but for the clock.
    """
    if tree is None:
        return _given_up(sql, "sqlglot can't parse this query", declared=declared, reason=reason)
    bind = bind or binder_for(inputs)
    try:
        subject = Subject(sql, tree, inputs, output, bind, clock_grain, float_sums, walked)
        rulings = [ruling for rule in _rules() for ruling in rule.check(subject)]
    except (ValueError, RecursionError):
        return _given_up(
            sql, "this query has no outline that can be trusted", declared=declared, reason=reason
        )
    if declared:
        rulings = [_declared(ruling) for ruling in rulings]
    text, rulings, given = _spliced(subject, rulings)
    findings = [ruling.finding for ruling in rulings]
    if declared:
        findings.append(
            Finding(rule="declared", verdict="declared", message=reason or "declared by the author")
        )
    ordered = tuple(sorted(findings, key=lambda f: (f.span or (-1, -1), f.rule)))
    return Judgement(
        verdict="declared" if declared else worst(ordered),
        reasons=ordered,
        sql=text,
        keys=subject.relation.keys,
        clock=_finest([ruling.clock for ruling in rulings if ruling.clock is not None]),
        output=given,
    )


@cache
def _rules() -> tuple[ModuleType, ...]:
    names = sorted(m.name for m in iter_modules(rules.__path__) if m.name != "tie_messages")
    return tuple(import_module(f"{rules.__name__}.{name}") for name in names)


def binder_for(inputs: Mapping[tuple[str, str], InputFacts]) -> Bind:
    """Return a binder over empty tables of the inputs, made when it is first asked."""
    made: list[Binder] = []

    def bind(sql: str) -> TableSchema | None:
        if not made:
            made.append(Binder())
            for (schema, name), facts in inputs.items():
                made[0].create_table(RelationRef(schema, name), facts.schema)
        try:
            return made[0].bind(sql)
        except BinderError:
            return None

    return bind


def _given_up(sql: str, why: str, *, declared: bool, reason: str) -> Judgement:
    finding = Finding(rule="unparsed-sql", verdict="unknown", message=f"{why}: nothing is proved")
    if declared:
        own = Finding(rule="declared", verdict="declared", message=reason or "declared by the author")
        return Judgement(verdict="declared", reasons=(finding, own), sql=sql, keys=(), clock=None)
    return Judgement(verdict="unknown", reasons=(finding,), sql=sql, keys=(), clock=None)


def _declared(ruling: Ruling) -> Ruling:
    """Return a ruling that leaves the text alone, unless it is about the clock."""
    if ruling.finding.verdict == "proved" or ruling.clock is not None:
        return ruling
    return Ruling(finding=replace(ruling.finding, verdict="declared"))


Spliced = tuple[str, list[Ruling], TableSchema | None]


def _spliced(subject: Subject, rulings: list[Ruling]) -> Spliced:
    """Return the rewritten text, if its names and types are the author's, and what it gives; else the text as
    it was, and the rulings with every rewrite found unsafe."""
    edits = [edit for ruling in rulings for edit in ruling.edits]
    if not edits:
        return subject.sql, rulings, None
    try:
        edits += keep_names(subject, edits)
        text = apply(subject.sql, edits)
    except (OverlapError, LostNameError):
        return subject.sql, [_unplaced(ruling) for ruling in rulings], None
    given = subject.bind(text)
    if given is not None and (all(map(_extends_an_order, edits)) or _same_shape(subject, given)):
        return text, rulings, given
    return subject.sql, [_unplaced(ruling) for ruling in rulings], None


def _extends_an_order(edit: Edit) -> bool:
    """Say whether an edit adds to an ORDER BY that is there: that changes no name and no type."""
    lead = edit.parts[0]
    return edit.start == edit.end and isinstance(lead, str) and lead.startswith(", ")


def _same_shape(subject: Subject, given: TableSchema) -> bool:
    shape = _shape(given)
    return shape == _shape(subject.output) or shape == _shape(subject.bind(subject.sql))


def _shape(schema: TableSchema | None) -> list[tuple[str, str]] | None:
    return [(column.name, column.type) for column in schema.columns] if schema is not None else None


def _unplaced(ruling: Ruling) -> Ruling:
    if not ruling.edits:
        return ruling
    message = f"{ruling.finding.message.split(';')[0]}; it can't be mended here, so write it out yourself"
    return Ruling(finding=replace(ruling.finding, verdict="unsafe", message=message))


def _finest(grains: list[str]) -> str | None:
    return max(grains, key=_GRAINS.index) if grains else None
