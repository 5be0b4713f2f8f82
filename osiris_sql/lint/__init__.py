"""From a Manifest to diagnostics: rules that nothing else depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project

if TYPE_CHECKING:
    from osiris_sql.lint.fix import Fixed

__all__ = ["fix_project", "lint_project"]


def lint_project(project: Project, manifest: Manifest, paths: Sequence[str] = ()) -> tuple[Diagnostic, ...]:
    """Return the findings of all rules, and the mistakes that compiling found; `paths` limits both."""
    # Imported here, so that the package alone does not load sqlglot.
    from osiris_sql.lint.lint import find_all

    return find_all(project, manifest, paths)[0]


def fix_project(project: Project, manifest: Manifest, paths: Sequence[str] = ()) -> Fixed:
    """Return the project mended as far as it can be; see `osiris_sql.lint.fix.fix_project`."""
    from osiris_sql.lint.fix import fix_project as fix

    return fix(project, manifest, paths)
