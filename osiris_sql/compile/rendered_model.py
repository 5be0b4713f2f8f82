"""A model as its template gives it: rendered for each way that it is built, and configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from osiris_sql.compile.config import resolve_config
from osiris_sql.compile.render import Rendered, Renderer
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import ModelConfig
from osiris_sql.types.project import Model


@dataclass(frozen=True, slots=True)
class RenderedModel:
    """A model rendered, not yet parsed; `found` is what is wrong with its configuration.

    `places` says where `config()` set each key.
    """

    model: Model
    config: ModelConfig
    first: Rendered
    increment: Rendered | None = None
    found: tuple[Diagnostic, ...] = ()
    places: Mapping[str, Location] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[Rendered, ...]:
        """Its renderings."""
        return (self.first, self.increment) if self.increment else (self.first,)

    @property
    def is_plain(self) -> bool:
        """Whether no macro can have had a part in it."""
        return all(text.is_plain for text in self.texts)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What configuration and templates say, each once."""
        said = [*self.found, *(d for text in self.texts for d in text.diagnostics)]
        return tuple(dict.fromkeys(said))


def render_model(model: Model, renderer: Renderer) -> RenderedModel:
    """Return a model rendered; raises NeedsSchemaError if it must wait for the columns of another."""
    rendered = renderer.render(model.path, model.text, name=model.name)
    config, found = resolve_config(model, rendered.config)
    increment = None
    if config.materialized == "incremental" and not config.microbatch:
        increment = renderer.render(model.path, model.text, name=model.name, incremental=True)
    # The configuration is that of the last rendering, whose places count.
    places = {key: entry.location for key, entry in (increment or rendered).config.items()}
    return RenderedModel(model, config, rendered, increment, found, places)
