"""A small manifest: two source tables, four models, tests, a publication."""

from __future__ import annotations

from osiris_sql.types.diagnostic import Location
from osiris_sql.types.manifest import CompiledModel, CompiledSource, CompiledTest, Manifest, ModelConfig
from osiris_sql.types.project import Connection, EngineSettings, ExtractConfig, Publication, SourceTable
from osiris_sql.types.relation import Column, RelationRef, TableSchema

SCHEMA = TableSchema(columns=(Column(name="id", type="INTEGER"), Column(name="extra", type="VARCHAR")))


def source(name: str, **more) -> CompiledSource:
    location = Location(path="sources.yml", line=4)
    table = SourceTable(
        source="shop",
        name=name,
        identifier=name,
        connection="shop",
        location=location,
        extract=more.pop("extract", ExtractConfig()),
        tags=more.pop("tags", ()),
    )
    values = {
        "table": table,
        "relation": RelationRef("shop", name),
        "schema": SCHEMA,
        "used": ("id",),
        "fingerprint": f"source {name}",
        **more,
    }
    return CompiledSource(**values)


def model(
    name: str, *needs: str, folder: str = "marts", materialized: str = "table", **more
) -> CompiledModel:
    config = {"materialized": materialized, "tags": more.pop("tags", ()), **more.pop("config", {})}
    values = {
        "name": name,
        "path": f"models/{folder}/{name}.sql",
        "relation": RelationRef("main", name),
        "config": ModelConfig(**config),
        "sql": f"SELECT * FROM {needs[0].split(':')[-1] if needs else 'x'}",
        "schema": SCHEMA,
        "needs": needs,
        "reads": {},
        "lineage": (),
        "verdict": "proved",
        "fingerprint": f"model {name}",
        "location": Location(path=f"models/{folder}/{name}.sql"),
        **more,
    }
    return CompiledModel(**values)


def data_test(name: str, node: str, *reads: str, **more) -> CompiledTest:
    values = {
        "name": name,
        "node": node,
        "test": "unique",
        "sql": "SELECT 1 WHERE false",
        "reads": reads or (node,),
        "columns_read": {},
        "fingerprint": f"test {name}",
        "location": Location(path="models/models.yml", line=7),
        **more,
    }
    return CompiledTest(**values)


def publication(table: str, of: str, **more) -> Publication:
    values = {
        "target": "app",
        "table": table,
        "model": of,
        "connection": "app",
        "mode": "replace",
        "key": ("id",),
        "location": Location(path="targets.yml", line=9),
        **more,
    }
    return Publication(**values)


def manifest(**more) -> Manifest:
    """orders, customers → stg_orders, stg_customers → enriched (ephemeral) → revenue → app.revenue."""
    values = {
        "project": "test",
        "root": "/nowhere",
        "env": "dev",
        "warehouse": ".osiris/dev.duckdb",
        "settings": EngineSettings(),
        "connections": (
            Connection(
                name="shop",
                type="mysql",
                role="source",
                location=Location(path="sources.yml", line=2),
                options={"host": "${SHOP_HOST}"},
            ),
            Connection(
                name="app",
                type="duckdb",
                role="target",
                location=Location(path="targets.yml", line=2),
                options={"path": "out/app.duckdb"},
            ),
        ),
        "sources": (source("customers"), source("orders", tags=("daily",))),
        "models": (
            model("stg_customers", "source:shop.customers", folder="staging", materialized="view"),
            model("stg_orders", "source:shop.orders", folder="staging", materialized="view", tags=("daily",)),
            model("enriched", "model:stg_customers", "model:stg_orders", materialized="ephemeral"),
            model("revenue", "model:enriched"),
        ),
        "tests": (
            data_test("unique_revenue_id", "model:revenue"),
            data_test("orders_have_customers", "model:stg_orders", "model:stg_orders", "model:stg_customers"),
        ),
        "publications": (publication("revenue", of="revenue"),),
        **more,
    }
    return Manifest(**values)
