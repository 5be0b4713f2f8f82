"""What CI reads of data tests: exit codes, --warn-error, --junit and --json, by the real command line."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app

FILES = {
    "osiris-sql.toml": 'name = "shop"\n[models]\nmaterialized = "table"\n',
    "models/orders.sql": "SELECT * FROM (VALUES (1, 'new'), (2, 'old'), (2, NULL)) AS t(id, state)\n",
    "models/schema.yml": """
version: 2
models:
  - name: orders
    columns:
      - {name: id, data_tests: [not_null, unique: {config: {severity: SEVERITY}}]}
      - {name: state, data_tests: [not_null: {config: {severity: warn}}]}
unit_tests:
  - {name: three_rows, model: orders, expect: {rows: [{id: 1}, {id: 2}, {id: 2}]}}
""",
}


@pytest.fixture(params=["warn", "error"])
def severity(request) -> str:
    return str(request.param)


@pytest.fixture
def project(tmp_path: Path, severity: str) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("SEVERITY", severity))
    return tmp_path


def run(project: Path, *words: str) -> Any:
    return CliRunner().invoke(make_app(), [*words, "--project-dir", str(project)])


@pytest.mark.parametrize(
    ("severity", "words", "exit_code"),
    [
        ("warn", (), 0),
        ("warn", ("--warn-error",), 1),
        ("error", (), 1),
        ("error", ("--warn-error",), 1),
    ],
    indirect=["severity"],
)
@pytest.mark.parametrize("verb", ["build", "test"])
def test_a_failure_ends_with_1_and_a_warning_only_if_asked(
    project: Path, verb: str, words: tuple[str, ...], exit_code: int, severity: str
) -> None:
    if verb == "test":
        schema = project / "models/schema.yml"
        text = schema.read_text()
        schema.write_text(text.replace("severity: error", "severity: warn"))
        assert run(project, "build").exit_code == 0
        schema.write_text(text)
    assert run(project, verb, *words).exit_code == exit_code


@pytest.mark.parametrize("severity", ["error"], indirect=True)
def test_junit_names_each_test_and_how_it_ended(project: Path) -> None:
    results = project / "out/tests.xml"
    assert run(project, "build", "--junit", str(results)).exit_code == 1
    cases = {case.get("name"): case for case in ET.parse(results).iter("testcase")}
    failed = sorted(name for name, case in cases.items() if name and case.find("failure") is not None)
    assert failed == ["unique_orders_id"]
    assert {"three_rows", "not_null_orders_id", "not_null_orders_state"} <= cases.keys()


@pytest.mark.parametrize("severity", ["warn"], indirect=True)
def test_a_unit_test_that_fails_has_the_last_word(project: Path) -> None:
    schema = project / "models/schema.yml"
    assert run(project, "build").exit_code == 0
    schema.write_text(schema.read_text().replace("{id: 1}", "{id: 3}"))
    ended = run(project, "test")
    assert ended.exit_code == 1
    assert ended.output.rstrip().endswith("failed: 1 of the unit tests (1)")


def test_every_line_of_json_is_json(project: Path) -> None:
    done = run(project, "build", "--json")
    lines = [json.loads(line) for line in done.output.splitlines()]
    assert len(lines) > 5
