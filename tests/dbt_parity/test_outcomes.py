"""Data tests end as they do in dbt-duckdb 1.11, on the same tables: status and count.

A quote in an accepted value is left out: dbt writes it into its SQL as it is, and fails.
dbt lives in an environment of its own, the one of the benchmarks; where pip can't have it, this is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.program.peers import find
from benchmarks.program.shape import BenchmarkError

pytestmark = pytest.mark.dbt

COLUMNS = "id::INTEGER AS id, word::VARCHAR AS word, x::DOUBLE AS x"
TABLES = {
    "empty": f"SELECT {COLUMNS} FROM (VALUES (1, 'a', 1)) AS t(id, word, x) WHERE false",
    "one": f"SELECT {COLUMNS} FROM (VALUES (1, 'a', 1)) AS t(id, word, x)",
    "one_null": f"SELECT {COLUMNS} FROM (VALUES (NULL, NULL, NULL)) AS t(id, word, x)",
    "clean": f"SELECT {COLUMNS} FROM (VALUES (1, 'a', 1), (2, 'b', 2), (3, 'it''s', 3)) AS t(id, word, x)",
    "nulls": f"SELECT {COLUMNS} FROM (VALUES (1, 'a', NULL), (NULL, 'a', NULL), (NULL, NULL, NULL), "
    "(NULL, NULL, NULL)) AS t(id, word, x)",
    "repeated": f"SELECT {COLUMNS} FROM (VALUES (1, 'a', 1), (1, 'a', 1), (2, 'b', 1), (2, 'c', NULL), "
    "(9, 'A', 7)) AS t(id, word, x)",
    "odd": f"SELECT {COLUMNS} FROM (VALUES (1, '', 'nan'::DOUBLE), (2, ' ', 'nan'::DOUBLE), "
    "(3, 'a', -0.0), (4, 'a', 0.0)) AS t(id, word, x)",
}
PARENT = (
    f"SELECT {COLUMNS} FROM (VALUES (1, 'a', 1), (2, 'b', 'nan'::DOUBLE), (NULL, NULL, NULL)) t(id, word, x)"
)

ON_COLUMNS: dict[str, dict[str, Any]] = {
    "unique": {},
    "not_null": {},
    "accepted_values": {},
    "relationships": {"to": "ref('parent')"},
}
CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "where": {"where": "word <> 'a'"},
    "nothing": {"where": "false"},
    "warns": {"severity": "warn"},
    "some": {"warn_if": "> 0", "error_if": "> 2"},
    "limited": {"limit": 1},
}
# dbt_utils is no package of PyPI; this asks what it asks.
COMBINATION = """
{% test unique_combination_of_columns(model, combination_of_columns) %}
  select {{ combination_of_columns | join(', ') }} from {{ model }}
  group by {{ combination_of_columns | join(', ') }} having count(*) > 1
{% endtest %}
"""


def declared_on(table: str) -> dict[str, Any]:
    """Return a table's YAML, with every test in every configuration."""

    def entry(test: str, name: str, arguments: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
        return {test: {"name": name, "arguments": arguments, "config": config}}

    def more(column: str) -> dict[str, Any]:
        values = {"id": ["1", "2"], "word": ["a", "b"], "x": ["1", "3"]}
        return {"relationships": {"field": column}, "accepted_values": {"values": values[column]}}

    columns = [
        {
            "name": column,
            "data_tests": [
                entry(
                    test,
                    f"{table}__{column}_{test}_{label}",
                    {**arguments, **more(column).get(test, {})},
                    config,
                )
                for test, arguments in ON_COLUMNS.items()
                for label, config in CONFIGS.items()
            ],
        }
        for column in ("id", "word", "x")
    ]
    pairs = [
        entry(
            "unique_combination_of_columns",
            f"{table}__{'_'.join(key)}_{label}",
            {"combination_of_columns": key},
            c,
        )
        for key in (["id", "word"], ["word"], ["x", "id"])
        for label, c in CONFIGS.items()
    ]
    return {"name": table, "columns": columns, "data_tests": pairs}


def write_project(root: Path) -> None:
    (root / "models").mkdir(parents=True)
    for name, sql in {**TABLES, "parent": PARENT}.items():
        (root / "models" / f"{name}.sql").write_text(sql)
    declared = {"version": 2, "models": [declared_on(table) for table in TABLES]}
    (root / "models" / "schema.yml").write_text(json.dumps(declared))
    (root / "osiris-sql.toml").write_text('name = "parity"\n[models]\nmaterialized = "table"\n')
    (root / "dbt_macros").mkdir()
    (root / "dbt_macros" / "combination.sql").write_text(COMBINATION)
    (root / "dbt_project.yml").write_text(
        "name: parity\nversion: '1.0'\nprofile: parity\nmacro-paths: [dbt_macros]\n"
        "models: {parity: {+materialized: table}}\nflags: {send_anonymous_usage_stats: false}\n"
    )
    (root / "profiles.yml").write_text(
        "parity: {target: dev, outputs: {dev: {type: duckdb, path: dbt.duckdb}}}\n"
    )


def run(command: list[str], root: Path) -> None:
    environ = {**os.environ, "DBT_PROFILES_DIR": str(root), "DO_NOT_TRACK": "1"}
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr


@pytest.fixture(scope="module")
def dbt() -> str:
    """dbt's command, of an environment that is made when it is first asked for."""
    try:
        return find("dbt", installs=True).program("dbt")
    except BenchmarkError as error:
        pytest.skip(f"dbt can't be installed: {error}")


@pytest.fixture(scope="module")
def outcomes(dbt: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, tuple[str, int]]]:
    """Return how each test ended, by tool and name."""
    root = tmp_path_factory.mktemp("parity")
    write_project(root)
    run([dbt, "--quiet", "build"], root)
    theirs = json.loads((root / "target" / "run_results.json").read_text())["results"]
    run([str(Path(sys.executable).with_name("osiris-sql")), "build"], root)
    [folder] = (root / ".osiris" / "runs").iterdir()
    ours = json.loads((folder / "run_results.json").read_text())["tests"]
    return {
        "dbt": {
            one["unique_id"].split(".")[2]: (one["status"], one["failures"])
            for one in theirs
            if one["unique_id"].startswith("test.")
        },
        "osiris": {one["test"]: (one["status"], one["failures"]) for one in ours},
    }


def test_every_test_ran_in_both(outcomes: dict[str, dict[str, tuple[str, int]]]) -> None:
    assert outcomes["dbt"].keys() == outcomes["osiris"].keys()
    assert len(outcomes["dbt"]) == len(TABLES) * len(CONFIGS) * (3 * len(ON_COLUMNS) + 3)
    assert {status for status, _ in outcomes["dbt"].values()} == {"pass", "warn", "fail"}


@pytest.mark.parametrize("table", TABLES)
def test_outcomes_are_equal(table: str, outcomes: dict[str, dict[str, tuple[str, int]]]) -> None:
    def of(tool: str) -> dict[str, tuple[str, int]]:
        return {name: found for name, found in outcomes[tool].items() if name.startswith(f"{table}__")}

    assert of("osiris") == of("dbt")
