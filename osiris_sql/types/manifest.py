"""The project compiled: SQL, columns, edges, tests and verdicts, known without a connection."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.noun import Json, noun
from osiris_sql.types.project import Connection, EngineSettings, Publication, SourceTable, TestSeverity
from osiris_sql.types.relation import ColumnPolicy, ColumnRef, RelationRef, RowFilter, TableSchema

Materialized = Literal["view", "table", "incremental", "ephemeral", "snapshot"]
IncrementalStrategy = Literal["append", "merge", "delete+insert", "microbatch"]
SnapshotStrategy = Literal["timestamp", "check"]
HardDeletes = Literal["ignore", "invalidate", "new_record"]
BatchSize = Literal["hour", "day", "month", "year"]
TestShape = Literal["rows", "values", "key", "aggregate"]
Verdict = Literal["proved", "rewritten", "declared", "unsafe", "unknown"]


@noun
class ModelConfig:
    """A model's configuration, merged weakest first; DOUBLE is added up as the DECIMAL of `float_sums`."""

    materialized: Materialized = "view"
    unique_key: tuple[str, ...] = ()
    incremental_strategy: IncrementalStrategy = "append"
    on_schema_change: Literal["fail", "append", "sync", "rebuild"] = "fail"
    tags: tuple[str, ...] = ()
    enabled: bool = True
    full_refresh: bool | None = None
    determinism: Literal["declared"] | None = None
    reason: str = ""
    clock: Literal["day", "hour", "minute", "instant"] | None = None
    float_sums: str | None = None
    contract: bool = False
    meta: Mapping[str, Json] = field(default_factory=dict)
    event_time: str | None = None
    batch_size: BatchSize | None = None
    begin: str | None = None
    lookback: int = 1
    strategy: SnapshotStrategy | None = None
    updated_at: str | None = None
    check_cols: tuple[str, ...] = ()
    hard_deletes: HardDeletes = "ignore"
    snapshot_meta_column_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def microbatch(self) -> bool:
        """Whether the model is built a stretch of time after the other."""
        return self.materialized == "incremental" and self.incremental_strategy == "microbatch"

    @property
    def merges(self) -> bool:
        """Whether new rows replace those of the same key."""
        return self.materialized == "incremental" and self.incremental_strategy in ("merge", "delete+insert")


@noun
class SnapshotSpec:
    """How a snapshot tells versions apart and what its own columns are called (`is_deleted` may be absent).

    A version changed if one of `compare` did. It begins at `begins`, a SQL expression over the query's
    columns, as `version_id` is one over the snapshot's; `instant` is the type of the times.
    """

    strategy: SnapshotStrategy
    key: tuple[str, ...]
    compare: tuple[str, ...]
    hard_deletes: HardDeletes
    instant: str
    begins: str
    scd_id: str
    version_id: str
    updated_at: str
    valid_from: str
    valid_to: str
    is_deleted: str | None = None


@noun
class BatchSpec:
    """The column whose time puts a row into a batch, its type, and the grid of batches since `begin`."""

    event_time: str
    type: str
    size: BatchSize
    begin: str
    lookback: int


@noun
class Reason:
    """Why a verdict is what it is: one construct, its place, and what was done about it."""

    rule: str
    verdict: Verdict
    message: str
    location: Location | None = None


@noun
class ColumnInput:
    """A column of a relation that a value is made from."""

    node: str
    column: str


@noun
class ColumnLineage:
    """Where the values of an output column come from; `inputs` is None where that can't be known."""

    column: str
    inputs: tuple[ColumnInput, ...] | None


@noun
class CompiledModel:
    """A model ready to plan.

    `sql` is the author's rendered text with its rewrites spliced in; it runs as it stands. `author_sql` is
    that text without them, where there are any. An incremental model has `increment_sql` too. A microbatch
    model's SQL holds the parameters `$batch_start` and `$batch_end` (TIMESTAMPTZ, the end excluded) and
    yields the rows of that stretch. `reads` lists, for each node in `needs`, the columns that the model uses
    anywhere (filters and join keys too), or None where all must be assumed; `filters` has the source tables
    of which it sees only rows that pass. `clock` is the grain at which the model reads the run clock: the SQL
    holds the parameter `$run_clock` (a TIMESTAMPTZ) in its place.
    """

    name: str
    path: str
    relation: RelationRef
    config: ModelConfig
    sql: str
    author_sql: str | None = None
    increment_sql: str | None = None
    schema: TableSchema
    needs: tuple[str, ...]
    reads: Mapping[str, tuple[str, ...] | None]
    filters: Mapping[str, RowFilter] = field(default_factory=dict)
    lineage: tuple[ColumnLineage, ...]
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    clock: Literal["day", "hour", "minute", "instant"] | None = None
    snapshot: SnapshotSpec | None = None
    batches: BatchSpec | None = None
    fingerprint: str
    description: str = ""
    location: Location

    @property
    def node(self) -> str:
        """The node's id, such as `model:orders`."""
        return f"model:{self.name}"


@noun
class Proof:
    """Why a test must pass: what a model's SQL says, as long as its relation was made by `fingerprint`."""

    why: str
    node: str
    fingerprint: str


@noun
class CompiledTest:
    """A data test ready to plan: `sql` selects the offending rows; zero rows pass.

    `node` is what it was declared on, or the last that it `reads`, where it is `about` others. With a `shape`
    it can share a scan of `relation`: `measure` is an aggregate, 0 if no row offends, at `rows` their count.
    `key` is a column, as SQL, that is to be unique (if values differ where hashes do), or in `parent`.
    """

    name: str
    node: str
    column: str | None = None
    test: str
    sql: str
    reads: tuple[str, ...]
    about: tuple[str, ...] = ()
    columns_read: Mapping[str, tuple[str, ...] | None]
    shape: TestShape | None = None
    measure: str = ""
    key: str = ""
    parent: ColumnRef | None = None
    relation: RelationRef | None = None
    proof: Proof | None = None
    severity: TestSeverity = "error"
    warn_if: str = "!= 0"
    error_if: str = "!= 0"
    limit: int | None = None
    store_failures: bool = False
    tags: tuple[str, ...] = ()
    fingerprint: str
    description: str = ""
    location: Location


@noun
class UnitTestResult:
    """The outcome of a unit test, which runs offline while compiling; `diff` shows cells that differ."""

    name: str
    model: str
    status: Literal["pass", "fail", "error"]
    diff: str = ""
    location: Location


@noun
class CompiledSource:
    """A source table with the schema that models see, and the columns that anything reads.

    `readers` read each column; `recorded` is from sources.lock; no row that `filters` keep back is ever read.
    """

    table: SourceTable
    relation: RelationRef
    schema: TableSchema
    used: tuple[str, ...]
    filters: RowFilter = ()
    policies: tuple[ColumnPolicy, ...] = ()
    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recorded: TableSchema | None = None
    fingerprint: str

    @property
    def node(self) -> str:
        """The node's id, such as `source:cinema.movies`."""
        return self.table.node


@noun
class Manifest:
    """The whole compiled project, in build order; `blocked` maps a node to the broken ones above it."""

    project: str
    root: str
    env: str
    warehouse: str
    settings: EngineSettings
    connections: tuple[Connection, ...]
    sources: tuple[CompiledSource, ...]
    models: tuple[CompiledModel, ...]
    tests: tuple[CompiledTest, ...]
    publications: tuple[Publication, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    blocked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
