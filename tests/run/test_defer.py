"""`--defer ENV`: what an environment lacks is read from the warehouse of another one; that one stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from run.projects import SHOP, compile_folder, ended, write_files
from typer.testing import CliRunner

from osiris_sql import api
from osiris_sql.cli.app import make_app
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.plan import Materialize, Plan

TWO = 'name = "shop"\nenvironments = ["dev", "prod"]\ndefault_env = "dev"\n[models]\nmaterialized = "table"\n'
HOLDER = """
import duckdb, sys, time
held = duckdb.connect(sys.argv[1])
held.execute("CREATE TABLE uncommitted_log AS SELECT 1 AS id")
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def shop(tmp_path) -> Path:
    """A project whose prod is built, and whose dev is not."""
    root = write_files(tmp_path, {**SHOP, "osiris-sql.toml": TWO})
    manifest = api.compile_project(api.load_project(root, env="prod"))
    plan = api.make_plan(manifest, api.observe_world(manifest, os.environ))
    assert api.run_plan(plan, root, dict(os.environ)).status == "success"
    return root


def planned(root: Path, *select: str, command: api.Command = "build", **more) -> Plan:
    manifest = compile_folder(root)
    observed = api.observe_world(
        manifest, os.environ, select=select, command=command, defer_to="prod", while_running=True
    )
    return api.make_plan(manifest, observed, select=select, command=command, **more)


def built(root: Path, *select: str) -> dict[str, str]:
    return ended(api.run_plan(planned(root, *select), root, dict(os.environ)))


def rows(root: Path, env: str, query: str) -> list[tuple]:
    with duckdb.connect(str(root / f".osiris/{env}.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(query).fetchall()


def test_a_model_is_built_over_tables_and_views_of_the_other_environment(shop):
    before = (shop / ".osiris/prod.duckdb").read_bytes()
    plan = planned(shop, "totals")
    assert plan.deferred.env == "prod"
    assert set(plan.deferred.nodes) == {"model:placed", "source:shop.customers"}
    assert built(shop, "totals") == {"materialize.totals": "success"}
    assert rows(shop, "dev", "FROM totals ORDER BY ALL") == [("AT", 40), ("DE", 20)]
    assert (shop / ".osiris/prod.duckdb").read_bytes() == before
    assert built(shop, "totals") == {"materialize.totals": "reused"}


def test_what_is_here_wins(shop):
    write_files(shop, {"data/orders.csv": "id,customer,amount\n9,ann,900\n"})
    manifest = compile_folder(shop)
    above = ["source:shop.orders", "placed"]
    own = api.make_plan(manifest, api.observe_world(manifest, os.environ, select=above), select=above)
    assert api.run_plan(own, shop, dict(os.environ)).status == "success"
    assert set(planned(shop, "totals").deferred.nodes) == {"source:shop.customers"}
    built(shop, "totals")
    assert rows(shop, "dev", "FROM totals") == [("AT", 900)]


def test_a_view_over_a_deferred_relation_is_held_as_a_table(shop):
    [step] = planned(shop, "placed").steps
    assert isinstance(step, Materialize)
    assert (step.materialized, step.why) == ("table", "never built; reads shop.orders of prod")
    built(shop, "placed")
    assert rows(shop, "dev", "SELECT count(*) FROM placed") == [(3,)]


def test_a_full_build_defers_nothing(shop):
    plan = planned(shop)
    assert plan.deferred.nodes == {}
    assert set(ended(api.run_plan(plan, shop, dict(os.environ))).values()) == {"success"}


def test_rows_and_tests_of_the_other_environment_can_be_looked_at(shop):
    shown = api.run_plan(planned(shop, command="show", show="placed"), shop, dict(os.environ))
    assert shown.status == "success"
    tested = api.run_plan(planned(shop, "totals", command="test"), shop, dict(os.environ))
    assert {test.status for test in tested.tests} == {"pass"}


def test_a_run_that_holds_the_other_warehouse_is_in_nobodys_way(shop):
    warehouse = shop / ".osiris/prod.duckdb"
    with (
        hold_warehouse(warehouse, "a-run"),
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(warehouse)], stdout=subprocess.PIPE, text=True
        ) as holder,
    ):
        assert holder.stdout.readline() == "held\n"
        assert built(shop, "totals") == {"materialize.totals": "success"}
        holder.kill()
    assert rows(shop, "dev", "SELECT count(*) FROM totals") == [(2,)]
    assert not [path.name for path in (shop / ".osiris").glob("*.deferred*")]


def test_rows_that_moved_after_planning_are_refused(shop):
    plan = planned(shop, "totals")
    write_files(shop, {"data/orders.csv": "id,customer,amount\n9,ann,900\n"})
    manifest = api.compile_project(api.load_project(shop, env="prod"))
    again = api.make_plan(manifest, api.observe_world(manifest, os.environ))
    assert api.run_plan(again, shop, dict(os.environ)).status == "success"
    result = api.run_plan(plan, shop, dict(os.environ))
    assert (result.exit_code, result.diagnostics[0].rule) == (2, "another-state")
    assert result.diagnostics[0].why == "changed: placed"


@pytest.mark.parametrize(
    ("env", "said"), [("dev", "it is the one that is built"), ("prod", "no .osiris/prod.duckdb")]
)
def test_an_environment_that_can_not_be_deferred_to(tmp_path, env, said):
    root = write_files(tmp_path, {**SHOP, "osiris-sql.toml": TWO})
    with pytest.raises(ProjectError) as caught:
        api.observe_world(compile_folder(root), os.environ, defer_to=env)
    assert caught.value.diagnostics[0].why == said


def test_the_command_line(shop):
    def osiris(*words: str) -> str:
        result = CliRunner().invoke(make_app(), [*words, "--project-dir", str(shop)])
        assert result.exit_code == 0, result.output
        return result.stdout

    plan = json.loads(osiris("plan", "--select", "totals", "--defer", "prod", "--json"))
    assert plan["deferred"]["warehouse"] == ".osiris/prod.duckdb"
    assert "built" in osiris("build", "--select", "totals", "--defer", "prod")
    assert osiris("ls", "--select", "totals")
