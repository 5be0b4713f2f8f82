"""From a Manifest to diagnostics: rules that nothing else depends on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project
from osiris_sql.types.relation import TableSchema

if TYPE_CHECKING:
    from osiris_sql.compile.onlooker import Onlooker
    from osiris_sql.lint.fix import Fixed

__all__ = ["fix_project", "lint_along", "lint_project"]


def lint_project(
    project: Project, manifest: Manifest, paths: Sequence[str] = (), *, cache: Path | None = None
) -> tuple[Diagnostic, ...]:
    """Return the findings of all rules, and the mistakes that compiling found; `paths` limits both.

    `cache` is a folder that remembers; the answer is the same without.
    """
    # Imported here, so that the package alone does not load sqlglot; and nothing does where nothing changed.
    from osiris_sql.compile.kept_noun import KeptNoun
    from osiris_sql.lint.remembered import Findings, LintMemory

    kept = KeptNoun(Findings, cache, "findings", project, project, manifest) if cache and not paths else None
    before = kept.read(os.environ) if kept else None
    if before:
        return before.findings
    from osiris_sql.lint.lint import find_all

    memory = LintMemory(cache, project, os.environ)
    findings = find_all(project, manifest, paths, memory)[0]
    if kept:
        kept.write(Findings(findings=findings), memory.environ)
    return findings


def lint_along(
    project: Project, environ: Mapping[str, str], tables: Mapping[str, TableSchema], *, cache: Path | None
) -> Onlooker:
    """Return an onlooker that lints what is compiled; see `osiris_sql.compile.onlooker`."""
    from osiris_sql.lint.along import LintAlong

    return LintAlong(project, environ, tables, cache)


def fix_project(project: Project, manifest: Manifest, paths: Sequence[str] = ()) -> Fixed:
    """Return the project mended as far as it can be; see `osiris_sql.lint.fix.fix_project`."""
    from osiris_sql.lint.fix import fix_project as fix

    return fix(project, manifest, paths)
