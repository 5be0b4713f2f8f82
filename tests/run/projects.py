"""Whole projects in a folder, from files to rows, built by the verbs that the command line calls."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
from run.plans import Collected

from osiris_sql import api
from osiris_sql.engines.duckdb.transaction import DuckDBTransaction
from osiris_sql.protocols import Sink
from osiris_sql.run.observe import read_state
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.plan import Plan
from osiris_sql.types.relation import RelationRef
from osiris_sql.types.result import RunResult

WAREHOUSE = Path(".osiris/dev.duckdb")

SHOP = {
    "osiris-sql.toml": 'name = "shop"\n[models]\nmaterialized = "table"\n',
    "data/orders.csv": "id,customer,amount\n1,ann,10\n2,bob,20\n3,ann,30\n",
    "data/customers.csv": "name,country\nann,AT\nbob,DE\n",
    "sources.yml": """
version: 1
connections:
  shop: { type: files, path: data }
sources:
  - name: shop
    tables:
      - name: customers
        columns:
          - { name: name, data_type: VARCHAR, data_tests: [unique] }
          - { name: country, data_type: VARCHAR }
      - name: orders
        columns:
          - { name: id, data_type: BIGINT, data_tests: [unique, not_null] }
          - { name: customer, data_type: VARCHAR }
          - { name: amount, data_type: BIGINT }
""",
    "targets.yml": """
version: 1
connections:
  app: { type: duckdb, path: out/app.duckdb }
targets:
  - name: app
    tables:
      - { name: totals, mode: replace, key: [country], create: true }
      - { name: history, mode: append, key: [id], create: true }
""",
    "models/placed.sql": "{{ config(materialized='view') }} SELECT id, customer, amount FROM shop.orders",
    "models/totals.sql": "SELECT country, sum(amount)::BIGINT AS amount FROM placed"
    " JOIN shop.customers ON name = customer GROUP BY country",
    "models/history.sql": "{{ config(materialized='incremental', unique_key='id') }}"
    " SELECT id, amount FROM placed {% if is_incremental() %}"
    " WHERE id > (SELECT max(id) FROM {{ this }}) {% endif %}",
    "models/models.yml": """
version: 1
models:
  - name: totals
    columns: [{ name: country, data_tests: [unique, not_null] }]
""",
}


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Write the files of a project and return its root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def compile_folder(root: Path) -> Manifest:
    """The compiled project of a folder, without a mistake."""
    manifest = api.compile_project(api.load_project(root))
    assert [d.message for d in manifest.diagnostics if d.severity == "error"] == []
    return manifest


def plan_folder(root: Path, manifest: Manifest | None = None, **more: Any) -> Plan:
    """The plan of a build in a folder, in the world as it is."""
    manifest = manifest or compile_folder(root)
    return api.make_plan(manifest, api.observe_world(manifest, os.environ), **more)


def build(root: Path, sinks: tuple[Sink, ...] = (), **more: Any) -> RunResult:
    """What a build did."""
    return api.run_plan(plan_folder(root, **more), root, dict(os.environ), (Collected(), *sinks))


def ended(result: RunResult) -> dict[str, str]:
    """Step → status."""
    return {step.step: step.status for step in result.steps}


def warehouse_data(root: Path) -> dict[str, str]:
    """The data fingerprint of each node, as its state remembers it; asserts that the tables agree."""
    state = read_state(root / WAREHOUSE, "duckdb", while_running=False)
    if not (root / WAREHOUSE).exists():
        return {}
    with duckdb.connect(str(root / WAREHOUSE), config={"python_enable_replacements": "false"}) as connection:
        transaction = DuckDBTransaction(connection)
        for node, known in state.items():
            kind, _, name = node.partition(":")
            schema, _, table = name.rpartition(".")
            relation = RelationRef(schema or "main", table)
            if kind == "target":
                continue
            assert transaction.schema_of(relation) == known.schema
            if transaction.is_table(relation):
                assert transaction.fingerprint(relation) == known.data
        return {node: str(known.data) for node, known in state.items()}


def delivered(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table of the target."""
    with duckdb.connect(str(root / "out/app.duckdb"), read_only=True) as app:
        names = [
            name
            for (name,) in app.execute(
                "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'"
            ).fetchall()
        ]
        return {name: app.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in names}


def rows_of(root: Path, relation: str) -> list[tuple[Any, ...]]:
    """The rows of a relation of the warehouse, in order."""
    with duckdb.connect(str(root / WAREHOUSE)) as connection:
        return connection.execute(f"SELECT * FROM {relation} ORDER BY ALL").fetchall()
