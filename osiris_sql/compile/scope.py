"""What a template may call and read: dbt's names, answered from the project and without a database."""

import itertools
import json
import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NoReturn

from osiris_sql.compile import dbt_functions
from osiris_sql.compile.jinja import return_value
from osiris_sql.compile.plain_template import SIMPLE
from osiris_sql.compile.rendering import NeedsSchemaError, Rendering, TemplateStopError
from osiris_sql.compile.template_values import (
    AdapterCalls,
    ColumnText,
    ConfigCall,
    RelationText,
    RunClockText,
    VarCall,
)
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.noun import Json
from osiris_sql.types.project import Project
from osiris_sql.types.relation import RelationRef, TableSchema

SchemaOf = Callable[[str], TableSchema | None]

ASKING = ("run_query", "statement", "load_result", "store_result")


class TemplateScope:
    """The names of one project; `lookup` is what templates see, `rendering` the render running now."""

    def __init__(
        self, project: Project, environ: Mapping[str, str], secrets: frozenset[str], schema_of: SchemaOf
    ) -> None:
        self.rendering = Rendering()
        self._project = project
        self._environ = environ
        self._secrets = secrets
        self._schema_of = schema_of
        self._models = {model.name.lower(): model for model in project.models}
        self._named = {seed.name.lower(): (seed.name, seed.node) for seed in project.seeds}
        self._named |= {model.name.lower(): (model.name, model.node) for model in project.models}
        self._sources = {(table.source.lower(), table.name.lower()): table for table in project.sources}
        self.lookup: dict[str, Any] = {}
        functions = self._functions()
        self.simple = {name: functions[name] for name in SIMPLE}
        self.lookup.update(self._values(), **functions)

    def _functions(self) -> dict[str, Any]:
        config = ConfigCall(self, self._config_defaults)
        asking = {name: self._asking(name) for name in ASKING}
        return {
            **asking,
            "ref": self.ref,
            "source": self.source,
            "config": config,
            "builtins": SimpleNamespace(ref=self.ref, source=self.source, config=config),
            "var": VarCall(self, self._project.vars),
            "env_var": self.env_var,
            "is_incremental": lambda: self.rendering.incremental,
            "return": return_value,
            "log": lambda *args, **named: self.rendering.log(*args, **named),
            "print": lambda *args, **named: self.rendering.log(*args, **named),
            "exceptions": SimpleNamespace(
                raise_compiler_error=lambda message="", *_: self.rendering.refuse(message),
                warn=lambda message="": self.rendering.warn(message),
            ),
            "adapter": AdapterCalls(self, self.lookup, self.columns_of),
            "dbt": dbt_functions.dbt_namespace(),
            "dbt_utils": SimpleNamespace(
                star=self.star,
                group_by=dbt_functions.group_by,
                generate_surrogate_key=dbt_functions.surrogate_key,
            ),
        }

    def _values(self) -> dict[str, Any]:
        project = self._project
        pieces = ("chain", "product", "groupby", "combinations", "zip_longest")
        return {
            "execute": True,
            "target": SimpleNamespace(name=project.env, schema="main", type="duckdb"),
            "project_name": project.name,
            "run_started_at": RunClockText("$run_clock"),
            "zip": zip,
            "set": set,
            "tojson": json.dumps,
            "fromjson": json.loads,
            "modules": SimpleNamespace(
                re=SimpleNamespace(**{name: getattr(re, name) for name in re.__all__}),
                itertools=SimpleNamespace(**{name: getattr(itertools, name) for name in pieces}),
            ),
        }

    def begin(self, rendering: Rendering) -> None:
        """Make a render the one that the names answer for."""
        self.rendering = rendering
        self.lookup["model"] = SimpleNamespace(name=rendering.name, path=rendering.path)
        self.lookup.pop("this", None)
        if rendering.this is not None:
            self.lookup["this"] = RelationText(rendering.this, f"model:{rendering.name}")

    def _config_defaults(self) -> Mapping[str, Json]:
        model = self._models.get(self.rendering.name.lower())
        return model.config if model else {}

    def _asking(self, name: str) -> Callable[..., NoReturn]:
        return lambda *_, **__: self.rendering.refuse_question(name)

    def ref(self, *names: str, **_: object) -> RelationText:
        """Return the relation of a model or a seed: `ref('orders')` or `ref('project', 'orders')`."""
        right = len(names) in {1, 2} and all(isinstance(name, str) for name in names)
        self.rendering.require(right, "ref", "ref('model')")
        name = names[-1]
        if len(names) == 2 and names[0] != self._project.name:
            fix = f"write ref('{name}'): there are no packages, their models are copied into the project"
            self.rendering.stop("unknown-relation", f'there is no package "{names[0]}"', names[0], fix=fix)
        known = self._named.get(name.lower())
        if known is None:
            every = [known_name for known_name, _ in self._named.values()]
            fix = did_you_mean(name, every, "write a model of this name, or correct the name")
            self.rendering.report("unknown-relation", f'there is no model "{name}"', name, fix=fix)
            self.rendering.unresolved.add(("main", name.lower()))
        right_name, node = known or (name, f"model:{name}")
        return RelationText(RelationRef("main", right_name), node)

    def source(self, *names: str) -> RelationText:
        """Return the relation of a source table: `source('shop', 'orders')`."""
        right = len(names) == 2 and all(isinstance(name, str) for name in names)
        self.rendering.require(right, "source", "source('source', 'table')")
        source, table = names
        known = self._sources.get((source.lower(), table.lower()))
        if known is None:
            every = [f"{known.source}.{known.name}" for known in self._sources.values()]
            fix = did_you_mean(f"{source}.{table}", every, "describe it in sources.yml")
            needle = table if any(name == source.lower() for name, _ in self._sources) else source
            message = f'there is no source table "{source}.{table}"'
            self.rendering.report("unknown-relation", message, needle, fix=fix)
            self.rendering.unresolved.add((source.lower(), table.lower()))
        schema, name = (known.source, known.name) if known else (source, table)
        return RelationText(RelationRef(schema, name), f"source:{schema}.{name}")

    def columns_of(self, relation: object) -> list[ColumnText]:
        """Return the columns of a model or source table, from its static schema."""
        if not isinstance(relation, RelationText):
            self.rendering.refuse_question("get_columns_in_relation")
        if (relation.schema.lower(), relation.name.lower()) in self.rendering.unresolved:
            raise TemplateStopError
        schema = self._schema_of(relation.node)
        if schema is None:
            raise NeedsSchemaError(relation.node)
        return [ColumnText(column) for column in schema.columns]

    def star(self, relation: object = None, relation_alias: str = "", **options: Any) -> str:
        """Return the columns of a relation as a list in SQL, as `dbt_utils.star` does."""
        unwanted = {str(name).lower() for name in options.get("except", ())}
        columns = self.columns_of(options.get("from", relation))
        alias = f"{relation_alias}." if relation_alias else ""
        return ", ".join(f"{alias}{c.quoted}" for c in columns if c.name.lower() not in unwanted)

    def env_var(self, name: str, default: str | None = None) -> str:
        """Return an environment variable, unless a secret of a connection is made of it."""
        if name in self._secrets:
            why = "a connection has a secret made of it, and SQL is written to files and logs"
            fix = "use another variable for what is not secret"
            self.rendering.stop("secret-in-sql", f'env_var() may not read "{name}"', name, why, fix)
        found = self._environ.get(name, default)
        if found is None:
            fix = f"set it, or give a default: env_var('{name}', '…')"
            message = f'the environment variable "{name}" is not set'
            return self.rendering.miss("missing-variable", message, name, fix)
        return found
