"""The example project, built by the command line here, in a child process and in a sandbox."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from sandbox.server.jail import ROOTED

REPOSITORY = Path(__file__).parents[2]
OSIRIS = Path(sys.executable).with_name("osiris-sql")
FILES = (
    "pyproject.toml",
    "sources.yml",
    "targets.yml",
    "sources.lock",
    "models",
    "macros",
    "data",
    "tests/film",
)


def copy_project(folder):
    for name in FILES:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy)(REPOSITORY / name, place)
    return folder


def build(project, environ, *arguments):
    run = subprocess.run(
        [OSIRIS, "build", "--as-of", "2026-01-31", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run


def facts(project):
    [card] = (project / ".osiris" / "runs").glob("*/run_card.json")
    return json.dumps(json.loads(card.read_text())["facts"], sort_keys=True)


def published(project):
    with duckdb.connect(project / "out" / "app.duckdb", read_only=True) as app:
        tables = ("director_stats", "daily_takings")
        return {table: app.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in tables}


def test_the_same_facts_and_the_same_rows_everywhere(tmp_path, server, environ):
    projects = {place: copy_project(tmp_path / place) for place in ("local", "child", "e2b")}
    for place, project in projects.items():
        build(project, environ, "--on", place)
    first = projects["local"]
    for project in projects.values():
        assert facts(project) == facts(first)
        assert published(project) == published(first)
    assert len(published(first)["director_stats"]) == 10
    assert not (projects["e2b"] / ".osiris" / "dev.duckdb").exists()
    assert server.sandboxes.running() == []


def test_what_is_fetched_is_reused_by_the_next_build_here(tmp_path, server, environ):
    project = copy_project(tmp_path)
    there = build(project, environ, "--on", "e2b", "--fetch", "--json")
    assert "sandbox i" in there.stderr
    here = build(project, environ, "--json")
    lines = [json.loads(line) for line in here.stdout.splitlines()]
    finished = [line["body"] for line in lines if "body" in line]  # the others are unit tests
    assert {body["status"] for body in finished if body["kind"] == "step_finished"} == {"reused"}


def test_plan_says_what_is_carried(tmp_path, environ):
    project = copy_project(tmp_path)
    build(project, environ)
    model = project / "models/marts/director_stats.sql"
    model.write_text(model.read_text().replace("count(", "1 + count(", 1))
    plan = [OSIRIS, "plan", "--on", "e2b", "--as-of", "2026-01-31"]
    run = subprocess.run(plan, cwd=project, capture_output=True, text=True, check=True, env=os.environ)
    said = " ".join(run.stdout.split()).partition("carried into the sandbox: ")[2]
    assert "daily_takings (under 1 MB), stg_directors (view)" in said
    assert "cinema.movies (under 1 MB)" in said
    assert "screenings" not in said.partition("12 steps")[0]


def test_doctor_asks_the_connections_from_inside(tmp_path, server, environ):
    project = copy_project(tmp_path)
    run = subprocess.run(
        [OSIRIS, "doctor", "--on", "e2b", "--json"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    answers = {each["connection"]: each for each in json.loads(run.stdout)["connections"]}
    assert {each["status"] for each in answers.values()} == {"success"}
    assert len(server.sandboxes.every) == 1
    assert re.search(rf"^    duckdb  {re.escape(duckdb.__version__)} [0-9a-f]{{12}}$", run.stderr, re.M)
    assert re.search(r"^    python  3\.\d+\.\d+$", run.stderr, re.M)
    assert re.search(r"^    free disk  \d+ MB$", run.stderr, re.M)
    assert "    self test  the same rows as here" in run.stderr
    assert re.search(r"^    memory  \d+ MB$", run.stderr, re.M)
    assert re.search(r"^    clock  [+-]\d+\.\d s from here$", run.stderr, re.M)


@pytest.mark.skipif(not ROOTED, reason="needs root for mounts")
def test_doctor_suggests_the_pooler_where_the_direct_host_has_ipv6_alone(tmp_path, server, environ):
    (server.sandboxes.folder / "hosts").write_text("fd00::1 db.abcdefgh.supabase.co\n")
    project = copy_project(tmp_path)
    (project / "targets.yml").write_text(
        'version: 1\nconnections:\n  app: { type: supabase, dsn: "${APP_DSN}" }\ntargets: []\n'
    )
    dsn = "postgresql://postgres:a-Secret_9f2c@db.abcdefgh.supabase.co:5432/postgres"
    run = subprocess.run(
        [OSIRIS, "doctor", "--on", "e2b", "--json"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ, "APP_DSN": dsn},
    )
    assert run.returncode == 3, run.stdout + run.stderr
    answers = {each["connection"]: each for each in json.loads(run.stdout)["connections"]}
    [found] = answers["target.app"]["diagnostics"]
    assert found["rule"] == "ipv6-only"
    assert "session pooler" in found["fix"]
    facts = answers["target.app"]["facts"]
    assert facts["ipv4"] == "no address"
    assert facts["ipv6"].startswith("fd00::1: ")
    assert "a-Secret_9f2c" not in run.stdout + run.stderr


def test_verify_compares_the_facts_of_every_place(tmp_path, server, environ):
    project = copy_project(tmp_path)
    run = subprocess.run(
        [OSIRIS, "verify", "--on", "local,e2b", "--json"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(run.stdout)
    assert found["status"] == {"local": "success", "e2b": "success"}
    assert (found["steps"], found["differences"]) == (10, [])
    assert not {path.name for path in (project / ".osiris").glob("*")} - {"cache"}
    assert not (project / "out").exists()
