"""TPC-H and TPC-DS as projects: their tables as sources, their queries as models.

Texts and rows come from DuckDB's own extensions, whose wheels exist for DuckDB 1.5.5 alone; they are not
kept in this repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import duckdb
import pytest

from osiris_sql.compile import compile_project
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import EngineSettings, ExtractConfig, LintConfig, Model, Project, SourceTable
from osiris_sql.types.relation import Column, TableSchema

GENERATORS = {"tpch": "dbgen", "tpcds": "dsdgen"}
# The primary keys of the specifications; tables that are not named have their first column.
KEYS = {
    "lineitem": "l_orderkey l_linenumber",
    "partsupp": "ps_partkey ps_suppkey",
    "catalog_returns": "cr_item_sk cr_order_number",
    "catalog_sales": "cs_item_sk cs_order_number",
    "inventory": "inv_date_sk inv_item_sk inv_warehouse_sk",
    "store_returns": "sr_item_sk sr_ticket_number",
    "store_sales": "ss_item_sk ss_ticket_number",
    "web_returns": "wr_item_sk wr_order_number",
    "web_sales": "ws_item_sk ws_order_number",
}


def _file(corpus: str) -> Path:
    package = import_module(f"duckdb_extension_{corpus}")
    version = f"v{duckdb.__version__}"
    return Path(str(package.__file__)).parent / "extensions" / version / f"{corpus}.duckdb_extension"


def has_extensions() -> bool:
    """Say whether the extensions are here for this DuckDB."""
    try:
        return all(_file(name).exists() for name in GENERATORS)
    except ImportError:
        return False


needs_extensions = pytest.mark.skipif(
    not has_extensions(), reason="DuckDB's tpch and tpcds extensions exist as wheels for DuckDB 1.5.5 only"
)


@contextmanager
def warehouse(folder: Path, corpus: str, scale: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse of a corpus in a folder, with its rows in a schema of the corpus's name."""
    with duckdb.connect(folder / "warehouse.duckdb") as connection:
        connection.execute(f"LOAD '{_file(corpus)}'")
        connection.execute(f"CREATE SCHEMA {corpus}")
        connection.execute(f"CALL {GENERATORS[corpus]}(sf = {scale}, schema = '{corpus}')")
        yield connection


def project(connection: duckdb.DuckDBPyConnection, folder: Path, corpus: str) -> Project:
    """Return a project with a view of each table and a model of each query, called q01 and so on."""
    schemas: dict[str, TableSchema] = {}
    columns = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = ?"
        " ORDER BY table_name, column_index",
        [corpus],
    ).fetchall()
    for table in sorted({row[0] for row in columns}):
        own = tuple(Column(name=name, type=kind) for of, name, kind in columns if of == table)
        key = tuple(KEYS.get(table, own[0].name).split())
        schemas[f"source:{corpus}.{table}"] = TableSchema(columns=own, key=key)
    queries = connection.execute(f"SELECT query_nr, query FROM {corpus}_queries()").fetchall()
    texts = {node.rpartition(".")[2]: f"select * from {node.partition(':')[2]}" for node in schemas}
    texts |= {f"q{number:02}": text for number, text in queries}
    return Project(
        root=str(folder),
        name=corpus,
        env="dev",
        environments=("dev",),
        warehouse="warehouse.duckdb",
        settings=EngineSettings(),
        vars={},
        connections=(),
        sources=tuple(_source(corpus, node.rpartition(".")[2]) for node in schemas),
        models=tuple(_model(name, text) for name, text in texts.items()),
        macros=(),
        data_tests=(),
        unit_tests=(),
        publications=(),
        schemas=schemas,
        lint=LintConfig(),
    )


def _source(corpus: str, table: str) -> SourceTable:
    place = Location(path="sources.yml", line=1, column=1)
    return SourceTable(
        source=corpus,
        name=table,
        identifier=table,
        connection=corpus,
        extract=ExtractConfig(),
        location=place,
    )


def _model(name: str, text: str) -> Model:
    path = f"models/{name}.sql"
    return Model(
        name=name, path=path, text=text, config={}, columns=(), location=Location(path=path, line=1, column=1)
    )


def compiled(folder: Path, corpus: str, scale: float) -> Manifest:
    """Return a corpus compiled, with its warehouse built: every table and every view of one."""
    with warehouse(folder, corpus, scale) as connection:
        manifest = compile_project(project(connection, folder, corpus), environ={})
        for model in manifest.models:
            if not is_query(model.name):
                connection.execute(f"CREATE VIEW {model.relation.sql} AS {model.sql}")
    return manifest


def is_query(name: str) -> bool:
    """Say whether a model is one of the corpus's queries."""
    return name[0] == "q" and name[1:].isdigit()
