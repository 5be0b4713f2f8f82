"""The verbs that lint."""

from __future__ import annotations

from collections.abc import Sequence

from osiris_sql import lint
from osiris_sql.api.compiling import cache_folder
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project


def lint_project(project: Project, manifest: Manifest, paths: Sequence[str] = ()) -> tuple[Diagnostic, ...]:
    """Return the findings of all rules; see `osiris_sql.lint.lint_project`.

    What did not change is read from `.osiris/cache`.
    """
    return lint.lint_project(project, manifest, paths, cache=cache_folder(project))
