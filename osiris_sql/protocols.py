"""Everything that can be added to the program, on one page: each kind is one file named after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from osiris_sql.types.batches import Batches
from osiris_sql.types.diagnostic import Diagnostic, Severity
from osiris_sql.types.difference import Difference
from osiris_sql.types.event import Event, EventBody
from osiris_sql.types.manifest import SnapshotSpec
from osiris_sql.types.noun import Json
from osiris_sql.types.observed import ObservedSource, ObservedTarget, StepState
from osiris_sql.types.plan import Plan, PlannedTest, Publish
from osiris_sql.types.relation import Column, DataFingerprint, RelationRef, RowFilter, TableSchema

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What a connection answered: `facts` are shown as they are, so they hold no secret."""

    server: str
    facts: Mapping[str, str]
    warnings: tuple[Diagnostic, ...] = ()


# ---------------------------------------------------------------------------------------- sources


@dataclass(frozen=True, kw_only=True)
class ForeignKey:
    """Columns whose values occur in those of another table of the same connection."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DiscoveredTable:
    """A table found at a source: its DuckDB schema and keys, comment and estimated rows.

    `seen` says by which rows the columns were found, where nothing but rows tells them.
    """

    identifier: str
    schema: TableSchema
    comment: str = ""
    rows: int | None = None
    foreign_keys: tuple[ForeignKey, ...] = ()
    seen: Literal["", "all rows", "first rows"] = ""


@dataclass(frozen=True, kw_only=True)
class TableRead:
    """What to read: `columns` with the types to arrive in; rows whose `watermark` is at or after `since`,
    and for which `where` holds, a condition in the source's own SQL. As VARCHAR any value arrives.

    Rows that do not pass `filters` need not be read, where the source tells them as DuckDB would."""

    node: str
    identifier: str
    columns: tuple[Column, ...]
    watermark: str | None = None
    since: str | None = None
    where: str = ""
    filters: RowFilter = ()


@dataclass(frozen=True, kw_only=True)
class ArrowRows:
    """Rows as Arrow record batches, columns in the order of the request, cast exactly by the engine.

    `observed` is what the run card says of how they are read, such as the position of the snapshot.
    """

    batches: pa.RecordBatchReader
    observed: Mapping[str, Json] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EncodedRows:
    """Rows as their source writes them: Arrow record batches, and the SELECT that decodes them.

    `select` reads the relation `{rows}` and yields the requested columns, in order, exactly typed.
    """

    batches: Iterator[pa.RecordBatch]
    schema: pa.Schema
    select: str
    observed: Mapping[str, Json] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()


Rows = ArrowRows | EncodedRows


class Snapshot(Protocol):
    """One instant of a source: every table read through it is as of that instant."""

    position: str | None

    def read(self, request: TableRead) -> Rows:
        """Return the rows asked for, streaming; one read at a time."""
        ...


class Source(Protocol):
    """Where rows come from. A file `sources/<type>.py` has one class that fits; `Options` is a
    frozen dataclass of what a connection may say, its secrets typed `Secret`; drivers are imported
    in the constructor. With `FILTERS = True` it uses the filters of a read. Raises UnreachableError or
    StepError, with diagnostics."""

    Options: ClassVar[type]

    def __init__(self, options: Any, root: Path) -> None: ...

    def endpoint(self) -> str:
        """Return what identifies the server and database, without secrets; it is hashed before storing."""
        ...

    def probe(self) -> ProbeResult:
        """Connect and say what answered."""
        ...

    def discover(self, identifiers: Sequence[str] | None) -> list[DiscoveredTable]:
        """Return the named tables, or all; a name that does not exist is left out.

        Where that reads all rows, `describe` (of names) says as much as can be said without, types "" else.
        """
        ...

    def probe_change(self, tables: Mapping[str, str]) -> list[ObservedSource]:
        """Return a change token for each table (node → identifier), where one is cheap and safe.

        A source that speaks SQL also has `ask`: `{node: (identifier, expressions)}` → for each node one row
        of values, or the OsirisError that it met.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open one consistent instant for reading."""
        ...

    def interrupt(self) -> None:
        """Stop what is being read, from another thread."""
        ...


# ---------------------------------------------------------------------------------------- targets


@dataclass(frozen=True, kw_only=True)
class SpoolSpec:
    """How the engine writes a spool file: `projection` is one DuckDB expression a column, in order.

    `csv` and `parquet` add `options` to COPY; `duckdb` is a database file with one table `spool`.
    Rows whose order means nothing are written faster, and in a fifth of the memory, if not `ordered`.
    """

    kind: Literal["csv", "parquet", "duckdb"]
    projection: tuple[str, ...]
    options: str = ""
    ordered: bool = True


@dataclass(frozen=True, kw_only=True)
class Load:
    """One delivery: the same `load_id` a second time is a no-op. The file has `rows` of the model's `data`.

    `audit` runs the data tests on what arrived. A target calls it before the commit, with what asks its
    database; what it raises undoes the delivery.
    """

    load_id: str
    run_id: str
    data: DataFingerprint
    path: Path
    rows: int
    audit: Callable[[Callable[[PlannedTest, int], TestOutcome]], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a delivery did, counted at the target after it was committed; `channel` is the way that the
    rows went, where a target has several."""

    sent: int
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    total_after: int = 0
    channel: str = ""
    already_published: bool = False


