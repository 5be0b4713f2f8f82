"""`--resume` and `--state` on the command line."""

from __future__ import annotations

import json

from run.projects import SHOP, write_files
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app

FILES = {
    name: SHOP[name] for name in ("osiris-sql.toml", "data/orders.csv", "data/customers.csv", "sources.yml")
}
GOOD, BAD = "SELECT id FROM a", "SELECT (id::VARCHAR || 'x')::BIGINT AS id FROM a"


def osiris(root, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(make_app(), [*arguments, "--project-dir", str(root)])
    assert result.exit_code == code, result.output
    return result.output


def finished(output: str) -> dict[str, str]:
    bodies = [json.loads(line)["body"] for line in output.splitlines() if line.startswith("{")]
    return {body["step"]: body["status"] for body in bodies if body["kind"] == "step_finished"}


def test_a_build_goes_on_where_the_last_one_stopped(tmp_path):
    root = write_files(tmp_path, {**FILES, "models/a.sql": "SELECT id FROM shop.orders", "models/b.sql": BAD})
    assert finished(osiris(root, "build", "--json", code=1))["materialize.b"] == "failed"
    write_files(root, {"models/b.sql": GOOD})
    assert finished(osiris(root, "build", "--json", "--resume")) == {"materialize.b": "success"}
    assert finished(osiris(root, "build", "--json", "--resume")) == {}
    assert "can't be used with --resume" in osiris(root, "build", "--resume", "--select", "a", code=2)


def test_the_state_of_a_plan_file(tmp_path):
    root = write_files(
        tmp_path, {**FILES, "models/a.sql": "SELECT id FROM shop.orders", "models/b.sql": GOOD}
    )
    before = str(tmp_path / "before.json")
    osiris(root, "plan", "--out", before)
    write_files(root, {"models/b.sql": "SELECT id + 1 AS id FROM a"})
    plan = json.loads(osiris(root, "plan", "--json", "--select", "state:modified", "--state", before))
    assert [step["id"] for step in plan["steps"]] == ["materialize.b"]
    osiris(root, "build")
    built = finished(osiris(root, "build", "--json", "--select", "state:modified+", "--state", before))
    assert built == {"materialize.b": "reused"}
