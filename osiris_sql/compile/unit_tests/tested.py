"""The SQL that a unit test runs: the model as it was compiled, or compiled again under its overrides."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.unit_tests.cte import cte_query
from osiris_sql.compile.unit_tests.input_name import input_node
from osiris_sql.compile.unit_tests.mistake import UnitTestError
from osiris_sql.compile.unit_tests.variant import compile_variant
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.noun import Json
from osiris_sql.types.project import Project, UnitTest
from osiris_sql.types.relation import TableSchema

DEFAULT_RUN_CLOCK = "2000-01-01T00:00:00+00:00"
"""The run clock of a unit test that sets none, so that its answer is the same every day."""


@dataclass(frozen=True, slots=True)
class Tested:
    """The SQL of a model or of one of its CTEs, and the columns that it reads of each node (None: all)."""

    model: CompiledModel
    sql: str
    reads: Mapping[str, tuple[str, ...] | None]
    run_clock: str


def tested_sql(
    test: UnitTest,
    project: Project,
    manifest: Manifest,
    names: NodeNames,
    environ: Mapping[str, str] | None,
) -> Tested | None:
    """Return what to run, or None for a model that is disabled; raises UnitTestError."""
    compiled = next((model for model in manifest.models if model.name == test.model), None)
    if compiled is None:
        if any(diagnostic.severity == "error" for diagnostic in manifest.diagnostics):
            raise UnitTestError(f'the model "{test.model}" does not compile: its errors come first')
        return None
    macros = {**_part(test, "macros")}
    incremental = macros.pop("is_incremental", False) is True
    if incremental and compiled.increment_sql is None:
        raise UnitTestError(f'is_incremental is overridden, but "{test.model}" is not incremental')
    if macros or _part(test, "vars") or _part(test, "env_vars") or _needs_ephemeral(compiled, manifest):
        changed = replace(project, vars={**project.vars, **_part(test, "vars")})
        set_here = {name: _text(value) for name, value in _part(test, "env_vars").items()}
        given = {input_node(rows.input, compiled.node, names) or "" for rows in test.given}
        compiled = compile_variant(
            compiled,
            changed,
            manifest,
            {*given, *compiled.needs},
            macros,
            {**(os.environ if environ is None else environ), **set_here},
        )
    sql = compiled.increment_sql if incremental else compiled.sql
    if sql is None:
        raise UnitTestError(f'under these overrides "{test.model}" is not incremental')
    if test.cte:
        part = cte_query(sql, test.cte, names, schemas_of(manifest), compiled.name)
        return Tested(compiled, part.sql, part.reads, _run_clock(test))
    wanted = set(compiled.needs) | ({compiled.node} if incremental else set())
    return Tested(compiled, sql, {node: compiled.reads.get(node) for node in wanted}, _run_clock(test))


def schemas_of(manifest: Manifest) -> Mapping[str, TableSchema]:
    """Return the columns of every node that rows can be given for."""
    sources = {source.node: source.schema for source in manifest.sources}
    return {**sources, **{model.node: model.schema for model in manifest.models}}


def _run_clock(test: UnitTest) -> str:
    """Return the instant at which a test runs, in UTC; raises UnitTestError."""
    written = str(test.overrides.get("run_clock") or DEFAULT_RUN_CLOCK)
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        raise UnitTestError(
            f'the run clock "{written}" is no instant: write it as 2024-05-01 12:00:00'
        ) from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _part(test: UnitTest, name: str) -> dict[str, Json]:
    return dict(test.overrides.get(name) or {})


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _needs_ephemeral(compiled: CompiledModel, manifest: Manifest) -> bool:
    """Say whether the SQL has other models spliced into it, for which no rows can be given."""
    return bool(set(compiled.needs) & set(_ephemeral(manifest.models)))


def _ephemeral(models: Iterable[CompiledModel]) -> Iterable[str]:
    return (model.node for model in models if model.config.materialized == "ephemeral")
