"""`osiris-sql lint` on files: what is written, what is only shown, and with which exit code."""

from __future__ import annotations

import json
import subprocess

import pytest
from lint.shop import write
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app

YAML = """version: 2
models:
  - name: example
    description: Names.
    columns: [{name: name, data_tests: [unique, not_null]}]
"""
BEFORE = "with a as (select 1 as x)\nselect name from shop.customers\n"
AFTER = "select name from shop.customers\n"


@pytest.fixture
def shop(tmp_path):
    return write(tmp_path, {"models/example.sql": BEFORE, "models/example.yml": YAML})


def lint(folder, *arguments: str, code: int):
    answer = CliRunner().invoke(
        make_app(),
        ["lint", *arguments, "--project-dir", str(folder)],
        env={"NO_COLOR": "1", "COLUMNS": "160"},
        prog_name="osiris-sql",
    )
    assert answer.exit_code == code, answer.output
    return answer


def test_fix_writes_and_leaves_nothing_to_find(shop):
    lint(shop, code=1)
    answer = lint(shop, "--fix", code=0)
    assert "mended 1 in 1 file: models/example.sql" in answer.stderr
    assert (shop / "models/example.sql").read_text() == AFTER
    assert sorted(path.name for path in (shop / "models").iterdir()) == ["example.sql", "example.yml"]
    lint(shop, code=0)


def test_diff_writes_nothing_and_git_can_apply_it(shop):
    diff = lint(shop, "--diff", code=1).stdout
    assert (shop / "models/example.sql").read_text() == BEFORE
    subprocess.run(["git", "apply", "-"], cwd=shop, input=diff, text=True, check=True)
    assert (shop / "models/example.sql").read_text() == AFTER
    assert lint(shop, "--diff", code=0).stdout == ""


def test_findings_of_severity_info_do_not_fail(shop):
    settings = '[tool.osiris-sql]\nname = "shop"\n[tool.osiris-sql.lint.severity]\nunused-cte = "info"\n'
    (shop / "pyproject.toml").write_text(settings)
    answer = lint(shop, "--format", "json", code=0)
    assert [finding["severity"] for finding in json.loads(answer.stdout)] == ["info"]


def test_a_file_alone_has_the_findings_that_it_has_among_all(shop):
    (shop / "models/other.sql").write_text("with b as (select 1 as x) select nam from shop.customers")
    alone = json.loads(lint(shop, "--format", "json", str(shop / "models/example.sql"), code=1).stdout)
    every = json.loads(lint(shop, "--format", "json", code=1).stdout)
    assert alone == [f for f in every if f["location"]["path"] == "models/example.sql"]


def test_the_line_of_a_secret_is_not_shown(shop):
    (shop / "models/example.sql").write_text("-- password = 'hunter22xyz'\nselect name from shop.customers")
    for form in ("text", "json", "sarif", "github"):
        answer = lint(shop, "--format", form, code=1)
        assert "secret-in-sql" in answer.stdout
        assert "hunter22xyz" not in answer.output
