"""Tells whether the rows of source tables changed, without reading them: by what a source knows of itself,
or by the probe that `sources.yml` declares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from osiris_sql.protocols import Source
from osiris_sql.run.mistakes import placed, raise_all
from osiris_sql.types.diagnostic import Diagnostic, OsirisError, ProjectError
from osiris_sql.types.observed import ObservedSource
from osiris_sql.types.project import SourceTable

ALWAYS = "always"


def probe_tables(source: Source, tables: Mapping[str, SourceTable]) -> list[ObservedSource]:
    """Return the tables (by node) as found; raises with every probe that could not be answered."""
    seen = source.probe_change({node: table.identifier for node, table in tables.items()})
    asked = {n: t for n, t in tables.items() if t.extract.probe not in ("", ALWAYS)}
    changes: dict[str, str | None] = {n: None for n, t in tables.items() if t.extract.probe == ALWAYS}
    if asked:
        changes |= _ask(source, asked)
    return [replace(found, change=changes.get(found.node, found.change)) for found in seen]


def _ask(source: Source, tables: Mapping[str, SourceTable]) -> dict[str, str]:
    if not hasattr(source, "ask"):
        raise ProjectError(*map(_no_sql, tables.values()))
    answers = source.ask({n: (t.identifier, t.extract.probe) for n, t in tables.items()})
    raise_all([placed(e, tables[n].location) for n, e in answers.items() if isinstance(e, OsirisError)])
    return {n: _token(tables[n].extract.probe, answer) for n, answer in answers.items()}


def _token(expressions: str, values: Sequence[Any]) -> str:
    """Another probe, or another value of the same, is another token."""
    return f"{expressions} = {json.dumps([None if value is None else str(value) for value in values])}"


def _no_sql(table: SourceTable) -> Diagnostic:
    return Diagnostic(
        rule="no-sql-probe",
        message=f"the table {table.name} can't be probed by SQL",
        location=table.location,
        why="whether its rows changed is known from its file",
        fix=f"leave out `probe`, or `probe: {ALWAYS}` to read it in every build",
    )
