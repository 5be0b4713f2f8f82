"""Every command on a real project, the one that `init` writes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app
from osiris_sql.compile.model import ModelPass


def call(folder: Path, *arguments: str, code: int = 0):
    """Call the program on a project; fail unless it ends with this exit code, without a traceback."""
    args = [*arguments] if arguments[0] == "init" else [*arguments, "--project-dir", str(folder)]
    answer = CliRunner().invoke(
        make_app(), args, env={"COLUMNS": "160", "NO_COLOR": "1"}, prog_name="osiris-sql"
    )
    assert answer.exit_code == code, answer.output
    assert "Traceback" not in answer.output
    return answer


def lines(text: str) -> list[str]:
    """Lines without what differs from run to run: times, and runs of blanks."""
    tidy = (re.sub(r"\d+\.\ds", "0.0s", re.sub(r"runs/\S+", "runs/ID", line)) for line in text.splitlines())
    return [re.sub(r" {2,}", "  ", line).strip() for line in tidy]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A project as `init` writes it, built once; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("projects") / "shop"
    call(folder, "init", str(folder))
    call(folder, "build")
    return folder


@pytest.fixture
def shop(built, tmp_path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "shop"))


@pytest.fixture
def fresh(tmp_path) -> Path:
    call(tmp_path, "init", str(tmp_path / "shop"))
    return tmp_path / "shop"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# ------------------------------------------------------------------------------------------- init


def test_init_says_what_it_wrote_and_what_comes_next(tmp_path):
    answer = call(tmp_path, "init", str(tmp_path / "shop"))
    written = answer.stdout.split()
    assert {"osiris-sql.toml", "sources.yml", "targets.yml", "models/marts/customer_sales.sql"} <= set(
        written
    )
    assert all((tmp_path / "shop" / name).is_file() for name in written)
    assert f"cd {tmp_path / 'shop'} && osiris-sql build" in answer.stderr
    assert 'name = "shop"' in (tmp_path / "shop/osiris-sql.toml").read_text()


def test_init_overwrites_nothing_and_names_every_file_in_the_way(tmp_path):
    (tmp_path / "sources.yml").write_text("mine")
    (tmp_path / "osiris-sql.toml").write_text("mine")
    answer = call(tmp_path, "init", str(tmp_path), code=2)
    assert "sources.yml  error[file-exists]" in answer.stderr
    assert "osiris-sql.toml  error[file-exists]" in answer.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["osiris-sql.toml", "sources.yml"]
    assert (tmp_path / "sources.yml").read_text() == "mine"


def test_init_adds_to_an_existing_gitignore_and_beside_a_pyproject(tmp_path):
    (tmp_path / ".gitignore").write_text("*.pyc\nout/")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    call(tmp_path, "init", str(tmp_path), "--name", "sales")
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\nout/\n.osiris/\n"
    assert 'name = "sales"' in (tmp_path / "osiris-sql.toml").read_text()


@pytest.mark.parametrize("name", ["a b", "-x", 'a"b', "a/b"])
def test_init_refuses_a_name_that_can_not_be_one(tmp_path, name):
    assert "error[bad-name]" in call(tmp_path, "init", str(tmp_path / "x"), f"--name={name}", code=2).stderr
    assert not (tmp_path / "x").exists()


def test_the_written_lock_is_what_discover_finds(fresh):
    before = (fresh / "sources.lock").read_text()
    assert lines(call(fresh, "discover").stdout) == [
        "✓ shop.customers  unchanged",
        "✓ shop.orders  unchanged",
    ]
    assert (fresh / "sources.lock").read_text() == before


def test_discover_names_the_mistake_in_a_connection(fresh):
    path = fresh / "sources.yml"
    path.write_text(path.read_text().replace("type: files,", "type: files, format: csv,"))
    answer = call(fresh, "discover", code=2)
    assert 'error[unknown-key]  unknown key "format"' in answer.stderr
    assert "undiscovered" not in answer.stderr


def test_the_written_project_has_nothing_to_lint(built):
    answer = call(built, "lint")
    assert (answer.stdout, answer.stderr) == ("", "no findings\n")


# ------------------------------------------------------------------------------------------ build


def test_build_shows_what_changed_and_leaves_the_runs_folder(fresh):
    shown = lines(call(fresh, "build").stdout)
    assert "✓ extracted  extract  shop.orders  7  tests: 2 passed  0.0s" in shown
    assert "✓ built  table  customer_sales  4  tests: 3 passed  0.0s" in shown
    assert "✓ published  replace  app.customer_sales  4  4 inserted  0.0s" in shown
    assert shown[-1].startswith("ok in 0.0s: 2 extracted, 1 published, 3 built · tests: ")
    [run] = (fresh / ".osiris/runs").iterdir()
    assert {"plan.json", "events.jsonl", "run_results.json"} <= {path.name for path in run.iterdir()}
    with duckdb.connect(str(fresh / "out/app.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "from customer_sales select customer_id, orders, amount order by all"
        ).fetchall()
    assert [(n, orders, str(amount)) for n, orders, amount in rows] == [
        (1, 2, "28.15"),
        (2, 2, "169.90"),
        (3, 2, "76.00"),
        (4, 0, "0.00"),
    ]


def test_a_second_build_reuses_everything(shop):
    shown = lines(call(shop, "build").stdout)
    assert "= reused  replace  app.customer_sales  4  already published  0.0s" in shown
    assert "built" not in " ".join(shown).replace("rebuilt", "")


def test_a_failed_test_publishes_nothing_and_exits_1(shop):
    edit(shop / "data/shop/orders.csv", "105,1,", "104,1,")
    answer = call(shop, "build", code=1)
    assert "FAIL source_unique_shop_orders_id  sources.yml:30:26" in answer.stdout
    assert "1 offending row" in answer.stdout
    assert "- skipped" in answer.stdout
    call(shop, "build", code=1)
    edit(shop / "data/shop/orders.csv", "104,1,", "105,1,")
    call(shop, "build")


def test_a_source_file_that_is_gone_is_named(shop):
    (shop / "data/shop/orders.csv").unlink()
    answer = call(shop, "build", code=1)
    assert 'shop has no file "orders"' in answer.stdout


def test_an_ambiguous_source_file_is_no_connection_that_is_down(shop):
    (shop / "data/shop/orders.parquet").write_bytes(b"")
    answer = call(shop, "build", code=1)
    assert "ambiguous-file" in answer.stderr


def test_events_for_machines(shop):
    answer = call(shop, "build", "--json")
    unit_test, *bodies = [json.loads(line)["body"] for line in answer.stdout.splitlines()]
    assert (unit_test["kind"], unit_test["status"]) == ("unit_test_finished", "pass")
    assert (bodies[0]["kind"], bodies[-1]["kind"]) == ("run_started", "run_finished")
    assert answer.stderr == ""


def test_select_takes_words(shop):
    edit(shop / "models/staging/stg_orders.sql", "lower(status)", "lower(trim(status))")
    shown = " ".join(lines(call(shop, "build", "--select", "stg_orders", "stg_customers").stdout))
    assert "stg_orders" in shown
    assert "stg_customers" in shown
    assert "table customer_sales" not in shown, "only the tests that read what was selected"


def test_a_frozen_plan_runs_as_it_is(fresh):
    plan = fresh / "plan.json"
    call(fresh, "plan", "--out", str(plan))
    (fresh / "models/marts/customer_sales.sql").write_text("this is parsed by nobody")
    assert "✓ published" in call(fresh, "build", "--plan", str(plan)).stdout


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--select", "nothing_like_it"], "error[nothing-selected]"),
        (["--vars", "[1]"], "error[bad-vars]"),
        (["--env", "prd"], "error[unknown-environment]"),
        (["--env-file", "gone.env"], "error[unreadable-file]"),
        (["--as-of", "yesterday"], "error[bad-instant]"),
        (["--plan", "gone.json"], "error[unreadable-plan]"),
        (["--plan", "p.json", "--select", "a"], "error[settled-by-plan]"),
    ],
)
def test_a_wrong_call_exits_2(built, option, said):
    answer = call(built, "build", *option, code=2)
    assert said in answer.stderr
    assert answer.stdout == ""


# --------------------------------------------------------------------------------------- authoring


def test_compile_lists_verdict_columns_and_types(built):
    assert any(
        re.match(
            r"(proved|rewritten) table customer_sales customer_id BIGINT, name VARCHAR, orders BIGINT", line
        )
        for line in (re.sub(" {2,}", " ", line) for line in call(built, "compile").stdout.splitlines())
    )


def test_compile_for_machines(built):
    models = {model["name"]: model for model in json.loads(call(built, "compile", "--json").stdout)}
    sales = models["customer_sales"]
    fields = "name path materialized verdict reasons columns needs lineage fingerprint"
    assert set(fields.split()) <= set(sales)
    assert sales["path"] == "models/marts/customer_sales.sql"
    assert sales["columns"][3] == {"name": "amount", "type": "DECIMAL(12,2)"}
    assert sales["needs"] == ["model:stg_customers", "model:stg_orders"]
    assert {"node": "model:stg_orders", "column": "amount"} in sales["lineage"]["amount"]


def test_every_mistake_is_shown_and_sound_models_are_listed(shop):
    edit(shop / "models/staging/stg_orders.sql", "amount", "ammount")
    (shop / "models/marts/two.sql").write_text("select 1 as a from {{ ref('nobody') }}")
    answer = call(shop, "compile", "--json", code=2)
    assert "models/staging/stg_orders.sql:6:5  error[unknown-column]" in answer.stderr
    assert "    6 |     ammount" in answer.stderr
    assert "      |     ^^^^^^^" in answer.stderr
    assert "models/marts/two.sql:1:" in answer.stderr
    assert "stg_customers" in [model["name"] for model in json.loads(answer.stdout)]


@pytest.mark.parametrize(
    "command",
    [["plan"], ["build"], ["test"], ["show", "customer_sales"], ["verify"], ["lineage", "nobody.x"]],
)
def test_nothing_runs_on_a_wrong_project(shop, command):
    edit(shop / "models/staging/stg_orders.sql", "amount", "ammount")
    answer = call(shop, *command, code=2)
    assert "error[unknown-column]" in answer.stderr
    assert answer.stdout == ""


@pytest.mark.parametrize(
    "command",
    [
        ["compile", "-s", "stg_customers"],
        ["compile", "-s", "stg_c*", "--exclude", "customer_sales"],
        ["plan", "-s", "stg_customers"],
        ["ls", "-s", "+stg_customers"],
        ["verify", "-s", "stg_customers"],
    ],
)
def test_who_selects_sound_models_hears_of_no_mistake(shop, command):
    edit(shop / "models/staging/stg_orders.sql", "amount", "ammount")
    answer = call(shop, *command)
    assert "stg_customers" in answer.stdout
    assert "ammount" not in answer.output


def test_what_can_be_listed_and_followed_is_and_the_mistake_is_said(shop):
    edit(shop / "models/staging/stg_orders.sql", "amount", "ammount")
    listed = call(shop, "ls", "--json", code=2)
    kinds = {node["node"]: node["is"] for node in json.loads(listed.stdout)}
    assert kinds["model:stg_customers"] == "view"
    assert kinds["model:stg_orders"] == kinds["model:customer_sales"] == "not compiled"
    followed = call(shop, "lineage", "stg_customers.customer_id", code=2)
    assert "shop.customers" in followed.stdout
    assert all("error[unknown-column]" in answer.stderr for answer in (listed, followed))


def test_compile_takes_a_selection_and_compiles_no_more(shop):
    edit(shop / "models/staging/stg_orders.sql", "amount", "ammount")

    def names(*words: str, code: int = 0) -> list[str]:
        return [one["name"] for one in json.loads(call(shop, "compile", "--json", *words, code=code).stdout)]

    with patch.object(ModelPass, "compile", autospec=True, side_effect=ModelPass.compile) as asked:
        assert names("-s", "path:models/staging/stg_customers.sql") == ["stg_customers"]
    assert [one.args[1].model.name for one in asked.call_args_list] in (["stg_customers"], [])
    assert names("-s", "customer_sales", code=2) == []
    blocked = call(shop, "compile", "-s", "customer_sales", code=2).stderr
    assert "error[unknown-column]" in blocked
    assert "blocked by stg_orders" in blocked
    assert call(shop, "compile", "-s", "nobody", code=2).stderr.count("nothing matches") == 1


def test_clean_removes_what_the_compiler_remembers(shop):
    call(shop, "compile")
    assert (shop / ".osiris/cache").is_dir()
    assert ".osiris/cache" in call(shop, "clean").stdout
    assert not (shop / ".osiris/cache").exists()


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_lint_findings_exit_1_in_every_format(shop, form):
    edit(shop / "models/staging/stg_orders.sql", "amount", "ammount")
    answer = call(shop, "lint", "--format", form, code=1)
    assert "ammount" in answer.stdout
    if form == "json":
        assert json.loads(answer.stdout)[0]["rule"] == "unknown-column"
    if form == "sarif":
        result = json.loads(answer.stdout)["runs"][0]["results"][0]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "models/staging/stg_orders.sql"
        assert place["region"] == {"startLine": 6, "startColumn": 5, "endColumn": 12}
    if form == "github":
        place = "file=models/staging/stg_orders.sql,line=6,col=5,endColumn=12"
        assert answer.stdout.startswith(f"::error title=osiris-sql unknown-column,{place}::")


def test_lint_of_named_files(shop):
    edit(shop / "models/staging/stg_orders.sql", "amount", "ammount")
    call(shop, "lint", str(shop / "models/staging/stg_customers.sql"))
    call(shop, "lint", str(shop / "models/staging"), code=1)
    assert "error[unknown-path]" in call(shop, "lint", "/nowhere.sql", code=2).stderr


# ------------------------------------------------------------------------------------------ looking


def test_plan_says_why_and_changes_nothing(fresh):
    shown = lines(call(fresh, "plan").stdout)
    assert "+ run  extract  shop.orders  never extracted" in shown
    assert any(line.startswith("+ run  publish  app.customer_sales") for line in shown)
    assert any("replace by customer_id: customer_sales to app customer_sales" in line for line in shown)
    assert not (fresh / ".osiris/dev.duckdb").exists()


def test_plan_after_a_build_and_after_a_change(shop):
    assert "= reuse  table  customer_sales  same SQL, same rows" in lines(call(shop, "plan").stdout)
    edit(shop / "models/staging/stg_orders.sql", "lower(status)", "lower(trim(status))")
    shown = lines(call(shop, "plan").stdout)
    assert "+ run  view  stg_orders  SQL or configuration changed" in shown
    assert "~ run if inputs change  table  customer_sales  waits for stg_orders" in shown


def test_plan_offline_opens_no_connection(shop):
    shutil.rmtree(shop / "data")
    assert "customer_sales" in call(shop, "plan", "--offline").stdout


def test_plan_for_machines_is_the_plan_file(built, tmp_path):
    out = tmp_path / "plan.json"
    answer = call(built, "plan", "--as-of", "2026-01-31", "--out", str(out), "--json")
    assert answer.stdout == out.read_text()
    assert json.loads(answer.stdout)["run_clock"] == "2026-01-31T00:00:00+00:00"


def test_show_prints_rows_with_exact_values(built):
    shown = lines(call(built, "show", "customer_sales").stdout)
    assert shown[0] == "customer_id  name  orders  amount  last_order"
    assert "4  Jana Dvořáková  0  0.00  NULL" in shown
    rows = json.loads(call(built, "show", "customer_sales", "--limit", "2", "--json").stdout)
    assert [row["customer_id"] for row in rows] in ([1, 2], ["1", "2"])
    assert "shipped" in call(built, "show", "shop.orders").stdout


def test_show_of_what_is_not_there(shop):
    answer = call(shop, "show", "customer_sale", code=2)
    assert 'did you mean "customer_sales"?' in answer.stderr
    (shop / "models" / "new.sql").write_text("select 1 as a")
    answer = call(shop, "show", "new", code=1)
    assert "error[not-built]  new is not in the warehouse" in answer.stderr


def test_ls_prints_nodes_that_select_takes(built):
    listed = [line.split()[0] for line in call(built, "ls", "-s", "+customer_sales").stdout.splitlines()]
    assert "source:shop.orders" in listed
    assert "model:customer_sales" in listed
    assert not any(node.startswith("target:") for node in listed)
    [target] = [n for n in json.loads(call(built, "ls", "--json").stdout) if n["type"] == "target"]
    assert target | {"line": 0} == {
        "node": "target:app.customer_sales",
        "type": "target",
        "name": "app.customer_sales",
        "is": "replace",
        "path": "targets.yml",
        "line": 0,
    }


@pytest.mark.parametrize("columns", ["20", "80", "160"])
def test_ls_never_cuts_a_name(built, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    answer = CliRunner().invoke(make_app(), ["ls", "--project-dir", str(built)], env={"NO_COLOR": "1"})
    listed = [line.split() for line in answer.stdout.splitlines()]
    nodes = json.loads(call(built, "ls", "--json").stdout)
    assert [words[0] for words in listed] == [node["node"] for node in nodes]
    assert [words[2] for words in listed] == [f"{node['path']}:{node['line']}" for node in nodes]


def test_test_runs_unit_and_data_tests_on_what_is_built(shop):
    answer = call(shop, "test")
    assert "✓ unit test  customer_sales: returned_orders_do_not_count" in answer.stdout
    assert "✓ checked" in answer.stdout
    edit(shop / "models/marts/marts.yml", "orders: 1, amount: 10.00", "orders: 2, amount: 10.00")
    answer = call(shop, "test", "-s", "customer_sales", code=1)
    assert (
        "✗ unit test  customer_sales: returned_orders_do_not_count  models/marts/marts.yml:" in answer.stdout
    )


def test_doctor_says_what_answered(built):
    shown = lines(call(built, "doctor").stdout)
    assert "✓ source shop  files" in shown
    assert "✓ target app  duckdb" in shown


def test_doctor_names_missing_variables_first_and_asks_the_rest(shop, tmp_path):
    edit(shop / "targets.yml", "path: out/app.duckdb", 'path: "${APP_FILE_OF_TEST}"')
    answer = call(shop, "doctor", code=2)
    assert "error[missing-variable]  the environment variable APP_FILE_OF_TEST is not set" in answer.stderr
    assert "✓ source shop" in answer.stdout
    assert "✗ target app  duckdb  not asked: a variable is not set" in lines(answer.stdout)


def test_doctor_of_a_source_that_does_not_answer_exits_3(shop, monkeypatch):
    edit(
        shop / "sources.yml",
        "{ type: files, path: data/shop }",
        '{ type: mysql, host: 127.0.0.1, port: 9, database: d, user: u, password: "${SHOP_PASSWORD}" }',
    )
    monkeypatch.setenv("SHOP_PASSWORD", "of-the-shop")
    answer = call(shop, "doctor", code=3)
    assert "✗ source shop  mysql  failed" in lines(answer.stdout)
    assert "✓ target app" in answer.stdout


def test_clean_removes_runs_and_the_warehouse_only_if_asked(shop):
    assert call(shop, "clean").stdout == "removed .osiris/runs\nremoved .osiris/cache\n"
    assert (shop / ".osiris/dev.duckdb").exists()
    assert ".osiris/dev.duckdb" in json.loads(call(shop, "clean", "--warehouse", "--json").stdout)
    assert not (shop / ".osiris/dev.duckdb").exists()
    assert call(shop, "clean", "--warehouse").stderr.strip() in ("nothing to remove", "")
