"""The same models for each tool that builds them, materialized as tables, and who runs them how.

Both peers have loaded the project before, and kept what they made of it. dbt: 4 threads. SQLMesh: every
model of kind FULL, in its own DuckDB file. The script is what a person would write: one transaction a
statement.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.program.place import Place, environ, osiris, plain_environ
from benchmarks.program.process import run_command
from benchmarks.program.shape import BenchmarkError, Contender, Figures

Models = Mapping[str, str]
REFERENCE = re.compile(r"\{\{ ref\('(\w+)'\) \}\}")
SCRIPT = """import duckdb, json, sys, time
statements = json.load(open("statements.json"))
began = time.perf_counter()
with duckdb.connect(sys.argv[1]) as connection:
    for statement in statements:
        connection.execute("BEGIN")
        connection.execute(statement)
        connection.execute("COMMIT")
json.dump(time.perf_counter() - began, open("seconds.json", "w"))
"""
DBT_PROJECT = """name: bench
version: '1.0'
profile: bench
models: {bench: {+materialized: table}}
flags: {send_anonymous_usage_stats: false}
"""
DBT_PROFILE = "bench: {target: dev, outputs: {dev: {type: duckdb, path: dbt.duckdb, threads: 4}}}\n"
SQLMESH_LOAD = ("info", "--skip-connection")
SQLMESH = """gateways: {local: {connection: {type: duckdb, database: warehouse.duckdb}}}
default_gateway: local
model_defaults: {dialect: duckdb, start: '2026-01-01'}
disable_anonymized_analytics: true
"""


def write_osiris(root: Path, models: Models) -> Path:
    """Write a project of ours and return its folder."""
    _write(root, models)
    (root / "osiris-sql.toml").write_text('name = "bench"\n[models]\nmaterialized = "table"\n')
    return root


def write_dbt(root: Path, models: Models) -> Path:
    _write(root, models)
    (root / "dbt_project.yml").write_text(DBT_PROJECT)
    (root / "profiles.yml").write_text(DBT_PROFILE)
    return root


def write_sqlmesh(root: Path, models: Models) -> Path:
    kinds = {
        name: f"MODEL (name bench.{name}, kind FULL);\n" + REFERENCE.sub(r"bench.\1", sql)
        for name, sql in models.items()
    }
    _write(root, kinds)
    (root / "config.yaml").write_text(SQLMESH)
    return root


def write_script(root: Path, models: Models) -> Path:
    plain = {name: REFERENCE.sub(r"\1", sql) for name, sql in models.items()}
    statements = [f"CREATE OR REPLACE TABLE {name} AS {sql}" for name, sql in plain.items()]
    (root / "statements.json").write_text(json.dumps(statements))
    (root / "script.py").write_text(SCRIPT)
    return root


def _write(root: Path, models: Models) -> None:
    (root / "models").mkdir()
    for name, sql in models.items():
        (root / "models" / f"{name}.sql").write_text(sql)


def run_ours(
    root: Path,
    *,
    name: str = "osiris-sql build",
    before: Callable[[], None] | None = None,
    after: Callable[[], Figures] | None = None,
) -> Contender:
    """A build of ours; its own seconds leave out start-up and compiling."""
    return Contender(
        name=name,
        role="ours",
        command=osiris("build"),
        folder=root,
        environ=environ(),
        before=before,
        after=after or (lambda: {"inside_s": last_run(root)["seconds"]}),
    )


def peers_of(place: Place, models: Models) -> list[Contender]:
    """dbt and SQLMesh building the models, each as often as it is asked; SQLMesh keeps what is unchanged."""
    found: list[Contender] = []
    if peer := place.peer("dbt"):
        root = write_dbt(place.subfolder("dbt"), models)
        run = Contender(
            name="dbt run",
            role="peer",
            command=[peer.program("dbt"), "--quiet", "run"],
            folder=root,
            environ=plain_environ(DBT_PROFILES_DIR=str(root)),
            after=lambda: {"inside_s": dbt_seconds(root)},
        )
        found.append(primed(run, "parse"))
    if peer := place.peer("sqlmesh"):
        folder = write_sqlmesh(place.subfolder("sqlmesh"), models)
        words = ("plan", "--auto-apply", "--no-prompts", "--skip-tests")
        command = [peer.program("sqlmesh"), *words]
        plan = Contender(
            name="sqlmesh plan", role="peer", command=command, folder=folder, environ=plain_environ()
        )
        found.append(primed(plan, *SQLMESH_LOAD))
    return found


def primed(one: Contender, *words: str) -> Contender:
    """Return a contender that has run once before its first run; or other words of its program have."""
    command = [one.command[0], *words] if words else one.command
    done: list[bool] = []

    def before() -> None:
        if not done:
            run_command(command, one.folder, one.environ)
            done.append(True)
        if one.before:
            one.before()

    return replace(one, before=before)


def run_script(root: Path) -> Contender:
    """The limit: the statements alone, into a file that is not there yet."""
    return Contender(
        name="DuckDB script",
        role="limit",
        command=[sys.executable, "script.py", "script.duckdb"],
        folder=root,
        environ=plain_environ(),
        before=lambda: forget(root, "script.duckdb"),
        after=lambda: {"inside_s": json.loads((root / "seconds.json").read_text())},
    )


def forget(root: Path, *names: str) -> None:
    """Remove files and folders, so that the next build is a first one."""
    for path in (root / name for name in names):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def last_folder(root: Path) -> Path:
    return max((root / ".osiris" / "runs").iterdir(), key=lambda folder: folder.stat().st_mtime)


def last_run(root: Path) -> dict[str, Any]:
    """Return what the newest run of ours says of itself."""
    result: dict[str, Any] = json.loads((last_folder(root) / "run_results.json").read_text())
    return result


def dbt_seconds(root: Path) -> float:
    """Return the seconds that dbt's last command took by its own account."""
    result = json.loads((root / "target" / "run_results.json").read_text())
    if any(one["status"] not in ("success", "pass") for one in result["results"]):
        raise BenchmarkError("dbt did not succeed")
    return float(result["elapsed_time"])
