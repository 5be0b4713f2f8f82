"""The example project at the repository's root, built the way its readers build it: by the command line,
from a copy that holds the project's files alone."""

import csv
import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
from servers.mariadb import MariaDb
from servers.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
FILES = [
    "pyproject.toml",
    "sources.yml",
    "targets.yml",
    "sources.lock",
    "models",
    "macros",
    "data",
    "tests/film",
]
OSIRIS = Path(sys.executable).with_name("osiris-sql")
DELIVERED = {"director_stats": "director_id", "daily_takings": "day, movie_id"}


def copy_project(folder: Path) -> Path:
    for name in FILES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, folder / name)
    return folder


def osiris(project: Path, *arguments: str, **environ: str) -> str:
    """Run the command line in a project and return its stdout."""
    run = subprocess.run(
        [OSIRIS, *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def build(project: Path, *arguments: str, **environ: str) -> dict[str, Any]:
    """Build and return what each step did, by its id."""
    before = set(project.glob(".osiris/runs/*"))
    osiris(project, "build", *arguments, **environ)
    (run,) = set(project.glob(".osiris/runs/*")) - before
    results = json.loads((run / "run_results.json").read_text())
    return {step["step"]: step for step in results["steps"]}


def delivered(project: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the tables that environment dev delivered."""
    with duckdb.connect(project / "out" / "app.duckdb", read_only=True) as app:
        return {
            name: app.execute(f"select * from {name} order by {key}").fetchall()
            for name, key in DELIVERED.items()
        }


def published(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the tables that environment prod published."""
    connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            found = {}
            for name, key in DELIVERED.items():
                cursor.execute(f"select * from {name} order by {key}")
                found[name] = cursor.fetchall()
            return found
    finally:
        connection.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_project(tmp_path)


def test_fourteen_movies_in_ten_directors_out(project: Path) -> None:
    steps = build(project)
    assert {step["status"] for step in steps.values()} == {"success"}
    with duckdb.connect(project / ".osiris" / "dev.duckdb", read_only=True) as warehouse:
        assert warehouse.execute("select count(*) from stg_movies").fetchone() == (14,)
    assert len(delivered(project)["director_stats"]) == 10


def test_the_numbers_are_those_of_the_files(project: Path) -> None:
    build(project)
    movies, screenings = (read_csv(project, name) for name in ("movies", "screenings"))
    of_director = {movie["id"]: int(movie["director_id"]) for movie in movies}
    takings: dict[int, Decimal] = {}
    for row in screenings:
        director = of_director[row["movie_id"]]
        takings[director] = takings.get(director, Decimal(0)) + Decimal(row["takings"])
    with duckdb.connect(project / "out" / "app.duckdb", read_only=True) as app:
        assert dict(app.execute("select director_id, takings from director_stats").fetchall()) == takings


def test_a_second_build_reuses_everything(project: Path) -> None:
    build(project)
    assert {step["status"] for step in build(project).values()} == {"reused"}


def test_a_late_correction_counts_its_day_again(project: Path) -> None:
    build(project)
    path = project / "data" / "cinema" / "screenings.csv"
    text = path.read_text()
    corrected = text.replace(
        "1,1,2024-03-01 18:00:00,41,328.00,2024-03-01 18:25:00",
        "1,1,2024-03-01 18:00:00,42,336.00,2024-03-15 09:00:00",
    )
    assert corrected != text
    path.write_text(corrected + "29,1,2024-03-15 18:00:00,10,80.00,2024-03-15 18:25:00\n")
    build(project)
    increments = delivered(project)
    assert len(increments["daily_takings"]) == 29
    assert {row[4] for row in increments["daily_takings"]} >= {Decimal("336.00"), Decimal("80.00")}
    build(project, "--full-refresh")
    assert delivered(project) == increments


def test_a_bad_row_stops_what_stands_below_it(project: Path) -> None:
    build(project)
    before = delivered(project)
    with (project / "data" / "cinema" / "reviews.csv").open("a") as file:
        file.write("31,1,ada,11,,2024-03-22\n")
    run = subprocess.run([OSIRIS, "build"], cwd=project, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "accepted_range_stg_reviews" in run.stdout + run.stderr
    assert delivered(project) == before


def test_the_checks_without_a_connection_find_nothing(project: Path) -> None:
    models = json.loads(osiris(project, "compile", "--json"))
    assert len(models) == 7
    assert {model["verdict"] for model in models} == {"proved"}
    osiris(project, "lint")
    osiris(project, "lint", "--env", "prod")


def test_unit_tests_and_data_tests_pass(project: Path) -> None:
    build(project)
    osiris(project, "test")


@pytest.mark.servers
def test_prod_publishes_the_rows_that_dev_delivers(
    project: Path, mariadb: MariaDb, postgres: PostgresServer
) -> None:
    environ = prod_environ(project, mariadb, postgres)
    build(project)
    steps = build(project, "--env", "prod", **environ)
    assert {step["status"] for step in steps.values()} == {"success"}
    assert published(environ["SUPABASE_DB_URL"]) == delivered(project)
    again = build(project, "--env", "prod", **environ)
    # A server can't say cheaply that nothing changed, so its tables are read; equal rows end it there.
    assert {name for name, step in again.items() if step["status"] != "reused"} == {
        name for name in again if name.startswith("extract.")
    }


@pytest.mark.servers
def test_the_lock_is_what_the_sources_say(project: Path, mariadb: MariaDb, postgres: PostgresServer) -> None:
    committed = (project / "sources.lock").read_text()
    (project / "sources.lock").unlink()
    osiris(project, "discover")
    osiris(project, "discover", "--env", "prod", **prod_environ(project, mariadb, postgres))
    assert (project / "sources.lock").read_text() == committed


def prod_environ(project: Path, mariadb: MariaDb, postgres: PostgresServer) -> dict[str, str]:
    """Load data/cinema.sql into MariaDB, make an empty Supabase-like database, and say where both are."""
    mariadb.create_database("cinema")
    statements = (project / "data" / "cinema.sql").read_text().split(";\n")
    mariadb.execute(*filter(str.strip, statements), database="cinema")
    mariadb.create_user("reader", "a secret@/", "SELECT ON `cinema`.*")
    return {
        "MYSQL_HOST": mariadb.host,
        "MYSQL_PORT": str(mariadb.port),
        "MYSQL_USER": "reader",
        "MYSQL_PASSWORD": "a secret@/",
        "SUPABASE_DB_URL": postgres.create_database("cinema"),
    }


def read_csv(project: Path, name: str) -> list[dict[str, str]]:
    with (project / "data" / "cinema" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