class Target(Protocol):
    """Where rows are delivered. A file `targets/<type>.py` has one class that fits, as for sources."""

    Options: ClassVar[type]

    def __init__(self, options: Any, root: Path) -> None: ...

    def endpoint(self) -> str:
        """Return what identifies the server and database, without secrets; it is hashed before storing."""
        ...

    def probe(self) -> ProbeResult:
        """Connect and say what answered."""
        ...

    def observe(self, publication: Publish) -> ObservedTarget:
        """Return the target table as it is now."""
        ...

    def holds(self, publication: Publish, load_id: str) -> bool:
        """Say whether the table still holds what that load delivered, looking as closely as it takes."""
        ...

    def compare(self, publication: Publish, load: Load, samples: int) -> Difference:
        """Return what the spool file would change, with so many rows of each kind; write nothing."""
        ...

    def spool(self, publication: Publish) -> SpoolSpec:
        """Return how the rows are to be written to the spool file; refuses types that can't arrive."""
        ...

    def publish(self, publication: Publish, load: Load, progress: Callable[[int, str], None]) -> Published:
        """Deliver the spool file in one transaction and return what was counted after it."""
        ...

    def interrupt(self) -> None:
        """Stop what is being written, from another thread."""
        ...


class TestedTarget(Target, Protocol):
    """A target whose database can be asked: data tests on what arrived are compiled for no other."""

    def ask(self, test: PlannedTest, sample: int) -> TestOutcome:
        """Return what a data test finds in the table as it stands."""
        ...


# ---------------------------------------------------------------------------------------- engines


@dataclass(frozen=True, kw_only=True)
class TestOutcome:
    """What a data test found: the count of offending rows, and the first of them as text."""

    failures: int
    sample: tuple[Mapping[str, str | None], ...]


class Transaction(Protocol):
    """One transaction of an engine: all of it happens, or nothing."""

    def schema_of(self, relation: RelationRef) -> TableSchema | None:
        """Return the columns of a relation, or None if it does not exist."""
        ...

    def exists(self, relation: RelationRef) -> bool:
        """Say whether there is a table or view of this name."""
        ...

    def is_table(self, relation: RelationRef) -> bool:
        """Say whether the relation exists and is a table, not a view."""
        ...

    def replace_view(self, relation: RelationRef, sql: str, run_clock: str) -> None:
        """Create or replace a view."""
        ...

    def replace_table(self, relation: RelationRef, sql: str, run_clock: str) -> int:
        """Create or replace a table from a query and return its rows."""
        ...

    def reshape(self, relation: RelationRef, schema: TableSchema) -> None:
        """Give a table these columns: a new one is NULL in its rows, a retyped one is cast."""
        ...

    def insert_query(
        self, relation: RelationRef, sql: str, run_clock: str, strategy: str, key: tuple[str, ...]
    ) -> int:
        """Add a query's rows to a table by `append`, `merge` or `delete+insert`; return them counted."""
        ...

    def begin_versions(self, relation: RelationRef, sql: str, run_clock: str, spec: SnapshotSpec) -> int:
        """Create a snapshot from the first versions that a query gives, and return how many."""
        ...

    def keep_versions(
        self, relation: RelationRef, sql: str, run_clock: str, spec: SnapshotSpec
    ) -> dict[str, int]:
        """Bring a snapshot up to date; return the rows `inserted`, `updated` and `deleted`."""
        ...

    def begin_batches(self, relation: RelationRef, made_by: str) -> frozenset[str]:
        """Return the beginnings of the batches that are done; those made by anything else are dropped."""
        ...

    def build_batch(
        self, relation: RelationRef, made_by: str, sql: str, instants: dict[str, str], event_time: str
    ) -> int:
        """Build one batch beside a table, note that it is done, and return its rows.

        `instants` are those of `run_clock`, `batch_start` and `batch_end`.
        """
        ...

    def fold_batches(self, relation: RelationRef, planned: Batches, *, anew: bool) -> int:
        """Put the rows of all batches into a table, those of the same stretch of time going."""
        ...

    def load_rows(
        self,
        relation: RelationRef,
        columns: tuple[Column, ...],
        rows: Rows,
        *,
        merge_key: tuple[str, ...] | None,
        progress: Callable[[int, int], None],
    ) -> int:
        """Write a source's rows, cast exactly: a new table, or merged by key into the one there.

        `progress` is told the rows and bytes so far."""
        ...

    def maximum(self, relation: RelationRef, column: str) -> str | None:
        """Return the greatest value of a column as exact text, or None of no rows."""
        ...

    def fingerprint(
        self, relation: RelationRef, *, columns: TableSchema | None = None, first: int | None = None
    ) -> DataFingerprint:
        """Return the identity of the rows of a relation: in some columns, or of a table's first rows."""
        ...

    def measure_tests(
        self, relation: RelationRef, tests: Sequence[PlannedTest], run_clock: str
    ) -> tuple[int, ...]:
        """Return the measure of each data test of a relation, from one scan if memory allows."""
        ...

    def run_test(
        self, test: PlannedTest, run_clock: str, sample: int, *, counted: int | None = None
    ) -> TestOutcome:
        """Count the offending rows of a data test, unless `counted`, and fetch the first ones."""
        ...

    def spool_failures(self, test: PlannedTest, run_clock: str, path: Path) -> None:
        """Write the offending rows of a data test to a file that a rollback leaves there."""
        ...

    def keep_failures(self, relation: RelationRef, path: Path) -> None:
        """Put the offending rows in a file into a table, in the place of older ones."""
        ...

    def key_violations(self, relation: RelationRef, key: tuple[str, ...]) -> tuple[int, int]:
        """Return how many rows have a NULL in the key, and how many keys occur more than once."""
        ...

    def spool(self, relation: RelationRef, spec: SpoolSpec, path: Path, part: range | None = None) -> int:
        """Write the rows of a relation to a spool file, or the part of a table as they were added to it
        (the first is 0), and return how many."""
        ...

    def preview(self, sql: str, run_clock: str, limit: int) -> tuple[TableSchema, list[tuple[Any, ...]]]:
        """Return the first rows of a query in a total order."""
        ...

    def drop(self, relation: RelationRef) -> None:
        """Drop a table or view, if it exists."""
        ...

    def write_state(self, state: StepState) -> None:
        """Remember a step, in this transaction."""
        ...

    def forget(self, node: str) -> None:
        """Remember nothing of a node, in this transaction."""
        ...

    def take_parcel(self, path: Path) -> None:
        """Take over the relations and states of a parcel, in the place of those here."""
        ...


