"""The objects that templates see: relations, columns, and the callables that have methods."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Protocol

from osiris_sql.compile.rendering import ConfigValue, Rendering
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.noun import Json
from osiris_sql.types.relation import Column, RelationRef, quote_identifier


class RendersNow(Protocol):
    """Something that knows the render that is running now."""

    rendering: Rendering


class RelationText(str):
    """A relation as templates use it: its text is the quoted name."""

    _ref: RelationRef
    node: str

    def __new__(cls, ref: RelationRef, node: str) -> "RelationText":
        """Return the relation of a node."""
        made = super().__new__(cls, ref.sql)
        made._ref, made.node = ref, node
        return made

    @property
    def schema(self) -> str:
        """The schema's name."""
        return self._ref.schema

    @property
    def name(self) -> str:
        """The relation's name; dbt says `identifier` or `table` too."""
        return self._ref.name

    identifier = table = name


class ColumnText:
    """A column as `adapter.get_columns_in_relation` gives it."""

    def __init__(self, column: Column) -> None:
        self.name = self.column = column.name
        self.data_type = self.dtype = column.type
        self.quoted = quote_identifier(column.name)


class RunClockText(str):
    """The instant of the run: its text is the parameter that stands for it in SQL."""

    __slots__ = ()

    def strftime(self, pattern: str) -> str:
        """Return the SQL that formats the run clock."""
        return f"strftime({self}, '{pattern}')"


class ConfigCall:
    """`config(materialized='table')`, and `config.get('materialized')`."""

    def __init__(self, scope: RendersNow, defaults: Callable[[], Mapping[str, Json]]) -> None:
        self._scope = scope
        self._defaults = defaults

    def __call__(self, **values: Json) -> str:
        """Record configuration; nothing is written to the SQL."""
        rendering = self._scope.rendering
        for key, value in values.items():
            rendering.config[key] = ConfigValue(value, rendering.place(key))
        return ""

    def get(self, key: str, default: Json = None, **_: object) -> Json:
        """Return a value that was configured so far."""
        given = self._scope.rendering.config.get(key)
        return given.value if given else self._defaults().get(key, default)

    def require(self, key: str) -> Json:
        """Return a value that must be configured."""
        found = self.get(key)
        if found is None:
            self._scope.rendering.stop("wrong-config", f'"{key}" is not configured', key)
        return found


class VarCall:
    """`var('first_year')`, `var('first_year', 1990)` and `var.has_var('first_year')`."""

    def __init__(self, scope: RendersNow, values: Mapping[str, Json]) -> None:
        self._scope = scope
        self._values = values

    def __call__(self, name: str, *default: Json, **named: Json) -> Json:
        """Return a variable of the project, or the default that was given."""
        if name in self._values:
            return self._values[name]
        if default or "default" in named:
            return [*default, named.get("default")][0]
        return self._scope.rendering.miss(
            "unknown-variable",
            f'there is no variable "{name}"',
            name,
            fix=did_you_mean(name, self._values, "give it in vars of the project file, or with --vars"),
        )

    def has_var(self, name: str) -> bool:
        """Say whether the project has a variable."""
        return name in self._values


class AdapterCalls:
    """`adapter.dispatch` and `adapter.get_columns_in_relation`; all else would ask the database."""

    def __init__(
        self,
        scope: RendersNow,
        lookup: Mapping[str, Any],
        columns_of: Callable[[object], list[ColumnText]],
    ) -> None:
        self._scope = scope
        self._lookup = lookup
        self.get_columns_in_relation = columns_of

    def dispatch(self, macro_name: str, macro_namespace: str | None = None) -> Any:
        """Return the macro `duckdb__<name>`, else `default__<name>`."""
        tried = [f"duckdb__{macro_name}", f"default__{macro_name}"]
        found = next((self._lookup[name] for name in tried if name in self._lookup), None)
        if found is None:
            self._scope.rendering.stop(
                "unknown-macro",
                f'there is no macro to dispatch "{macro_name}" to',
                macro_name,
                fix=f"write a macro {tried[0]} or {tried[1]}",
            )
        return found

    def quote(self, identifier: str) -> str:
        """Return a name quoted for SQL."""
        return quote_identifier(identifier)

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_, **__: self._scope.rendering.refuse_question(f"adapter.{name}")
