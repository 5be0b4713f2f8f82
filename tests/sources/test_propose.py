"""`discover --propose`: what a connection has, as YAML that compiles; keys are data tests, comments stay."""

from __future__ import annotations

import os

import duckdb
import psycopg2
import pytest
import yaml
from click.testing import Result
from run.plans import Collected
from run.projects import compile_folder, plan_folder, write_files
from servers.mariadb import MariaDb
from typer.testing import CliRunner

from osiris_sql import api
from osiris_sql.cli.app import make_app

pytestmark = pytest.mark.servers

TABLES = [
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE orders (no INTEGER, day DATE, customer INTEGER,"
    " PRIMARY KEY (no, day), FOREIGN KEY (customer) REFERENCES customers (id))",
    "INSERT INTO customers VALUES (1, 'ann'), (2, 'bob')",
    "INSERT INTO orders VALUES (1, '2026-01-01', 1), (2, '2026-01-01', NULL)",
]
EXPECTED = {
    "customers": {
        "name": "customers",
        "description": "who buys",
        "columns": [{"name": "id", "data_tests": ["unique", "not_null"]}],
    },
    "orders": {
        "name": "orders",
        "data_tests": [
            {"unique_combination_of_columns": {"arguments": {"combination_of_columns": ["no", "day"]}}}
        ],
        "columns": [
            {
                "name": "customer",
                "data_tests": [
                    {"relationships": {"arguments": {"to": "source('shop', 'customers')", "field": "id"}}}
                ],
            }
        ],
    },
}


def of_mysql(server: MariaDb, database: str) -> str:
    """The options of a connection whose password is in the environment."""
    place = f"host: {server.host}, port: {server.port}"
    return f'{place}, database: {database}, user: root, password: "${{SECRET}}"'


@pytest.fixture(params=["mysql", "postgres", "duckdb"])
def shop(request, tmp_path, monkeypatch):
    """A project with a connection and nothing else."""
    statements = list(TABLES)
    if request.param == "mysql":
        server = request.getfixturevalue("mariadb")
        server.create_database("proposed")
        server.execute(*statements, "ALTER TABLE customers COMMENT 'who buys'", database="proposed")
        monkeypatch.setenv("SECRET", server.root_password)
        options = of_mysql(server, "proposed")
    elif request.param == "postgres":
        dsn = request.getfixturevalue("postgres").create_database("proposed")
        connection = psycopg2.connect(dsn)
        with connection, connection.cursor() as cursor:
            cursor.execute(";".join([*statements, "COMMENT ON TABLE customers IS 'who buys'"]))
        connection.close()
        monkeypatch.setenv("SECRET", dsn)
        options = 'dsn: "${SECRET}"'
    else:
        with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
            for statement in [*statements, "COMMENT ON TABLE customers IS 'who buys'"]:
                con.execute(statement)
        options = "path: shop.duckdb"
    connections = f"version: 1\nconnections:\n  shop: {{ type: {request.param}, {options} }}\n"
    return write_files(tmp_path, {"osiris-sql.toml": 'name = "shop"\n', "sources.yml": connections})


def proposed(root) -> str:
    return api.propose_sources(api.load_project(root), [], os.environ)


def test_what_is_proposed_holds_keys_and_comments_and_builds(shop):
    text = proposed(shop)
    [source] = yaml.safe_load(text)["sources"]
    assert source["name"] == "shop"
    found = {table["name"]: table for table in source["tables"]}
    for table in found.values():
        table.pop("meta", None)
    assert found == EXPECTED
    (shop / "sources.yml").write_text((shop / "sources.yml").read_text() + text)
    api.discover_sources(api.load_project(shop), [], os.environ)
    assert len(compile_folder(shop).tests) == 4
    result = api.run_plan(plan_folder(shop), shop, dict(os.environ), (Collected(),))
    assert result.status == "success"
    assert yaml.safe_load(proposed(shop))["sources"] == []


def test_the_command_line_prints_it(shop):
    def said(*words: str) -> Result:
        return CliRunner().invoke(make_app(), ["discover", *words, "--project-dir", str(shop)])

    answer = said("--propose", "shop")
    assert answer.exit_code == 0
    assert "- name: customers" in answer.stdout
    assert not (shop / "sources.lock").exists()
    wrong = said("--propose", "shpo")
    assert (wrong.exit_code, 'there is no source connection "shpo"' in wrong.output) == (2, True)


def test_names_that_need_quotes_get_plain_ones(mariadb, tmp_path, monkeypatch):
    mariadb.create_database("odd")
    mariadb.execute("CREATE TABLE `a b-č` (id INT PRIMARY KEY)", database="odd")
    monkeypatch.setenv("SECRET", mariadb.root_password)
    options = (
        f'host: {mariadb.host}, port: {mariadb.port}, database: odd, user: root, password: "${{SECRET}}"'
    )
    files = {"sources.yml": f"connections:\n  shop: {{ type: mysql, {options} }}\n"}
    root = write_files(tmp_path, {"osiris-sql.toml": 'name = "shop"\n', **files})
    [table] = yaml.safe_load(proposed(root))["sources"][0]["tables"]
    assert (table["name"], table["identifier"]) == ("a_b__", "a b-č")
