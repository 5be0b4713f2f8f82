"""The models of a project compiled one after the other, each after those that it reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from osiris_sql.compile.ahead import Ahead
from osiris_sql.compile.blocking import Blocking, disabled_input, draw_cycle, place_of_need
from osiris_sql.compile.columns import Binder
from osiris_sql.compile.draft import Draft, draft_model
from osiris_sql.compile.fingerprint import source_fingerprint
from osiris_sql.compile.keys import Keys, declared_keys
from osiris_sql.compile.known import Known
from osiris_sql.compile.memory import Memory, Remembering
from osiris_sql.compile.microbatch import find_event_time
from osiris_sql.compile.model import ModelPass
from osiris_sql.compile.model_cache import Remembered
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.onlooker import Look
from osiris_sql.compile.render import Renderer
from osiris_sql.compile.rendered_model import RenderedModel, render_model
from osiris_sql.compile.rendering import NeedsSchemaError
from osiris_sql.compile.sources import bind_sources
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.project import Model, Project, SourceTable
from osiris_sql.types.relation import TableSchema


class InOrder:
    """One pass over the models, and what it has found so far."""

    def __init__(
        self,
        project: Project,
        environ: Mapping[str, str],
        binder: Binder,
        cache: Remembering | None,
        look: Look | None = None,
    ) -> None:
        self.names = NodeNames(project)
        self.blocking = Blocking()
        self.diagnostics: list[Diagnostic] = []
        self.compiled: dict[str, CompiledModel] = {}
        self.disabled: set[str] = set()
        self.renderer = Renderer(project, environ=environ, schema_of=self._schema_of)
        self._models = {model.node: model for model in project.models}
        self._binder = binder
        self._done: set[str] = set()
        self._drafts: dict[str, Draft] = {}
        self._awaited: dict[str, str] = {}
        self._rendered: dict[str, RenderedModel] = {}
        self._remembered: dict[str, Remembered] = {}
        self._said: dict[str, object] = {}
        self._ahead: Ahead | None = None
        schemas = bind_sources(project, binder, self.diagnostics)
        keys = declared_keys(project, schemas)
        self._pass = ModelPass(binder, self.names, keys)
        self.known = self._pass.known
        self.memory = Memory(project, cache, self._pass, self.names)
        for table in project.tables:
            self._learn_table(table, schemas.get(table.node), keys.get(table.node, ()))
        self.diagnostics += self.renderer.diagnostics
        self.onlooker = look(project, environ, schemas) if look else None

    def _learn_table(self, table: SourceTable, schema: TableSchema | None, keys: Keys) -> None:
        if schema is None:
            self.blocking.broken.add(table.node)
            return
        identity, name = source_fingerprint(table, schema), table.node.partition(":")[2]
        event_time = find_event_time(table.event_time, schema, name, table.location, self.diagnostics)
        self.known[table.node] = Known(
            table.node, table.relation, schema, keys, identity, event_time=event_time
        )

    def _schema_of(self, node: str) -> TableSchema | None:
        known = self.known.get(node)
        return known.schema if known else None

    def compile(self, only: Collection[str] | None, ahead: Ahead) -> None:
        """Compile each model after those that it reads, depth first, so that few drafts are held."""
        self._ahead = ahead
        for node in sorted(self._models if only is None else self._models.keys() & only):
            self._compile_with_needs(node)

    def learn(self, known: Known, said: object) -> None:
        """Take a model that was compiled elsewhere as done, and what an onlooker said of it there."""
        self.known[known.node] = known
        if self.onlooker:
            self.onlooker.hear(known.node, known.schema, said)
        self._done.add(known.node)
        self._pass.miss(known.node)

    def supply_all(self) -> None:
        """Put every node into the binder."""
        self._pass.supply(self.known)

    def said(self, node: str) -> object:
        """Return what an onlooker says of a model that is done."""
        return self.onlooker.said(node) if self.onlooker else None

    def forget(self, node: str) -> None:
        """Let go of what is left of a model that is done, but for what others see of it."""
        self.compiled.pop(self._models[node].name, None)
        self._rendered.pop(node, None)
        self._drafts.pop(node, None)
        self.diagnostics.clear()

    def _compile_with_needs(self, root: str) -> None:
        path = {root: None}
        while path:
            node = next(reversed(path))
            need = None if node in self._done else self.next_need(node)
            if need is None:
                if node not in self._done:
                    self.finish(node)
                del path[node]
            elif need in path:
                nodes = list(path)
                cycle = nodes[nodes.index(need) :]
                for node in self._remembered.keys() & set(cycle):
                    self._read(node)
                self.diagnostics.append(draw_cycle(cycle, self._drafts, self._models))
                self.blocking.broken |= set(cycle)
                self._done |= set(cycle)
            else:
                path[need] = None

    def next_need(self, node: str) -> str | None:
        """Return a model that must be compiled before this one."""
        if node not in self._drafts and node not in self._remembered:
            self._draft(self._models[node])
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
        entry = self.memory.find_by_file(model)
        if entry:
            self._remembered[model.node] = entry
            return
        try:
            rendered = self._rendered[model.node] = render_model(model, self.renderer)
        except NeedsSchemaError as waiting:
            self._awaited[model.node] = waiting.node
            return
        entry = self.memory.find(rendered) or self._take(rendered)
        if entry:
            self._remembered[model.node] = entry
            self.diagnostics += rendered.diagnostics
            return
        draft = self._read(model.node)
        if draft.config.enabled:
            self.diagnostics += draft.diagnostics
        else:
            self.disabled.add(model.node)

    def _take(self, rendered: RenderedModel) -> Remembered | None:
        """Return what a model came to in another process."""
        node = rendered.model.node
        answer = self._ahead.take(node) if self._ahead else None
        if answer is None or answer.entry is None:
            return None
        self._said[node] = answer.said
        return self.memory.learn(rendered, answer.entry)

    def _read(self, node: str) -> Draft:
        self._remembered.pop(node, None)
        if node not in self._rendered:
            self._rendered[node] = render_model(self._models[node], self.renderer)
        draft = self._drafts[node] = draft_model(self._rendered[node], self._binder, self.names)
        return draft

    def finish(self, node: str) -> None:
        """Compile a model whose needs are done, unless it is disabled, broken or blocked."""
        model = self._models[node]
        self._done.add(model.node)
        if model.node in self.disabled:
            return
        entry = self._remembered.get(model.node)
        if entry and self.memory.fits(entry):
            self._rendered.pop(model.node, None)
            self.compiled[model.name] = self.memory.adopt(entry, self.diagnostics)
            if self.onlooker:
                self.onlooker.hear(node, self.known[node].schema, self._said.pop(node, None))
            if self._ahead:
                self._ahead.note(self.known[node], self.said(node), is_lasting=True, is_new=False)
            return
        if entry:
            self._read(model.node)
        needs = self._needs_of(model.node)
        draft = self._drafts.pop(model.node, None)
        if draft and draft.first is None:
            self.blocking.broken.add(model.node)
        elif self.blocking.block(model.node, needs):
            self.diagnostics.append(self.blocking.explain(model.node, model.location))
        elif needs & self.disabled:
            self.blocking.broken.add(model.node)
            places = {n: place_of_need(draft, n) if draft else model.location for n in needs}
            self.diagnostics += [disabled_input(n, places[n]) for n in sorted(needs & self.disabled)]
        elif draft:
            self._compile(draft)

    def _compile(self, draft: Draft) -> None:
        node, rendered = draft.model.node, self._rendered.pop(draft.model.node)
        outcome = self._pass.compile(draft, self.diagnostics)
        if outcome is None:
            self.blocking.broken.add(node)
            return
        self.compiled[draft.model.name] = outcome.compiled
        if self.onlooker:
            self.onlooker.see(outcome.compiled, outcome.first)
        is_lasting = outcome.is_lasting and draft.diagnostics == rendered.diagnostics
        if is_lasting:
            self.memory.keep(rendered, outcome)
        if self._ahead:
            self._ahead.note(self.known[node], self.said(node), is_lasting=is_lasting, is_new=True)
