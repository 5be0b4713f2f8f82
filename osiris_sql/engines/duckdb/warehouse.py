"""The warehouse of a run: opened when something is asked that was not known when it was last let go of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from osiris_sql.engines.duckdb.catalog import Kind, place_of
from osiris_sql.engines.duckdb.mirror import read_mirror
from osiris_sql.engines.duckdb.rest import Rest, recall_rest

if TYPE_CHECKING:
    from osiris_sql.engines.duckdb.engine import DuckDBEngine
    from osiris_sql.protocols import Transaction
    from osiris_sql.types.observed import StepState
    from osiris_sql.types.relation import RelationRef


class DuckDBWarehouse:
    """An engine that stands in for `DuckDBEngine` until that is needed: importing DuckDB and opening a
    file of a thousand tables is a third of a build that has nothing to do."""

    def __init__(self, warehouse: Path, settings: Mapping[str, str], *, read_only: bool) -> None:
        self._asked = warehouse, settings, read_only
        self._lock = threading.Lock()
        self._engine: DuckDBEngine | None = None
        self._rest = recall_rest(warehouse)
        if self._rest is None:
            self._open()

    def _open(self) -> DuckDBEngine:
        from osiris_sql.engines.duckdb.engine import DuckDBEngine

        with self._lock:
            if self._engine is None:
                warehouse, settings, read_only = self._asked
                self._engine = DuckDBEngine(warehouse, settings, read_only=read_only)
            return self._engine

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction: commits when the block ends, rolls back when it raises.

        Raises StepError or CancelledError for what the engine refuses.
        """
        with ExitStack() as stack:
            if self._rest and not self._engine:
                yield cast("Transaction", _Glance(self._rest, lambda: self._enter(stack)))
            else:
                yield self._enter(stack)

    def _enter(self, stack: ExitStack) -> Transaction:
        return stack.enter_context(self._open().transaction())

    def read_state(self) -> dict[str, StepState]:
        """Return what the warehouse remembers, by node."""
        if self._rest and not self._engine:
            return dict(self._rest.state)
        return self._open().read_state()

    @staticmethod
    def read_mirror(warehouse: Path) -> dict[str, StepState]:
        """Return what the warehouse remembered at the last commit, without opening it."""
        return read_mirror(warehouse)

    def interrupt(self) -> None:
        """Stop all running queries, from another thread."""
        if self._engine:
            self._engine.interrupt()

    def close(self) -> None:
        """Let go of the warehouse."""
        if self._engine:
            self._engine.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._open(), name)


class _Glance:
    """A transaction that begins once more is asked than what there is."""

    def __init__(self, rest: Rest, begin: Callable[[], Transaction]) -> None:
        self._rest = rest
        self._begin = begin
        self._begun: Transaction | None = None

    def exists(self, relation: RelationRef) -> bool:
        """Say whether there is a table or view of this name."""
        return self._begun.exists(relation) if self._begun else self._kind(relation) is not None

    def is_table(self, relation: RelationRef) -> bool:
        """Say whether the relation exists and is a table, not a view."""
        return self._begun.is_table(relation) if self._begun else self._kind(relation) == "table"

    def _kind(self, relation: RelationRef) -> Kind | None:
        return self._rest.kinds.get(place_of(relation))

    def __getattr__(self, name: str) -> Any:
        if self._begun is None:
            self._begun = self._begin()
        return getattr(self._begun, name)
