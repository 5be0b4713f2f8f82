"""From a Project to a Manifest: pure and offline, one pass a file."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project


def compile_project(
    project: Project,
    *,
    environ: Mapping[str, str] | None = None,
    cache: Path | None = None,
    only: Collection[str] | None = None,
) -> Manifest:
    """Return the project compiled, offline; never raises for a mistake of its author.

    `environ` is what `env_var()` reads, the process's own by default. A wrong model is left out and
    blocks those below it, no others. `cache` is a folder that remembers; the answer is the same without.
    With `only`, nothing but these models and what stands above them needs to be compiled.
    """
    environ = os.environ if environ is None else environ
    # Imported here, so that the package alone does not load Jinja, sqlglot and DuckDB.
    if cache is None:
        from osiris_sql.compile.compiler import compile_all

        return compile_all(project, environ, only=only)
    from osiris_sql.compile.kept_noun import KeptNoun
    from osiris_sql.compile.seen_environ import SeenEnviron

    kept = KeptNoun(Manifest, cache, "manifest", project, project)
    manifest = kept.read(environ)
    if manifest is None:
        from osiris_sql.compile.compiler import compile_all
        from osiris_sql.compile.model_cache import ModelCache

        noting = SeenEnviron(environ)
        models = ModelCache(cache, project, noting)
        manifest = compile_all(project, noting, models, only)
        models.save()
        if only is None:
            kept.write(manifest, noting)
    return manifest
