"""The flights of New York in 2013: MariaDB → a dozen models → Supabase, against MariaDB's own answer."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest
from flights.answers import ANSWERS
from flights.load import load_tables, prepare_files

from osiris_sql import api
from osiris_sql.api.column_paths import measure_coverage
from osiris_sql.api.proof import prove_models
from osiris_sql.types.result import RunResult

FLIGHTS = 336_776
HELD_BACK = "2013-12-01 05:00:00"


def build(root: Path, environ: dict[str, str], **more) -> RunResult:
    project = api.load_project(root)
    manifest = api.compile_project(project)
    assert [d for d in manifest.diagnostics if d.severity == "error"] == []
    plan = api.make_plan(manifest, api.observe_world(manifest, environ), **more)
    return api.run_plan(plan, root, environ)


def as_compared(row: tuple) -> tuple:
    """Numbers by value: MariaDB sums to DECIMAL where DuckDB sums to HUGEINT."""
    return tuple(int(v) if isinstance(v, bool | Decimal) and v == int(v) else v for v in row)


def in_order(rows) -> list[tuple]:
    return sorted((as_compared(row) for row in rows), key=lambda row: [(v is None, str(v)) for v in row])


def arrived(dsn: str, table: str) -> list[tuple]:
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM public."{table}"')
        found = in_order(cursor.fetchall())
    connection.close()
    return found


@pytest.fixture(scope="module")
def flights(mariadb, postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("flights")
    database = mariadb.create_database("flights")
    load_tables(mariadb, database, prepare_files(folder))
    mariadb.execute(
        "CREATE TABLE held_back LIKE flights",
        f"INSERT INTO held_back SELECT * FROM flights WHERE time_hour >= '{HELD_BACK}'",
        f"DELETE FROM flights WHERE time_hour >= '{HELD_BACK}'",
        database=database,
    )
    mariadb.create_user("flights_reader", "r&ad:the/flights", "SELECT ON flights.*")
    root = folder / "project"
    shutil.copytree(Path(__file__).parent / "project", root)
    environ = {
        "FLIGHTS_MYSQL_HOST": mariadb.host,
        "FLIGHTS_MYSQL_PORT": str(mariadb.port),
        "FLIGHTS_MYSQL_DATABASE": database,
        "FLIGHTS_MYSQL_USER": "flights_reader",
        "FLIGHTS_MYSQL_PASSWORD": "r&ad:the/flights",
        "FLIGHTS_SUPABASE_DB_URL": postgres.create_database("flights"),
    }
    api.discover_sources(api.load_project(root), (), environ)
    return root, environ, database


@pytest.mark.servers
def test_flights_arrive_as_mariadb_itself_computes_them(mariadb, flights):
    root, environ, database = flights
    dsn = environ["FLIGHTS_SUPABASE_DB_URL"]

    def compare() -> None:
        for table, answer in ANSWERS.items():
            expected = in_order(mariadb.execute(answer, database=database))
            assert arrived(dsn, table) == expected, table
            assert expected, table

    first = build(root, environ)
    assert first.exit_code == 0, [d for s in first.steps for d in s.diagnostics]
    compare()

    mariadb.execute("INSERT INTO flights SELECT * FROM held_back", database=database)
    second = build(root, environ)
    assert second.exit_code == 0, [d for s in second.steps for d in s.diagnostics]
    compare()
    steps = {step.step: step for step in second.steps}
    extracted = steps["extract.nyc.flights"]
    assert extracted.facts["incremental"] is True
    assert extracted.rows_out == FLIGHTS
    assert extracted.rows_in < FLIGHTS / 5
    assert steps["materialize.departures"].facts == {"incremental": True}

    third = build(root, environ)
    assert {s.status for s in third.steps if s.step.startswith("materialize.")} == {"reused"}
    assert {s.status for s in third.steps if s.step.startswith("publish.")} == {"reused"}
    assert all(s.why == "already published" for s in third.steps if s.step.startswith("publish."))
    compare()


@pytest.mark.servers
def test_every_column_is_traced_and_every_model_proves_itself(flights):
    root, environ, _ = flights
    assert build(root, environ).exit_code == 0
    manifest = api.compile_project(api.load_project(root))
    coverage = measure_coverage(manifest)
    assert (coverage.known, coverage.unknown) == (coverage.columns, ())
    proofs = prove_models(manifest, rows=20_000)
    assert {proof.model: (proof.status, proof.moved) for proof in proofs if proof.status != "same"} == {}
    assert [i.status for p in proofs for i in p.increments if i.status in ("differs", "failed")] == []
    assert len(proofs) >= 12
