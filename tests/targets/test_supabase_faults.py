"""Faults: killed backends, cut lines, locks, two publishers at once, servers that do not answer."""

from __future__ import annotations

import os
import socket
import threading
import time

import psycopg2
import pytest
from servers.cutting_proxy import CuttingProxy
from servers.postgres import PASSWORD
from servers.tcp_proxy import tcp_proxy
from targets.delivering import counts, films, quiet

from osiris_sql.targets.supabase.options import SupabaseOptions
from osiris_sql.types.diagnostic import CancelledError, UnreachableError
from osiris_sql.types.secret import Secret

A = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
B = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"))
MODES = [("append", ("id",)), ("upsert", ("id",)), ("replace", ("id",)), ("replace", ()), ("sync", ("id",))]

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}'"


@pytest.mark.parametrize("moment", ["sending", "applying", "reading back"])
@pytest.mark.parametrize(("mode", "key"), MODES)
def test_a_killed_backend_is_tried_again_and_writes_once(database, rows, mode, key, moment):
    rows.deliver(database.target(), films((1, "Alien"), (2, "Heat")), key=key)
    target = database.target(application_name=f"victim {database.schema}")
    publication = rows.publication(B, mode=mode, key=key)
    load, said = rows.load(target, publication, B), []

    def progress(count: int, message: str) -> None:
        if message.startswith(moment) and moment not in said:
            said.append(moment)
            database.sql(KILL.format(f"victim {database.schema}"))
        said.append(message)

    done = target.publish(publication, load, progress)
    assert (done.sent, done.already_published) == (3, False)
    assert len([m for m in said if "trying again" in m]) == (0 if moment == "reading back" else 1)
    assert database.sql(
        f"SELECT count(*) FROM osiris.publications WHERE target LIKE '%{database.schema}%'"
    ) == [(2,)]
    assert (4, "Brazil") in database.sql("SELECT id, title FROM film")


@pytest.mark.parametrize(("word", "tries"), [(b"COMMIT\0", 1), (b"CREATE TEMP", 1), (b'INSERT INTO "', 1)])
def test_a_line_cut_before_the_answer_leaves_the_rows_once(database, postgres, rows, word, tries):
    settings = {"mode": "append", "key": (), "append_all": True}
    rows.deliver(database.target(), A, "first", **settings)
    with CuttingProxy(postgres.port, word) as proxy:
        target = database.target(postgres.dsn("app", port=proxy.port) + "?sslmode=disable")
        publication, said = rows.publication(B, **settings), []
        load = rows.load(target, publication, B, "second")
        done = target.publish(publication, load, lambda count, message: said.append(message))
        assert proxy.cuts == 2
    assert len([m for m in said if "trying again" in m]) == tries
    assert (done.inserted, done.total_after, done.already_published) == (3, 6, False)
    assert database.sql("SELECT count(*) FROM film") == [(6,)]


def test_a_table_locked_by_somebody_is_waited_for_and_tried_again(database, rows):
    rows.deliver(database.target(), A)
    other = psycopg2.connect(database.dsn)
    other.cursor().execute(f"LOCK TABLE {database.schema}.film IN ROW EXCLUSIVE MODE")
    target, publication = database.target(lock_timeout=1), rows.publication(B, mode="sync")

    def progress(count: int, message: str) -> None:
        if "trying again" in message:
            other.rollback()

    done = target.publish(publication, rows.load(target, publication, B), progress)
    other.close()
    assert counts(done) == (1, 1, 1, 1, 3)


@pytest.mark.parametrize(("mode", "title"), [("upsert", "Brazil"), ("append", "theirs")])
def test_a_new_row_that_somebody_else_adds_first(database, rows, mode, title):
    """Their row is not seen when we look, and is there when we insert: a conflict, then, and no error."""
    rows.deliver(database.target(), A)
    mine = films((4, "Brazil"), (5, "Ran"))
    publication, target = rows.publication(mine, mode=mode), database.target()
    other, waiting = psycopg2.connect(database.dsn), []
    blocked = f"SELECT {other.info.backend_pid} = ANY(pg_blocking_pids(pid)) FROM pg_stat_activity"

    def commit() -> None:
        while (True,) not in database.sql(blocked):
            time.sleep(0.01)
        waiting.append(True)
        other.commit()

    thread = threading.Thread(target=commit, daemon=True)

    def progress(count: int, message: str) -> None:
        if message.startswith("applying") and not thread.ident:
            other.cursor().execute(f"INSERT INTO {database.schema}.film VALUES (4, 'theirs')")
            thread.start()

    done = target.publish(publication, rows.load(target, publication, mine), progress)
    thread.join()
    other.close()
    assert (waiting, done.total_after) == ([True], 5)
    assert database.sql("SELECT title FROM film WHERE id > 3 ORDER BY id") == [(title,), ("Ran",)]


