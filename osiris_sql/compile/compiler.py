"""The compiler: a Project in, a Manifest out; every mistake of its author becomes a diagnostic."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from osiris_sql.compile.blocking import Blocking, disabled_input, draw_cycle, place_of_need
from osiris_sql.compile.columns import Binder
from osiris_sql.compile.data_tests import TestScope, compile_data_tests
from osiris_sql.compile.draft import Draft, draft_model
from osiris_sql.compile.fingerprint import source_fingerprint
from osiris_sql.compile.keys import declared_keys
from osiris_sql.compile.known import Known
from osiris_sql.compile.memory import Memory
from osiris_sql.compile.microbatch import find_event_time
from osiris_sql.compile.model import ModelPass
from osiris_sql.compile.model_cache import ModelCache, Remembered
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.publications import check_publication
from osiris_sql.compile.render import Renderer
from osiris_sql.compile.rendered_model import RenderedModel, render_model
from osiris_sql.compile.rendering import NeedsSchemaError
from osiris_sql.compile.sources import bind_sources, finish_sources
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import CompiledModel, CompiledTest, Manifest
from osiris_sql.types.project import Model, Project, Publication
from osiris_sql.types.relation import TableSchema


def compile_all(
    project: Project,
    environ: Mapping[str, str] | None = None,
    cache: ModelCache | None = None,
    only: Collection[str] | None = None,
) -> Manifest:
    """Return the project compiled; see `compile_project`."""
    binder = Binder(PurePosixPath(project.warehouse).stem)
    try:
        return _Compilation(project, environ, binder, cache).run(only)
    finally:
        binder.close()


class _Compilation:
    """One compilation, and what it has found so far."""

    def __init__(
        self,
        project: Project,
        environ: Mapping[str, str] | None,
        binder: Binder,
        cache: ModelCache | None,
    ) -> None:
        self._project = project
        self._binder = binder
        self._names = NodeNames(project)
        self._diagnostics: list[Diagnostic] = []
        self._models: dict[str, CompiledModel] = {}
        self._drafts: dict[str, Draft] = {}
        self._blocking = Blocking()
        self._disabled: set[str] = set()
        self._done: set[str] = set()
        self._awaited: dict[str, str] = {}
        schemas = bind_sources(project, binder, self._diagnostics)
        keys = declared_keys(project, schemas)
        self._pass = ModelPass(binder, self._names, keys)
        self._memory = Memory(project, cache, self._pass, binder, self._names)
        self._rendered: dict[str, RenderedModel] = {}
        self._remembered: dict[str, Remembered] = {}
        for table in project.tables:
            schema = schemas.get(table.node)
            if schema is None:
                self._blocking.broken.add(table.node)
                continue
            identity, own = source_fingerprint(table, schema), keys.get(table.node, ())
            name, place = table.node.partition(":")[2], table.location
            event_time = find_event_time(table.event_time, schema, name, place, self._diagnostics)
            self._pass.known[table.node] = Known(
                table.node, table.relation, schema, own, identity, event_time=event_time
            )
        self._renderer = Renderer(project, environ=environ, schema_of=self._schema_of)
        self._diagnostics += self._renderer.diagnostics

    def run(self, only: Collection[str] | None) -> Manifest:
        """Return the manifest, or the part of it that some models need, without tests and publications."""
        self._compile_models(only)
        tests = self._compile_tests() if only is None else ()
        publications = tuple(self._check_publications()) if only is None else ()
        project, known = self._project, self._pass.known
        schemas = {node: known[node].schema for node in known}
        models = tuple(self._models.values())
        return Manifest(
            project=project.name,
            root=project.root,
            env=project.env,
            warehouse=project.warehouse,
            settings=project.settings,
            connections=project.connections,
            sources=tuple(finish_sources(project, schemas, models, tests)),
            models=models,
            tests=tests,
            publications=publications,
            diagnostics=(*project.diagnostics, *_by_place(self._diagnostics)),
            blocked=self._blocking.blocked,
        )

    def _schema_of(self, node: str) -> TableSchema | None:
        known = self._pass.known.get(node)
        return known.schema if known else None

    def _compile_models(self, only: Collection[str] | None) -> None:
        """Compile each model after those that it reads, depth first, so that few drafts are held."""
        models = {model.node: model for model in self._project.models}
        for node in sorted(models if only is None else models.keys() & only):
            self._compile_with_needs(node, models)

    def _compile_with_needs(self, root: str, models: Mapping[str, Model]) -> None:
        path = {root: None}
        while path:
            node = next(reversed(path))
            need = None if node in self._done else self._next_need(models[node])
            if need is None:
                if node not in self._done:
                    self._finish(models[node])
                del path[node]
            elif need in path:
                nodes = list(path)
                cycle = nodes[nodes.index(need) :]
                for node in self._remembered.keys() & set(cycle):
                    self._read(node)
                self._diagnostics.append(draw_cycle(cycle, self._drafts, models))
                self._blocking.broken |= set(cycle)
                self._done |= set(cycle)
            else:
                path[need] = None

    def _next_need(self, model: Model) -> str | None:
        """Return a model that must be compiled before this one."""
        node = model.node
        if node not in self._drafts and node not in self._remembered:
            self._draft(model)
        return min(
            (n for n in self._needs_of(node) if n.startswith("model:") and n not in self._done), default=None
        )

    def _needs_of(self, node: str) -> frozenset[str]:
        if node in self._remembered:
            return frozenset(self._remembered[node].needs)
        draft = self._drafts.get(node)
        return draft.needs if draft else frozenset({self._awaited[node]})

    def _draft(self, model: Model) -> None:
        """Draft a model, unless it must wait for the columns of another or is remembered."""
        try:
            rendered = render_model(model, self._renderer)
        except NeedsSchemaError as waiting:
            self._awaited[model.node] = waiting.node
            return
        self._rendered[model.node] = rendered
        entry = self._memory.find(rendered)
        if entry:
            self._remembered[model.node] = entry
            self._diagnostics += rendered.diagnostics
            return
        draft = self._read(model.node)
        if draft.config.enabled:
            self._diagnostics += draft.diagnostics
        else:
            self._disabled.add(model.node)

    def _read(self, node: str) -> Draft:
        self._remembered.pop(node, None)
        draft = self._drafts[node] = draft_model(self._rendered[node], self._binder, self._names)
        return draft

    def _finish(self, model: Model) -> None:
        self._done.add(model.node)
        if model.node in self._disabled:
            return
        entry = self._remembered.get(model.node)
        if entry and self._memory.fits(entry):
            rendered = self._rendered.pop(model.node)
            self._models[model.name] = self._memory.adopt(rendered, entry, self._diagnostics)
            return
        if entry:
            self._read(model.node)
        needs = self._needs_of(model.node)
        draft = self._drafts.pop(model.node, None)
        if draft and draft.first is None:
            self._blocking.broken.add(model.node)
        elif self._blocking.block(model.node, needs):
            self._diagnostics.append(self._blocking.explain(model.node, model.location))
        elif needs & self._disabled:
            self._blocking.broken.add(model.node)
            places = {n: place_of_need(draft, n) if draft else model.location for n in needs}
            self._diagnostics += [disabled_input(n, places[n]) for n in sorted(needs & self._disabled)]
        elif draft:
            self._compile(draft)

    def _compile(self, draft: Draft) -> None:
        node, rendered = draft.model.node, self._rendered.pop(draft.model.node)
        self._memory.supply(draft.needs)
        outcome = self._pass.compile(draft, self._diagnostics)
        if outcome is None:
            self._blocking.broken.add(node)
            return
        self._models[draft.model.name] = outcome.compiled
        if draft.diagnostics == rendered.diagnostics:
            self._memory.keep(rendered, outcome)

    def _compile_tests(self) -> tuple[CompiledTest, ...]:
        if self._project.data_tests:
            self._memory.supply_all()
        scope = TestScope(
            project=self._project,
            renderer=self._renderer,
            binder=self._binder,
            names=self._names,
            known=self._pass.known,
            needs={model.node: model.needs for model in self._models.values()},
            models={model.node: model for model in self._models.values()},
        )
        compiled, found = compile_data_tests(scope)
        self._diagnostics += found
        return compiled

    def _check_publications(self) -> Iterator[Publication]:
        for publication in self._project.publications:
            node = f"model:{publication.model}"
            if self._blocking.block(publication.node, {node}):
                note = self._blocking.explain(publication.node, publication.location)
                self._diagnostics.append(note)
            elif node in self._disabled:
                self._diagnostics.append(disabled_input(node, publication.location))
            else:
                found = check_publication(publication, self._models)
                self._diagnostics += found
                if not found:
                    yield publication


def _by_place(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics each once, by file and line."""

    def key(diagnostic: Diagnostic) -> tuple[str, int, int]:
        place = diagnostic.location or Location(path="")
        return place.path, place.line or 0, place.column or 0

    return sorted(dict.fromkeys(diagnostics), key=key)
