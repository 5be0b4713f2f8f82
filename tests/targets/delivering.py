"""Delivers the rows of a SELECT to a target, the way a run does: the real engine writes the spool file."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osiris_sql.engines.duckdb.engine import DuckDBEngine
from osiris_sql.protocols import Load, Published
from osiris_sql.types.diagnostic import Diagnostic, Location, StepError
from osiris_sql.types.plan import Publish
from osiris_sql.types.relation import Column, RelationRef
from osiris_sql.types.settings import PINNED_SETTINGS

CLOCK = "2026-01-31T12:00:00+00:00"


def films(*rows: tuple[int, str | None]) -> str:
    """Return a SELECT of these rows, typed INTEGER and VARCHAR."""
    texts = [f"({i}, {'NULL' if t is None else chr(39) + t + chr(39)})" for i, t in rows]
    values = ", ".join(texts or ["(0, NULL)"])
    select = "SELECT id::INTEGER AS id, title::VARCHAR AS title FROM (VALUES {}) AS t(id, title){}"
    return select.format(values, "" if rows else " WHERE false")


class Rows:
    """The rows of SELECTs as spool files, written by the engine."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, itertools.count()
        self._engine = DuckDBEngine(folder / "rows.duckdb", PINNED_SETTINGS, read_only=False)

    def close(self) -> None:
        self._engine.close()

    def columns(self, sql: str) -> tuple[Column, ...]:
        with self._engine.transaction() as transaction:
            schema, _ = transaction.preview(sql, CLOCK, 1)
        return schema.columns

    def publication(self, sql: str, **more: Any) -> Publish:
        """Return the step that delivers this SELECT; by default it replaces table `film`, made if missing."""
        values: dict[str, Any] = {
            "id": "publish.app.film",
            "node": "target:app.film",
            "why": "test",
            "relation": RelationRef("main", "film"),
            "input": "model:film",
            "connection": "app",
            "target": "app",
            "table": "film",
            "mode": "replace",
            "key": ("id",),
            "columns": self.columns(sql),
            "create": True,
            "fingerprint": "f",
            "location": Location(path="targets.yml", line=9, column=9),
            **more,
        }
        return Publish(**values)

    def load(self, target: Any, publication: Publish, sql: str, load_id: str = "") -> Load:
        path = self._folder / f"spool-{next(self._number)}"
        with self._engine.transaction() as transaction:
            transaction.replace_table(publication.relation, sql, CLOCK)
        with self._engine.transaction() as transaction:
            data = transaction.fingerprint(publication.relation)
            rows = transaction.spool(publication.relation, target.spool(publication), path)
        made = load_id or hashlib.sha256(f"{publication.mode}{data.rows}{data.digest}".encode()).hexdigest()
        return Load(load_id=made, run_id="run", data=data, path=path, rows=rows)

    def deliver(self, target: Any, sql: str, load_id: str = "", **more: Any) -> Published:
        """Publish the rows of a SELECT; the load id is that of the rows unless one is given."""
        publication = self.publication(sql, **more)
        load = self.load(target, publication, sql, load_id)
        return target.publish(publication, load, quiet)


def refusal_of(call: Callable[[], object]) -> Diagnostic:
    """Return the one diagnostic of a call that must be refused."""
    with pytest.raises(StepError) as caught:
        call()
    [found] = caught.value.diagnostics
    return found


def quiet(rows: int, message: str) -> None:
    pass


def counts(done: Published) -> tuple[int, int, int, int, int]:
    """Return inserted, updated, unchanged, deleted and the total after."""
    return done.inserted, done.updated, done.unchanged, done.deleted, done.total_after
