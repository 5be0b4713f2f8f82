"""The compiler: a Project in, a Manifest out; every mistake of its author becomes a diagnostic."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from osiris_sql.compile.ahead import Ahead
from osiris_sql.compile.blocking import disabled_input
from osiris_sql.compile.columns import Binder
from osiris_sql.compile.in_order import InOrder
from osiris_sql.compile.model_cache import ModelCache
from osiris_sql.compile.onlooker import Look
from osiris_sql.compile.publications import check_publication
from osiris_sql.compile.sources import finish_sources
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import CompiledTest, Manifest
from osiris_sql.types.project import Project, Publication


def compile_all(
    project: Project,
    environ: Mapping[str, str],
    ahead: Ahead,
    cache: ModelCache | None,
    only: Collection[str] | None,
    look: Look | None,
) -> Manifest:
    """Return the project compiled, or the part of it that some models need, without tests and publications;
    see `compile_project`."""
    binder = Binder(PurePosixPath(project.warehouse).stem)
    try:
        models = InOrder(project, environ, binder, cache, look)
        models.compile(only, ahead)
        if models.onlooker:
            models.onlooker.end()
        tests = _compile_tests(project, models, binder) if only is None else ()
        publications = tuple(_check_publications(project, models)) if only is None else ()
        return _assemble(project, models, tests, publications)
    finally:
        binder.close()


def _assemble(
    project: Project,
    models: InOrder,
    tests: tuple[CompiledTest, ...],
    publications: tuple[Publication, ...],
) -> Manifest:
    schemas = {node: known.schema for node, known in models.known.items()}
    compiled = tuple(models.compiled.values())
    return Manifest(
        project=project.name,
        root=project.root,
        env=project.env,
        warehouse=project.warehouse,
        settings=project.settings,
        connections=project.connections,
        sources=tuple(finish_sources(project, schemas, compiled, tests)),
        models=compiled,
        tests=tests,
        publications=publications,
        diagnostics=(*project.diagnostics, *_by_place(models.diagnostics)),
        blocked=models.blocking.blocked,
    )


def _compile_tests(project: Project, models: InOrder, binder: Binder) -> tuple[CompiledTest, ...]:
    if not project.data_tests:
        return ()
    # Imported here: reading their files takes a while, and pydantic.
    from osiris_sql.compile.data_tests import TestScope, compile_data_tests

    models.supply_all()
    compiled = models.compiled.values()
    scope = TestScope(
        project=project,
        renderer=models.renderer,
        binder=binder,
        names=models.names,
        known=models.known,
        needs={model.node: model.needs for model in compiled},
        models={model.node: model for model in compiled},
    )
    tests, found = compile_data_tests(scope)
    models.diagnostics += found
    return tests


def _check_publications(project: Project, models: InOrder) -> Iterator[Publication]:
    for publication in project.publications:
        node = f"model:{publication.model}"
        if models.blocking.block(publication.node, {node}):
            note = models.blocking.explain(publication.node, publication.location)
            models.diagnostics.append(note)
        elif node in models.disabled:
            models.diagnostics.append(disabled_input(node, publication.location))
        else:
            found = check_publication(publication, models.compiled)
            models.diagnostics += found
            if not found:
                yield publication


def _by_place(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics each once, by file and line."""

    def key(diagnostic: Diagnostic) -> tuple[str, int, int]:
        place = diagnostic.location or Location(path="")
        return place.path, place.line or 0, place.column or 0

    return sorted(dict.fromkeys(diagnostics), key=key)
