"""The project as its files say it: nothing rendered, nothing parsed, nothing connected."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from osiris_sql.types.diagnostic import Diagnostic, Location, Severity
from osiris_sql.types.noun import Json, noun
from osiris_sql.types.relation import RelationRef, TableSchema

ExtractMode = Literal["full", "incremental"]
OnInvalid = Literal["error", "null", "text"]
PublishMode = Literal["append", "upsert", "replace", "sync"]
SchemaChange = Literal["add", "sync", "rebuild"]
TestSeverity = Literal["error", "warn"]


@noun
class Connection:
    """How a source or target is reached in the chosen environment; `${NAME}` is still a name here."""

    name: str
    type: str
    role: Literal["source", "target"]
    options: Mapping[str, Json]
    location: Location


@noun
class ColumnSpec:
    """A column as a YAML file describes it; `on_invalid` says what becomes of a source's value that is none
    of its type."""

    name: str
    data_type: str | None = None
    description: str = ""
    on_invalid: OnInvalid = "error"
    location: Location


@noun
class ExtractConfig:
    """How a source table is read; `lookback` in seconds reaches back before the last watermark.

    `columns` are all that is read, used or not; `where` is a condition in the source's own SQL; more rows
    than `max_rows` are an error. With `deletes: scan` an incremental extract reads all keys, and lets go
    of the rows whose key went. `probe` are expressions in the source's SQL that tell whether its rows
    changed; "always" takes them as changed.
    """

    mode: ExtractMode = "full"
    watermark: str | None = None
    key: tuple[str, ...] = ()
    lookback: int = 0
    columns: tuple[str, ...] = ()
    where: str = ""
    max_rows: int | None = None
    deletes: Literal["ignore", "scan"] = "ignore"
    probe: str = ""


@noun
class Freshness:
    """When rows of a source table count as old, in seconds since `loaded_at_field`."""

    loaded_at_field: str
    warn_after: int | None = None
    error_after: int | None = None


@noun
class SourceTable:
    """A table of a source; `identifier` is its name at the source where that differs from `name`.

    A seed is one too: a CSV file of the project, read like any, that stands among the models.
    """

    source: str
    name: str
    identifier: str
    connection: str
    extract: ExtractConfig
    columns: tuple[ColumnSpec, ...] = ()
    description: str = ""
    freshness: Freshness | None = None
    tags: tuple[str, ...] = ()
    event_time: str | None = None
    seed: bool = False
    location: Location

    @property
    def node(self) -> str:
        """The node's id, such as `source:cinema.movies` or `seed:countries`."""
        return f"seed:{self.name}" if self.seed else f"source:{self.source}.{self.name}"

    @property
    def relation(self) -> RelationRef:
        """Where the rows stand in the warehouse."""
        return RelationRef("main" if self.seed else self.source, self.name)


@noun
class MacroFile:
    """A file of Jinja macros and custom generic tests."""

    path: str
    text: str


@noun
class Model:
    """A model file with what YAML says of it; `config` holds folder defaults under the YAML's own."""

    name: str
    path: str
    text: str
    config: Mapping[str, Json]
    columns: tuple[ColumnSpec, ...] = ()
    description: str = ""
    location: Location

    @property
    def node(self) -> str:
        """The node's id, such as `model:orders`."""
        return f"model:{self.name}"


@noun
class DataTest:
    """A data test as declared.

    A generic test has `test` (its name), `node` (what it is attached to), perhaps `column`, and
    `arguments`; a singular test has `text`, the SELECT of offending rows.
    """

    name: str
    kind: Literal["generic", "singular"]
    test: str = ""
    node: str = ""
    column: str | None = None
    arguments: Mapping[str, Json] = field(default_factory=dict)
    text: str = ""
    config: Mapping[str, Json] = field(default_factory=dict)
    description: str = ""
    location: Location


@noun
class FixtureRows:
    """Rows of a unit test, for `input` (a `ref(...)`, `source(...)` or `this`) or as the expectation."""

    input: str
    format: Literal["dict", "csv", "sql"] = "dict"
    rows: tuple[Mapping[str, Json], ...] | str = ()
    location: Location


@noun
class UnitTest:
    """A unit test: given these rows, the model yields those, or its CTE does."""

    name: str
    model: str
    cte: str = ""
    given: tuple[FixtureRows, ...]
    expect: FixtureRows
    overrides: Mapping[str, Json] = field(default_factory=dict)
    description: str = ""
    location: Location


@noun
class Publication:
    """A table that a target wants from a model; its node is `target:<target>.<table>`."""

    target: str
    table: str
    schema: str | None = None
    model: str
    connection: str
    mode: PublishMode
    key: tuple[str, ...] = ()
    create: bool = False
    append_all: bool = False
    max_deleted: float = 0.5
    allow_empty: bool = False
    on_schema_change: SchemaChange = "add"
    tags: tuple[str, ...] = ()
    location: Location

    @property
    def node(self) -> str:
        """The node's id, such as `target:app.director_stats`."""
        return f"target:{self.target}.{self.table}"


@noun
class EngineSettings:
    """What the engine may use; None leaves it to the machine that runs. `concurrency` is in the plan, which
    is the same on every machine: so it is a number."""

    threads: int | None = None
    memory_limit: str | None = None
    concurrency: int = 3


@noun
class LintConfig:
    """Lint rules to ignore, everywhere and by folder, and severities other than their own."""

    ignore: tuple[str, ...] = ()
    per_folder: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    severity: Mapping[str, Severity] = field(default_factory=dict)
    location: Location | None = None


@noun
class Project:
    """Everything the files of a project say, for one environment.

    `schemas` comes from sources.lock and what sources.yml declares, by source node; `locked` is what
    sources.lock says of this environment alone. `diagnostics` are the mistakes found while
    loading: what they concern is left out of the rest, so that the rest can still be checked.
    """

    root: str
    name: str
    env: str
    environments: tuple[str, ...]
    warehouse: str
    settings: EngineSettings
    vars: Mapping[str, Json]
    connections: tuple[Connection, ...]
    sources: tuple[SourceTable, ...]
    models: tuple[Model, ...]
    macros: tuple[MacroFile, ...]
    data_tests: tuple[DataTest, ...]
    unit_tests: tuple[UnitTest, ...]
    publications: tuple[Publication, ...]
    schemas: Mapping[str, TableSchema]
    locked: Mapping[str, TableSchema] = field(default_factory=dict)
    lint: LintConfig
    seeds: tuple[SourceTable, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def tables(self) -> tuple[SourceTable, ...]:
        """What is read into the warehouse: the tables of sources, and the seeds."""
        return (*self.sources, *self.seeds)
