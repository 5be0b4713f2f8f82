"""From a Project to a Manifest: pure and offline, one pass a file."""

import os
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project

if TYPE_CHECKING:
    from osiris_sql.compile.model_cache import ModelCache
    from osiris_sql.compile.onlooker import MakeOnlooker


def compile_project(
    project: Project,
    *,
    environ: Mapping[str, str] | None = None,
    cache: Path | None = None,
    only: Collection[str] | None = None,
    look: "MakeOnlooker | None" = None,
) -> Manifest:
    """Return the project compiled, offline; never raises for a mistake of its author.

    `environ` is what `env_var()` reads, the process's own by default. A wrong model is left out and
    blocks those below it, no others. `cache` is a folder that remembers; the answer is the same without.
    With `only`, nothing but these models and what stands above them needs to be compiled. `look` makes an
    onlooker of all that is compiled where nothing is remembered.
    """
    environ = os.environ if environ is None else environ
    # Imported here, so that the package alone does not load Jinja, sqlglot and DuckDB.
    if cache is None:
        return _compile(project, environ, environ, None, only)
    from osiris_sql.compile.kept_noun import KeptNoun
    from osiris_sql.compile.seen_environ import SeenEnviron

    kept = KeptNoun(Manifest, cache, "manifest", project, project)
    manifest = kept.read(environ)
    if manifest is None:
        from osiris_sql.compile.model_cache import ModelCache

        noting = SeenEnviron(environ)
        models = ModelCache(cache, project, noting)
        manifest = _compile(project, noting, environ, models, only, look, cache)
        models.save()
        if only is None:
            kept.write(manifest, noting)
    return manifest


def _compile(
    project: Project,
    environ: Mapping[str, str],
    unnoted: Mapping[str, str],
    models: "ModelCache | None",
    only: Collection[str] | None,
    look: "MakeOnlooker | None" = None,
    cache: Path | None = None,
) -> Manifest:
    from osiris_sql.compile.ahead import Ahead

    is_new = models is None or models.is_empty
    look = look if is_new else None
    ahead = Ahead(project, unnoted, only, look)
    try:
        if is_new:
            ahead.start()
        from osiris_sql.compile.compiler import compile_all

        looking = partial(look, cache=cache) if look else None
        return compile_all(project, environ, ahead, models, only, looking)
    finally:
        ahead.close()
