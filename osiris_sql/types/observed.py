"""What planning must know of the world, frozen: warehouse state, source probes, target tables."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.noun import noun
from osiris_sql.types.relation import DataFingerprint, RowFilter, TableSchema


@noun
class StepState:
    """What the warehouse remembers of a relation's last successful step, or of a test that passed.

    `inputs` are the data fingerprints that it read, by node; `data` is that of its own rows;
    `change` is a source's change token (see `Source.probe_change`); `endpoint` says which server,
    `filters` which rows of a source were left there.
    Of a publication, `change` is the load that arrived last, `watermark` one that may be on its way.
    """

    step: str
    fingerprint: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    data: DataFingerprint | None = None
    schema: TableSchema | None = None
    change: str | None = None
    watermark: str | None = None
    endpoint: str | None = None
    filters: RowFilter = ()
    clock: str | None = None
    materialized: str | None = None
    passed: Mapping[str, str] = field(default_factory=dict)
    run_id: str


@noun
class ObservedSource:
    """A source table as found: `change` is equal only if its rows are; None means it can't be told.
    `reading` says how it will be read, for people: over how many connections, and why."""

    node: str
    change: str | None = None
    reading: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


@noun
class ObservedTarget:
    """A target table as found; `schema` is None if it does not exist, `latest_load` the id of the
    last publication that its ledger knows, `diagnostics` what keeps a publication from arriving;
    `ddl` are the statements that publishing will make or change the table with,
    `channel` the way that rows will go."""

    node: str
    schema: TableSchema | None
    kind: Literal["table", "partitioned table", "file", "absent"]
    notes: tuple[str, ...] = ()
    ddl: tuple[str, ...] = ()
    channel: str = ""
    latest_load: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


@noun
class Elsewhere:
    """The warehouse of another environment: what it remembers, and its path from the project's root."""

    env: str
    warehouse: str
    state: Mapping[str, StepState]


@noun
class Deferred:
    """The warehouse of another environment, only read: `nodes` are those that this one lacks, with the data
    fingerprints that they must still have."""

    env: str
    warehouse: str
    nodes: Mapping[str, str]


@noun
class Observed:
    """The world at planning time; `offline` says that nothing but the lock and the state was asked.

    `elsewhere` is the environment that is asked for what this one lacks; `foreseen` is what can be said
    of a target connection without asking it.
    """

    state: Mapping[str, StepState] = field(default_factory=dict)
    sources: Mapping[str, ObservedSource] = field(default_factory=dict)
    targets: Mapping[str, ObservedTarget] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    engine: str = ""
    state_digest: str | None = None
    offline: bool = False
    elsewhere: Elsewhere | None = None
    foreseen: Mapping[str, str] = field(default_factory=dict)
