"""What holds for every source that is a database: one table of promises, each tried on each of them."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg2
import pytest
from run.plans import Collected
from run.projects import plan_folder, rows_of, write_files
from servers.mariadb import MariaDb
from servers.postgres import PostgresServer
from sources.arrivals import arrive, columns, read, request

from osiris_sql import api
from osiris_sql.protocols import Source
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.diagnostic import CancelledError, OsirisError, StepError, UnreachableError
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers

SCHEMA = [
    "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, born DATE, seen TIMESTAMP)",
    "INSERT INTO people VALUES (1, 'ann', '2001-02-03', '2024-01-01'), (2, 'o''bob', NULL, '2024-01-02'),"
    " (3, 'č', '1999-12-31', '2024-01-02 10:00:00.5')",
    "CREATE TABLE visits (no INTEGER, person INTEGER, PRIMARY KEY (person, no))",
    "CREATE TABLE empty (id INTEGER)",
    "CREATE VIEW named AS SELECT name FROM people",
]
KINDS = ["duckdb", "sqlite", "postgres", "mysql"]


@dataclass(frozen=True)
class Database:
    """A database with the schema above: how a connection names it, and a writer of it."""

    kind: str
    options: dict[str, object]
    root: Path
    run: Callable[..., None]

    def source(self) -> Source:
        plugin = load_plugin("sources", self.kind)
        secret = {name: Secret(str(self.options[name])) for name in self.options.keys() & {"dsn", "password"}}
        source: Source = plugin(plugin.Options(**(self.options | secret)), self.root)
        return source


def duckdb_file(root: Path) -> Database:
    def run(*statements: str) -> None:
        with duckdb.connect(str(root / "shop.duckdb")) as con:
            for statement in statements:
                con.execute(statement)

    return Database("duckdb", {"path": "shop.duckdb"}, root, run)


def sqlite_file(root: Path) -> Database:
    def run(*statements: str) -> None:
        con = sqlite3.connect(root / "shop.sqlite", isolation_level=None)
        con.execute("PRAGMA journal_mode = wal")
        for statement in statements:
            con.execute(statement)
        con.close()

    return Database("sqlite", {"path": "shop.sqlite"}, root, run)


def postgres_database(root: Path, server: PostgresServer) -> Database:
    dsn = server.create_database("every_source")

    def run(*statements: str) -> None:
        connection = psycopg2.connect(dsn)
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()

    return Database("postgres", {"dsn": dsn}, root, run)


def mysql_database(root: Path, server: MariaDb) -> Database:
    name = server.create_database("every_source")
    options = {"host": server.host, "port": server.port, "database": name, "user": "root"}

    def run(*statements: str) -> None:
        server.execute(*(s.replace("seen TIMESTAMP", "seen DATETIME(6)") for s in statements), database=name)

    return Database("mysql", {**options, "password": server.root_password}, root, run)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "duckdb":
        made = duckdb_file(tmp_path)
    elif request.param == "sqlite":
        made = sqlite_file(tmp_path)
    elif request.param == "postgres":
        made = postgres_database(tmp_path, request.getfixturevalue("postgres"))
    else:
        made = mysql_database(tmp_path, request.getfixturevalue("mariadb"))
    made.run(*SCHEMA)
    return made


def test_discovery_finds_types_and_keys(database):
    found = {table.identifier: table.schema for table in database.source().discover(None)}
    assert sorted(found) == ["empty", "named", "people", "visits"]
    whole = "BIGINT" if database.kind == "sqlite" else "INTEGER"
    types = {column.name: (column.type, column.nullable) for column in found["people"].columns}
    assert types == {
        "id": (whole, False),
        "name": ("VARCHAR", False),
        "born": ("DATE", True),
        "seen": ("TIMESTAMP", True),
    }
    assert (found["people"].key, found["visits"].key) == (("id",), ("person", "no"))
    assert [t.identifier for t in database.source().discover(["visits", "nope"])] == ["visits"]
    assert database.source().discover([]) == []


def test_all_values_arrive(database):
    source = database.source()
    [people] = source.discover(["people"])
    assert sorted(read(source, "people", people.schema.columns)) == [
        ("1", "ann", "2001-02-03", "2024-01-01 00:00:00"),
        ("2", "o'bob", None, "2024-01-02 00:00:00"),
        ("3", "č", "1999-12-31", "2024-01-02 10:00:00.5"),
    ]
    assert read(source, "empty", columns(id="INTEGER")) == []
    assert sorted(read(source, "named", columns(name="VARCHAR"))) == [("ann",), ("o'bob",), ("č",)]


def test_columns_come_in_the_order_asked_for_in_the_types_asked_for(database):
    wanted = columns(name="VARCHAR", id="HUGEINT", born="VARCHAR")
    assert read(database.source(), "people", wanted, where="id = 1") == [("ann", "1", "2001-02-03")]


def test_a_type_that_would_lose_something_is_an_error(database):
    with pytest.raises((duckdb.Error, StepError)) as error:
        read(database.source(), "people", columns(seen="DATE"))
    told = f"{error.value} {getattr(error.value, 'diagnostics', '')}"
    assert "is not exactly a value of type DATE" in told


def test_a_condition_in_the_sources_words(database):
    found = read(database.source(), "people", columns(id="INTEGER"), where="name LIKE 'a%' -- only ann")
    assert found == [("1",)]


SINCE = [("id", "2", ["2", "3"]), ("born", "2000-01-01", ["1"]), ("name", "o", ["2", "3"])]


@pytest.mark.parametrize(("watermark", "since", "ids"), SINCE)
def test_rows_from_a_watermark_on(database, watermark, since, ids):
    found = read(database.source(), "people", columns(id="INTEGER"), watermark=watermark, since=since)
    assert sorted(found) == [(each,) for each in ids]


def test_an_instant_loses_no_row_at_the_watermark(database):
    wanted, since = columns(id="INTEGER"), "2024-01-02 00:00:00"
    found = read(database.source(), "people", wanted, watermark="seen", since=since)
    assert sorted(found) == [("2",), ("3",)]


def test_all_tables_are_of_one_instant(database):
    if database.kind == "duckdb":
        pytest.skip("a DuckDB file that is read can't be written at all")
    with database.source().snapshot() as snapshot:
        ids = columns(id="INTEGER")
        before = arrive(snapshot.read(request("people", ids)), ids)[1]
        database.run("INSERT INTO people VALUES (4, 'late', NULL, NULL)", "INSERT INTO visits VALUES (1, 4)")
        persons = columns(person="INTEGER")
        assert arrive(snapshot.read(request("visits", persons)), persons)[1] == []
        assert arrive(snapshot.read(request("people", ids)), ids)[1] == before
    assert len(read(database.source(), "people", ids)) == 4


def test_a_read_that_is_given_up_leaves_the_snapshot_usable(database):
    many = ", ".join(f"({n}, {n})" for n in range(60_000))
    database.run(f"INSERT INTO visits VALUES {many}")
    numbers = columns(no="INTEGER")
    with database.source().snapshot() as snapshot:
        next(iter(snapshot.read(request("visits", numbers)).batches))
        assert len(arrive(snapshot.read(request("visits", numbers)), numbers)[1]) == 60_000


def test_a_read_that_failed_leaves_the_snapshot_usable(database):
    wrong, right = columns(id="INTEGER"), columns(name="VARCHAR")
    with database.source().snapshot() as snapshot:
        with pytest.raises(OsirisError):
            arrive(snapshot.read(request("people", wrong, where="nonsense > 1")), wrong)
        assert len(arrive(snapshot.read(request("people", right)), right)[1]) == 3


def test_what_is_not_there_comes_with_the_nearest_name(database):
    source = database.source()
    with pytest.raises(StepError) as error:
        read(source, "peeple", columns(id="INTEGER"))
    assert (error.value.diagnostics[0].rule, "people" in error.value.diagnostics[0].why) == (
        "unknown-table",
        True,
    )
    with pytest.raises(StepError) as error:
        read(source, "people", columns(nam="VARCHAR", zzz="VARCHAR"))
    first, second = error.value.diagnostics
    assert first.fix.startswith('did you mean "name"?')
    assert '"zzz"' in second.message


@pytest.mark.parametrize("name", ["select", 'a"b', "a.b", "a b", "ž€", "100%s", "{rows}", "a\\b"])
def test_tables_and_columns_with_any_name(database, name):
    if database.kind == "mysql":
        pytest.skip("quoted in its own way: test_mysql_source")
    quoted = '"' + name.replace('"', '""') + '"'
    database.run(f"CREATE TABLE {quoted} ({quoted} INTEGER)", f"INSERT INTO {quoted} VALUES (1)")
    [table] = database.source().discover([name])
    assert read(database.source(), name, table.schema.columns) == [("1",)]


def test_an_interrupt_ends_a_read(database):
    many = ", ".join(f"({n}, {n})" for n in range(100_000))
    database.run(f"INSERT INTO visits VALUES {many}")
    source, began, told = database.source(), threading.Event(), []
    wanted = columns(no="INTEGER")

    def reading() -> None:
        try:
            with source.snapshot() as snapshot:
                while True:
                    for _ in snapshot.read(request("visits", wanted)).batches:
                        began.set()
        except OsirisError as error:
            told.append(type(error))

    reader = threading.Thread(target=reading)
    reader.start()
    assert began.wait(60)
    source.interrupt()
    reader.join(60)
    assert told == [CancelledError]
    with pytest.raises(CancelledError), source.snapshot() as snapshot:
        arrive(snapshot.read(request("visits", wanted)), wanted)


def test_probe_and_endpoint_say_no_secret(database):
    source = database.source()
    probed = source.probe()
    told = f"{probed} {source.endpoint()}"
    assert database.kind in told.lower() or database.kind == "mysql"
    assert not any(str(database.options.get(name, "nothing")) in told for name in ("password", "dsn"))


WRONG = {
    "duckdb": {"path": "nope.duckdb"},
    "sqlite": {"path": "nope.sqlite"},
    "postgres": {"dsn": "postgresql://nobody:hush@127.0.0.1:1/nope"},
    "mysql": {"port": 1},
}


def test_what_can_not_be_reached_is_said(database):
    nowhere = Database(database.kind, database.options | WRONG[database.kind], database.root, database.run)
    with pytest.raises(UnreachableError) as error:
        nowhere.source().probe()
    assert "hush" not in str(error.value.diagnostics)


def test_a_project_reads_it_from_discover_to_rows(database, monkeypatch):
    options = dict(database.options)
    for name in options.keys() & {"dsn", "password"}:
        monkeypatch.setenv("SECRET", str(options[name]))
        options[name] = "${SECRET}"
    listed = ", ".join(
        f'{name}: "{value}"' if isinstance(value, str) else f"{name}: {value}"
        for name, value in options.items()
    )
    root = write_files(
        database.root,
        {
            "osiris-sql.toml": 'name = "shop"\n',
            "sources.yml": f"version: 1\nconnections:\n  shop: {{ type: {database.kind}, {listed} }}\n"
            "sources:\n  - name: shop\n    tables:\n      - name: people\n"
            "        extract: { mode: incremental, watermark: seen, key: [id] }\n",
            "models/born.sql": "SELECT id, born FROM shop.people",
        },
    )
    [change] = api.discover_sources(api.load_project(root), [], os.environ)
    assert len(change.added) == 4
    built = api.run_plan(plan_folder(root), root, dict(os.environ), (Collected(),))
    assert built.status == "success"
    assert [len(row) for row in rows_of(root, "shop.people")] == [3, 3, 3]
    database.run("INSERT INTO people VALUES (4, 'new', NULL, '2024-01-03')")
    again = api.run_plan(plan_folder(root), root, dict(os.environ), (Collected(),))
    [extract] = [step for step in again.steps if step.step == "extract.shop.people"]
    assert (extract.facts["incremental"], extract.rows_out, extract.diagnostics) == (True, 4, ())
    assert (extract.rows_in or 0) < 4
    probed = api.make_plan(
        api.compile_project(api.load_project(root)),
        api.observe_world(api.compile_project(api.load_project(root)), os.environ, command="doctor"),
        command="doctor",
    )
    checked = api.run_plan(probed, root, dict(os.environ), (Collected(),))
    assert [step.status for step in checked.steps] == ["success"]