class Engine(Protocol):
    """What computes: a file `engines/<name>.py` has one class that fits. It holds the warehouse open
    for one run; each thread asks for a transaction of its own."""

    def __init__(self, warehouse: Path, settings: Mapping[str, str], *, read_only: bool) -> None: ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a transaction: commits when the block ends, rolls back when it raises."""
        ...

    def read_state(self) -> dict[str, StepState]:
        """Return what the warehouse remembers, by node."""
        ...

    def defer(self, warehouse: Path) -> dict[str, StepState]:
        """Let queries read relations of another warehouse where this one lacks them; return its state."""
        ...

    def stored_bytes(self, relations: Iterable[RelationRef]) -> dict[RelationRef, int]:
        """Return about how many bytes each relation takes: 0 for a view; what is not there is left out."""
        ...

    def write_parcel(
        self,
        path: Path,
        relations: Sequence[RelationRef],
        states: Iterable[StepState],
        empty: Iterable[RelationRef] = (),
    ) -> None:
        """Write a new warehouse with these relations and states alone, and the columns of `empty` ones; a
        view comes after its inputs."""
        ...

    def drop_batches(self, keep: Iterable[RelationRef]) -> list[str]:
        """Drop the batches that stopped runs left of any other model; return the names of those models."""
        ...

    @staticmethod
    def read_mirror(warehouse: Path) -> dict[str, StepState]:
        """Return what the warehouse remembered at the last commit, without opening it."""
        ...

    def interrupt(self) -> None:
        """Stop all running queries, from another thread."""
        ...

    def close(self) -> None:
        """Let go of the warehouse."""
        ...


# ----------------------------------------------------------------------- launchers, sinks, lint rules

Emit = Callable[[EventBody], None]


class Launcher(Protocol):
    """Where a plan runs. A file `launchers/<name>.py` has one class that fits."""

    name: str

    def prepare(self, plan: Plan, root: Path) -> Plan:
        """Return the plan as it is to run there; a launcher without files of its own returns it as it is."""
        ...

    def launch(
        self,
        plan: Plan,
        root: Path,
        run_id: str,
        environ: Mapping[str, str],
        sinks: Sequence[Sink],
        *,
        fail_fast: bool = False,
    ) -> int:
        """Run the plan, feed its events to `sinks` in order, and return the exit code."""
        ...


class Sink(Protocol):
    """Where events go."""

    def emit(self, event: Event) -> None:
        """Take one event."""
        ...

    def close(self) -> None:
        """No more events will come."""
        ...


class Rule(Protocol):
    """A lint rule: a file `lint/rules/<name>.py`; its docstring has What, Why, Bad and Good.

    `SEVERITY` is that of its findings, unless the project's settings say otherwise.
    """

    SEVERITY: Severity

    def check(self, model: Any) -> Iterable[Any]:
        """Return what the rule finds (`lint.finding.Finding`) in one `lint.linted_model.LintedModel`."""
        ...
