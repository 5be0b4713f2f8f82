"""From a Project to a Manifest: pure and offline, one pass a file."""

import os
from collections.abc import Mapping
from pathlib import Path

from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project


def compile_project(
    project: Project, *, environ: Mapping[str, str] | None = None, cache: Path | None = None
) -> Manifest:
    """Return the project compiled, offline; never raises for a mistake of its author.

    `environ` is what `env_var()` reads, the process's own by default. A wrong model is left out and
    blocks those below it, no others. `cache` is a folder that remembers; the answer is the same without.
    """
    environ = os.environ if environ is None else environ
    if cache is None:
        return _compile(project, environ)
    from osiris_sql.compile.cache_files import SeenEnviron
    from osiris_sql.compile.manifest_cache import read_manifest, write_manifest

    manifest = read_manifest(cache, project, environ)
    if manifest is None:
        noting = SeenEnviron(environ)
        manifest = _compile(project, noting)
        write_manifest(cache, project, manifest, noting.seen)
    return manifest


def _compile(project: Project, environ: Mapping[str, str]) -> Manifest:
    # Imported here, so that the package alone does not load Jinja, sqlglot and DuckDB.
    from osiris_sql.compile.compiler import compile_all

    return compile_all(project, environ)
