"""What the compiler lends to data tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from osiris_sql.compile.columns import Binder
from osiris_sql.compile.known import Known
from osiris_sql.compile.node_names import NodeNames
from osiris_sql.compile.render import Renderer
from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.project import Project


@dataclass(frozen=True, slots=True)
class TestScope:
    """A project whose models are compiled; `known` holds its sound nodes in build order, `needs` what
    each model reads, `models` the compiled ones by node."""

    __test__ = False  # pytest takes the name for a class of tests

    project: Project
    renderer: Renderer
    binder: Binder
    names: NodeNames
    known: Mapping[str, Known]
    needs: Mapping[str, tuple[str, ...]]
    models: Mapping[str, CompiledModel] = field(default_factory=dict)