def test_two_publishers_at_once_on_a_fresh_database(postgres, rows):
    from targets.supabase_table import Database

    fresh = Database(postgres.create_database("fresh"), "own")
    targets = [fresh.target() for _ in range(4)]
    loads = []
    for number, target in enumerate(targets):
        sql = films(*((n, f"{number}") for n in range(50)))
        publication = rows.publication(sql, mode="sync")
        loads.append((target, publication, rows.load(target, publication, sql, f"load {number}")))
    done, failed = [], []

    def run(target, publication, load) -> None:
        try:
            done.append(target.publish(publication, load, quiet))
        except Exception as error:  # noqa: BLE001 (a thread's error is shown by the assertion)
            failed.append(error)

    threads = [threading.Thread(target=run, args=load) for load in loads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(d.inserted for d in done) == [0, 0, 0, 50]
    assert len(fresh.sql("SELECT DISTINCT title FROM film")) == 1
    assert fresh.sql("SELECT count(*) FROM osiris.publications") == [(4,)]


@pytest.mark.parametrize("moment", ["sending", "applying"])
def test_a_server_that_never_answers_again_is_left_and_tried_again(database, postgres, rows, moment):
    """The link stands, bytes are taken, and no answer comes: as from a pooler that lost the backend."""
    rows.deliver(database.target(), A)
    with tcp_proxy(postgres.port) as proxy:
        through = postgres.dsn("app", port=proxy.port) + "?sslmode=disable"
        target = database.target(through, watchdog=0.3, connect_timeout=2)
        publication, said = rows.publication(B, mode="sync"), []
        load = rows.load(target, publication, B)

        def progress(count: int, message: str) -> None:
            if message.startswith(moment) and "stalled" not in said:
                said.append("stalled")
                proxy.stall_after(0)
            if "trying again" in message:
                proxy.heal()
            said.append(message)

        done = target.publish(publication, load, progress)
    assert counts(done) == (1, 1, 1, 1, 3)
    assert len([m for m in said if "trying again" in m]) == 1


def test_a_slow_line_is_no_lost_one(database, postgres, rows):
    """The last rows wait in buffers on the way, longer than the watchdog's three looks take."""
    many = "SELECT i::INTEGER AS id, repeat(md5(i::VARCHAR), 32) AS title FROM range(8000) AS t(i)"
    with tcp_proxy(postgres.port) as proxy:
        proxy.throttle(2_000_000, "up")
        target = database.target(postgres.dsn("app", port=proxy.port) + "?sslmode=disable", watchdog=0.5)
        publication, said = rows.publication(many), []
        load = rows.load(target, publication, many)
        done = target.publish(publication, load, lambda count, message: said.append(message))
    assert counts(done) == (8000, 0, 0, 0, 8000)
    assert not any("trying again" in message for message in said)


@pytest.mark.parametrize("way", ["direct", "pooler"])
def test_a_dead_link_is_noticed_by_the_operating_system(database, postgres, pooler, way):
    from osiris_sql.targets.supabase.connect import connect, parse_options

    dsn = postgres.dsn("app") if way == "direct" else pooler.dsn("app")
    options = SupabaseOptions(dsn=Secret(dsn))
    endpoint, parameters, _ = parse_options(options)
    connection = connect(endpoint, parameters, options)
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        wanted = {socket.TCP_KEEPIDLE: 30, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 3}
        wanted[socket.TCP_USER_TIMEOUT] = 60_000
        assert {name: line.getsockopt(socket.IPPROTO_TCP, name) for name in wanted} == wanted
    connection.close()


def test_a_statement_that_takes_its_time_is_left_to_work(database, rows):
    rows.deliver(database.target(), A)
    database.sql(
        "CREATE FUNCTION rest() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';"
        "CREATE TRIGGER rest BEFORE INSERT ON film FOR EACH ROW EXECUTE FUNCTION rest()"
    )
    target, publication, said = database.target(watchdog=0.1), rows.publication(B, mode="sync"), []
    load = rows.load(target, publication, B)
    done = target.publish(publication, load, lambda count, message: said.append(message))
    assert counts(done) == (1, 1, 1, 1, 3)
    assert not any("trying again" in message for message in said)


def test_interrupt_leaves_the_table_as_it_was(database, rows):
    rows.deliver(database.target(), A)
    target, publication = database.target(), rows.publication(B, mode="sync")
    load = rows.load(target, publication, B)
    with pytest.raises(CancelledError):
        target.publish(publication, load, lambda count, message: target.interrupt())
    assert database.sql("SELECT id FROM film ORDER BY 1") == [(1,), (2,), (3,)]


def test_a_setting_of_one_delivery_does_not_leak_through_the_pooler(pooler, app_dsn, database, rows):
    target = database.target(pooler.dsn("app"))
    rows.deliver(target, A)
    connection = psycopg2.connect(pooler.dsn("app"))
    cursor = connection.cursor()
    cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
    assert cursor.fetchone() == ("2min", "0")
    cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
    assert cursor.fetchone() == (0,)
    connection.close()


REFUSED = [
    ("postgresql://postgres:{p}@127.0.0.1:{port}/nope", "unknown-database"),
    ("postgresql://postgres:wrong-Pass1@127.0.0.1:{port}/app", "login-refused"),
    ("postgresql://postgres:{p}@127.0.0.1:1/app", "unreachable"),
    ("postgresql://postgres:{p}@127.0.0.1:{port}/app?sslmode=require", "no-tls"),
]


@pytest.mark.parametrize(("dsn", "rule"), REFUSED)
def test_a_server_that_does_not_answer_is_named_without_its_secrets(database, postgres, rows, dsn, rule):
    target = database.target(dsn.format(p=PASSWORD, port=postgres.port))
    for call in (target.probe, lambda: target.observe(rows.publication(A))):
        with pytest.raises(UnreachableError) as caught:
            call()
        [found] = caught.value.diagnostics
        assert found.rule == rule
        assert "127.0.0.1" in found.message
        assert not any(secret in str(found) for secret in (PASSWORD, "wrong-Pass1"))


def test_startup_options_are_refused_by_the_pooler_in_plain_words(pooler, database):
    target = database.target(pooler.dsn("app") + "?options=-cstatement_timeout%3D0")
    with pytest.raises(UnreachableError) as caught:
        target.probe()
    assert caught.value.diagnostics[0].rule == "options-through-pooler"
