"""The plan: a directed acyclic graph of steps in one file, the only border between the two wings."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from osiris_sql.types.batches import Batches
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import IncrementalStrategy, Proof, SnapshotSpec, TestShape
from osiris_sql.types.noun import Discriminated, Json, noun
from osiris_sql.types.observed import Deferred
from osiris_sql.types.project import ExtractMode, PublishMode, SchemaChange, TestSeverity
from osiris_sql.types.relation import Column, ColumnPolicy, ColumnRef, RelationRef, RowFilter, TableSchema

Decision = Literal["run", "reuse", "run if inputs change"]


@noun
class PlannedConnection:
    """A connection with its secrets by name only; `env_names` are the variables that it needs."""

    name: str
    type: str
    role: Literal["source", "target"]
    options: Mapping[str, Json]
    env_names: tuple[str, ...]
    location: Location


@noun
class PlannedTest:
    """A data test to run on a relation, as `CompiledTest` has it; a `strict` one fails, never warns."""

    name: str
    test: str
    node: str
    column: str | None = None
    sql: str
    reads: tuple[str, ...]
    about: tuple[str, ...] = ()
    shape: TestShape | None = None
    measure: str = ""
    key: str = ""
    parent: ColumnRef | None = None
    relation: RelationRef | None = None
    severity: TestSeverity = "error"
    warn_if: str = "!= 0"
    error_if: str = "!= 0"
    limit: int | None = None
    store_failures: bool = False
    strict: bool = False
    proof: Proof | None = None
    fingerprint: str
    location: Location


@noun
class Extract:
    """Reads a source table into the warehouse: the `columns` that somebody uses, of rows that pass `filters`.

    `recorded` is the table as sources.lock knows it, and `readers` who reads each column: the source is
    compared with it before anything is read. `reading` says for people how planning found it would be read.
    """

    kind: Literal["extract"] = "extract"
    id: str
    node: str
    needs: tuple[str, ...] = ()
    decision: Decision
    why: str
    relation: RelationRef
    connection: str
    identifier: str
    columns: tuple[Column, ...]
    mode: ExtractMode = "full"
    watermark: str | None = None
    key: tuple[str, ...] = ()
    lookback: int = 0
    where: str = ""
    filters: RowFilter = ()
    max_rows: int | None = None
    scan_deletes: bool = False
    policies: tuple[ColumnPolicy, ...] = ()
    readers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    recorded: TableSchema | None = None
    change: str | None = None
    reading: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    tests: tuple[PlannedTest, ...] = ()
    fingerprint: str
    location: Location


@noun
class Materialize:
    """Builds a model's relation; `inputs` names each node that the SQL reads.

    `reuse_if` holds the data fingerprints of the last successful inputs: the step is reused when they are
    equal at run time. None means that it must run. An incremental model carries both variants, and runs
    `increment_sql` only if its table stands there, made by the same fingerprint, or by `continues`, an older
    definition whose rows are kept, reshaped to `schema`. `impact`: what a change of its columns does below.
    """

    kind: Literal["materialize"] = "materialize"
    id: str
    node: str
    needs: tuple[str, ...] = ()
    decision: Decision
    why: str
    relation: RelationRef
    materialized: Literal["view", "table", "incremental", "snapshot"]
    sql: str
    increment_sql: str | None = None
    strategy: IncrementalStrategy = "append"
    unique_key: tuple[str, ...] = ()
    snapshot: SnapshotSpec | None = None
    batches: Batches | None = None
    full_refresh: bool = False
    continues: str | None = None
    impact: str = ""
    inputs: tuple[str, ...]
    reuse_if: Mapping[str, str] | None = None
    clock: str | None = None
    schema: TableSchema
    tests: tuple[PlannedTest, ...] = ()
    fingerprint: str
    location: Location


@noun
class Check:
    """Runs data tests on what is built or, with a `connection`, on what was published to that target."""

    kind: Literal["check"] = "check"
    id: str
    node: str
    needs: tuple[str, ...] = ()
    decision: Decision = "run"
    why: str
    connection: str = ""
    tests: tuple[PlannedTest, ...]
    location: Location


@noun
class Publish:
    """Delivers a model's rows to a target's table in one atomic, verified write.

    `channel` is the way that planning found open, and the run takes no other; "" is for it to look. `series`
    names the loads of an append of rows that its model added. `notes`, `warnings`, `ddl` are for people.
    """

    kind: Literal["publish"] = "publish"
    id: str
    node: str
    needs: tuple[str, ...] = ()
    decision: Decision = "run"
    why: str
    relation: RelationRef
    input: str
    connection: str
    target: str
    schema: str | None = None
    table: str
    mode: PublishMode
    key: tuple[str, ...] = ()
    columns: tuple[Column, ...]
    create: bool = False
    append_all: bool = False
    series: str = ""
    max_deleted: float = 0.5
    allow_empty: bool = False
    on_schema_change: SchemaChange = "add"
    description: str = ""
    tests: tuple[PlannedTest, ...] = ()
    channel: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    ddl: tuple[str, ...] = ()
    fingerprint: str
    location: Location


@noun
class Preview:
    """Shows the first rows of a query, in a total order; `where` is the condition of a source table."""

    kind: Literal["preview"] = "preview"
    id: str
    node: str
    needs: tuple[str, ...] = ()
    decision: Decision = "run"
    why: str
    sql: str
    limit: int
    location: Location
    where: str = ""


@noun
class Probe:
    """Asks a connection whether it can be reached and used."""

    kind: Literal["probe"] = "probe"
    role: Literal["source", "target"]
    id: str
    node: str
    needs: tuple[str, ...] = ()
    decision: Decision = "run"
    why: str
    connection: str
    location: Location


Step = Annotated[Extract | Materialize | Check | Publish | Preview | Probe, Discriminated()]


@noun
class Plan:
    """What a run will do, on any machine: no clock of its own making, no secret, no absolute path.

    `versions` names the tool, the engine and the SQL parser; `warehouse` is relative to the root of the
    project; `run_clock` is an ISO instant in UTC. `endpoints` and `state` identify the world that it was made
    for: a run refuses another one. `nodes` are the fingerprints of all nodes of the project, with a step here
    or not, for `state:` of later selections. `leftovers` were built once, and the project has them no longer.
    For another machine, `carried` are the nodes whose rows go along, with about their bytes, and `left` the
    reused ones that stay, since no step that may run reads them.
    """

    version: int = 1
    project: str
    env: str
    command: str
    warehouse: str
    engine: str = "duckdb"
    engine_settings: Mapping[str, str]
    concurrency: int = 1
    versions: Mapping[str, str]
    run_clock: str
    connections: tuple[PlannedConnection, ...]
    endpoints: Mapping[str, str] = field(default_factory=dict)
    state: str | None = None
    nodes: Mapping[str, str] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    carried: Mapping[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    deferred: Deferred | None = None
    steps: tuple[Step, ...]
