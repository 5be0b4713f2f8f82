"""From a Project to a Manifest: pure and offline, one pass a file."""

from collections.abc import Mapping

from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project


def compile_project(project: Project, *, environ: Mapping[str, str] | None = None) -> Manifest:
    """Return the project compiled, offline; never raises for a mistake of its author.

    `environ` is what `env_var()` reads, the process's own by default. A wrong model is left out and
    blocks those below it, no others.
    """
    # Imported here, so that the package alone does not load Jinja, sqlglot and DuckDB.
    from osiris_sql.compile.compiler import compile_all

    return compile_all(project, environ)
