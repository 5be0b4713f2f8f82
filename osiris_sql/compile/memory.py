"""What the compiler remembers of models: found, proved to be as good as new, and put to use again."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from osiris_sql.compile.keys import Keys
from osiris_sql.compile.known import Known
from osiris_sql.compile.microbatch import find_event_time
from osiris_sql.compile.model import ModelPass
from osiris_sql.compile.model_cache import Identities, Remembered
from osiris_sql.compile.model_checks import unsafe_constructs
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.outcome import Outcome
from osiris_sql.compile.rendered_model import RenderedModel
from osiris_sql.support.packed import pack, unpack
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.project import Model, Project


class Remembering(Protocol):
    """What holds entries, as `ModelCache` does."""

    def find_by_file(self, model: Model, keys: Keys) -> Remembered | None:
        """Return the entry of a model that need not be rendered."""

    def find(self, rendered: RenderedModel, keys: Keys, names: NodeNames) -> Remembered | None:
        """Return the entry of a rendered model."""

    def keep(self, rendered: RenderedModel, keys: Keys, entry: bytes) -> None:
        """Hold an entry, packed."""


class Memory:
    """The models that were compiled before; without a cache it remembers nothing."""

    def __init__(
        self,
        project: Project,
        cache: Remembering | None,
        models: ModelPass,
        names: NodeNames,
    ) -> None:
        self._cache = cache
        self._models = models
        self._names = names
        texts = {model.node: model.text for model in project.models}
        self._identities = Identities(models.known, texts, repr(project.macros))

    def find_by_file(self, model: Model) -> Remembered | None:
        """Return what a model was compiled to, if its file alone can tell that it says the same as then."""
        return (
            self._cache.find_by_file(model, self._models.declared_keys(model.node)) if self._cache else None
        )

    def find(self, rendered: RenderedModel) -> Remembered | None:
        """Return what a model was compiled to, if its file and template say the same as then."""
        return self._cache.find(rendered, self._keys(rendered), self._names) if self._cache else None

    def learn(self, rendered: RenderedModel, entry: bytes) -> Remembered:
        """Return what another process compiled a model to just now, which is remembered from now on."""
        if self._cache is not None:
            self._cache.keep(rendered, self._keys(rendered), entry)
        return unpack(Remembered, entry)

    def fits(self, entry: Remembered) -> bool:
        """Say whether all that a model reads looks as it did then."""
        known = self._models.known
        return all(n in known and self._identities.of(n) == then for n, then in entry.inputs.items())

    def adopt(self, entry: Remembered, diagnostics: list[Diagnostic]) -> CompiledModel:
        """Return a remembered model, which is known from now on; what was said of it joins `diagnostics`."""
        diagnostics += entry.found
        compiled, whole = self._models.complete(entry.model)
        config, place = compiled.config, compiled.location
        self._models.known[compiled.node] = Known(
            node=compiled.node,
            relation=compiled.relation,
            schema=compiled.schema,
            keys=tuple(frozenset(key) for key in entry.keys),
            fingerprint=whole,
            event_time=find_event_time(config.event_time, compiled.schema, compiled.name, place, []),
        )
        self._identities.learn(compiled.node, entry.identity)
        self._models.miss(compiled.node)
        diagnostics += unsafe_constructs(compiled)
        return compiled

    def keep(self, rendered: RenderedModel, outcome: Outcome) -> None:
        """Remember a model that was compiled just now."""
        if self._cache is None or not outcome.is_lasting:
            return
        node = outcome.alone.node
        entry = Remembered(
            needs=outcome.needs,
            tables=outcome.tables,
            inputs={need: self._identities.of(need) for need in outcome.alone.needs},
            found=outcome.found,
            keys=tuple(tuple(sorted(key)) for key in self._models.known[node].keys),
            identity=self._identities.of(node),
            model=outcome.alone,
        )
        with suppress(TypeError):  # what JSON can't hold, such as a date in `meta`, is not remembered
            self._cache.keep(rendered, self._keys(rendered), pack(entry))

    def _keys(self, rendered: RenderedModel) -> Keys:
        return self._models.declared_keys(rendered.model.node)
