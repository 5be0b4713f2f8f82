"""`plan --out` and `build --plan`: exactly that runs, in the world that it was made for and in no other."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from cli.test_import_cost import loaded
from run.projects import SHOP, write_files
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app
from osiris_sql.run.lock import hold_warehouse

FILES = {
    **SHOP,
    "sources.yml": SHOP["sources.yml"].replace("path: data", 'path: "${SHOP_DATA}"'),
    "targets.yml": SHOP["targets.yml"].replace("path: out/app.duckdb", 'path: "${APP_FILE}"'),
}
ENVIRON = {"SHOP_DATA": "data", "APP_FILE": "out/app.duckdb", "NO_COLOR": "1", "COLUMNS": "160"}


def call(root: Path, *words: str, code: int = 0, **environ: str) -> str:
    """What a call says on both streams; fail unless it ends with this exit code."""
    answer = CliRunner().invoke(
        make_app(words[0]), [*words, "--project-dir", str(root)], env={**ENVIRON, **environ}
    )
    assert answer.exit_code == code, answer.output
    return answer.output


@pytest.fixture
def shop(tmp_path) -> Path:
    write_files(tmp_path / "shop", FILES)
    write_files(tmp_path / "shop/elsewhere", {"orders.csv": "id\n", "customers.csv": "name\n"})
    return tmp_path / "shop"


@pytest.fixture
def plan(shop) -> Path:
    call(shop, "plan", "--out", str(shop / "plan.json"))
    return shop / "plan.json"


def test_it_loads_neither_parser_nor_project(shop, plan):
    environ = {**os.environ, **ENVIRON}
    said, modules = loaded("build", "--plan", str(plan), "--project-dir", str(shop), **environ)
    assert "ok in" in said
    assert "duckdb" in modules
    assert modules & {"sqlglot", "jinja2", "yaml"} == set()


def test_it_is_the_same_bytes_in_any_folder_process_locale_and_time_zone(shop, tmp_path):
    texts = set()
    for seed, locale, zone in (("0", "C", "UTC"), ("1", "C.UTF-8", "Asia/Tokyo")):
        root = shutil.copytree(shop, tmp_path / f"copy {seed}")
        environ = {**ENVIRON, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone}
        words = ["plan", "--as-of", "2026-01-31", "--json", "--project-dir", str(root)]
        texts.add(loaded(*words, **environ)[0])
    assert [len(json.loads(text)["steps"]) for text in texts] == [7]


def test_a_plan_of_another_project(shop, plan):
    write_files(shop, {"osiris-sql.toml": FILES["osiris-sql.toml"].replace("shop", "store")})
    said = call(shop, "build", "--plan", str(plan), code=2)
    assert "error[another-project]  the plan was made for the project shop, this one is store" in said
    assert not (shop / ".osiris/dev.duckdb").exists()


def test_a_plan_of_another_state(shop, plan):
    call(shop, "build")
    said = call(shop, "build", "--plan", str(plan), code=2)
    assert "error[another-state]  the warehouse is not in the state that the plan was made for" in said
    assert "the last run in it is " in said


@pytest.mark.parametrize("tool", ["osiris-sql", "duckdb"])
def test_a_plan_of_another_version(shop, plan, tool):
    made = json.loads(plan.read_text())
    plan.write_text(json.dumps({**made, "versions": {**made["versions"], tool: "0.0.1"}}))
    said = call(shop, "build", "--plan", str(plan), code=2)
    assert f"error[another-version]  the plan was made with {tool} 0.0.1, here is" in said


@pytest.mark.parametrize(
    ("variable", "value", "connection"),
    [("SHOP_DATA", "elsewhere", "shop"), ("APP_FILE", "out/other.duckdb", "app")],
)
def test_a_plan_of_another_endpoint(shop, plan, variable, value, connection):
    said = call(shop, "build", "--plan", str(plan), code=2, **{variable: value})
    assert "error[another-endpoint]" in said
    assert f'connection "{connection}" reaches another server or database than the plan' in said
    assert not (shop / "out").exists()
    assert "failed in" in said, "no step began"
    assert "extracted" not in said


def test_every_endpoint_that_moved_is_named(shop, plan):
    said = call(
        shop, "build", "--plan", str(plan), code=2, SHOP_DATA="elsewhere", APP_FILE="out/other.duckdb"
    )
    assert said.count("error[another-endpoint]") == 2


def test_plans_and_lists_are_made_while_a_run_holds_the_warehouse(shop):
    call(shop, "build")
    with hold_warehouse(shop / ".osiris/dev.duckdb", "first"):
        assert "7 steps: 7 reuse" in call(shop, "plan")
        assert "totals" in call(shop, "ls")
        said = call(shop, "build", code=3)
    assert f"in use by process {os.getpid()}, run first" in said
