"""The flights project, MariaDB to PostgreSQL, on three launchers: equal facts, equal published rows."""

import json
import shutil
from pathlib import Path

import psycopg2
import pytest
from flights.load import load_tables, prepare_files
from sandbox.test_secrets import left_behind

from osiris_sql import api
from osiris_sql.support.secrets import Redactor

PROJECT = Path(__file__).parents[1] / "flights" / "project"
PASSWORD = "r&ad:the/flights"
NEW_YEAR = "2013-01-20 05:00:00"
FLIGHTS = 27_004  # the file is in order of time
AS_OF = "2013-02-01"
PUBLISHED = (
    "carrier_delays",
    "route_stats",
    "daily_flights",
    "delay_ranks",
    "plane_usage",
    "weather_delays",
    "departures",
)


@pytest.fixture(scope="module")
def january(mariadb, tmp_path_factory):
    """Flights of January, the last days of it held back."""
    database = mariadb.create_database("january")
    files = prepare_files(tmp_path_factory.mktemp("flights"))
    lines = files["flights"].read_text().splitlines(keepends=True)
    files["flights"].write_text("".join(lines[:FLIGHTS]))
    load_tables(mariadb, database, files)
    mariadb.execute(
        "CREATE TABLE held_back LIKE flights",
        f"INSERT INTO held_back SELECT * FROM flights WHERE time_hour >= '{NEW_YEAR}'",
        database=database,
    )
    mariadb.create_user("january_reader", PASSWORD, "SELECT ON january.*")
    return database


def build(root, environ, on):
    manifest = api.compile_project(api.load_project(root))
    plan = api.make_plan(manifest, api.observe_world(manifest, environ), as_of=AS_OF)
    result = api.run_plan(plan, root, environ, launcher=on)
    assert result.exit_code == 0, [d for step in result.steps for d in step.diagnostics] + [
        *result.diagnostics
    ]
    card = json.loads((root / ".osiris/runs" / result.run_id / "run_card.json").read_text())
    return card["facts"], result


def rows_at(dsn):
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        found = {}
        for table in PUBLISHED:
            cursor.execute(f'SELECT t::text FROM public."{table}" AS t ORDER BY 1')
            found[table] = cursor.fetchall()
    connection.close()
    return found


@pytest.mark.servers
def test_first_and_next_build_are_the_same_everywhere(mariadb, postgres, january, server, environ, tmp_path):
    first, second, rows = {}, {}, {}
    for place in ("local", "child", "e2b"):
        mariadb.execute(f"DELETE FROM flights WHERE time_hour >= '{NEW_YEAR}'", database=january)
        root = tmp_path / place
        shutil.copytree(PROJECT, root)
        given = {
            **environ,
            "FLIGHTS_MYSQL_HOST": mariadb.host,
            "FLIGHTS_MYSQL_PORT": str(mariadb.port),
            "FLIGHTS_MYSQL_DATABASE": january,
            "FLIGHTS_MYSQL_USER": "january_reader",
            "FLIGHTS_MYSQL_PASSWORD": PASSWORD,
            "FLIGHTS_SUPABASE_DB_URL": postgres.create_database("january"),
            "OSIRIS_E2B_FETCH": "1",
        }
        api.discover_sources(api.load_project(root), (), given)
        first[place], _ = build(root, given, place)
        mariadb.execute("INSERT INTO flights SELECT * FROM held_back", database=january)
        second[place], _ = build(root, given, place)
        rows[place] = rows_at(given["FLIGHTS_SUPABASE_DB_URL"])

    assert first["local"] == first["child"] == first["e2b"]
    # A plan for a sandbox also says what it carries; everything else is equal.
    carried = {place: without_plan(facts) for place, facts in second.items()}
    assert carried["local"] == carried["child"] == carried["e2b"]
    assert second["e2b"]["steps"]["extract.nyc.flights"]["incremental"] is True
    assert rows["local"] == rows["child"] == rows["e2b"]
    assert all(rows["local"].values())

    # What was built there was fetched, so a build here has nothing to do.
    _, again = build(tmp_path / "e2b", given, "local")
    assert {s.status for s in again.steps if s.step.startswith(("materialize", "publish"))} == {"reused"}

    # `verify` runs one plan, for an empty warehouse, in both places.
    plan = api.make_parity_plan(api.compile_project(api.load_project(root)), given, as_of=AS_OF)
    found = api.compare_launchers(plan, root, ["local", "e2b"], given)
    assert {name: result.status for name, result in found.results.items()} == {
        "local": "success",
        "e2b": "success",
    }
    assert found.differences == ()

    # Passwords crossed the wire in the stream to standard input alone, and were written nowhere.
    secrets = [PASSWORD, given["FLIGHTS_SUPABASE_DB_URL"]]
    assert not masked(server.transcript.bytes_of(without="/process.Process/StreamInput"), secrets)
    for folder in (tmp_path, *(sandbox.home for sandbox in server.sandboxes.every)):
        assert [path for path, data in left_behind(folder).items() if masked(data, secrets)] == []
    assert server.sandboxes.running() == []


def without_plan(facts):
    return {**facts, "plan_sha256": ""}


def masked(data, secrets):
    text = data.decode("utf-8", "replace")
    return Redactor(secrets)(text) != text
