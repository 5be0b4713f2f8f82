"""PostgreSQL over TLS, and through a pooler that gives each transaction whichever backend is free."""

from __future__ import annotations

import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from servers.certificate import write_certificate
from servers.pgbouncer import Pooler
from servers.postgres import PASSWORD, PostgresServer, plain_user
from sources.arrivals import arrive, columns, read, request

from osiris_sql.sources.postgres import PLUGIN, PostgresSource
from osiris_sql.types.diagnostic import UnreachableError
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers
ID = columns(id="INTEGER")
DATABASE = "source_network"
ROWS = 50_000


@pytest.fixture(scope="module")
def shop(postgres: PostgresServer) -> PostgresServer:
    postgres.create_database(DATABASE)
    postgres.run_sql(
        f"CREATE TABLE parents AS SELECT g AS id FROM generate_series(1, {ROWS}) g;"
        f"CREATE TABLE children AS SELECT g AS id FROM generate_series(1, {ROWS}) g;"
        "GRANT SELECT ON parents, children TO writer",
        DATABASE,
    )
    return postgres


@pytest.fixture(scope="module")
def over_tls(shop: PostgresServer) -> Iterator[Path]:
    """The folder of the certificate that the server shows, for as long as TLS is on."""
    folder = shop.folder / "tls"
    folder.mkdir()
    write_certificate(folder)
    if user := plain_user():
        entry = pwd.getpwnam(user)
        for path in folder.iterdir():
            shutil.chown(path, entry.pw_uid, entry.pw_gid)
    (folder / "key.pem").chmod(0o600)
    names = {"ssl_cert_file": f"'{folder}/cert.pem'", "ssl_key_file": f"'{folder}/key.pem'", "ssl": "on"}
    turn(shop, *(f"ALTER SYSTEM SET {name} = {value};" for name, value in names.items()), to="on")
    yield folder
    turn(shop, *(f"ALTER SYSTEM RESET {name};" for name in names), to="off")


def turn(server: PostgresServer, *settings: str, to: str) -> None:
    """Change settings of the server and wait until it has taken them up."""
    server.run_sql("\n".join(settings))
    server.run_sql("SELECT pg_reload_conf()")
    while server.run_sql("SHOW ssl").strip() != to:
        pass


def connected(dsn: str) -> PostgresSource:
    return PLUGIN(PLUGIN.Options(dsn=Secret(dsn)), Path())


MODES = [
    ("", True),  # on this machine TLS is taken where it is offered
    ("?sslmode=require", True),
    ("?sslmode=verify-full&sslrootcert={folder}/cert.pem", True),
    ("?sslmode=disable", False),
]


@pytest.mark.parametrize(("mode", "encrypted"), MODES)
def test_rows_arrive_over_tls(shop, over_tls, mode, encrypted):
    source = connected(shop.dsn(DATABASE, user="writer") + mode.format(folder=over_tls))
    with source.snapshot() as snapshot:
        asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        with snapshot._connection.cursor() as cursor:
            cursor.execute(asked)
            assert cursor.fetchall() == [(encrypted,)]
        assert len(arrive(snapshot.read(request("parents", ID)), ID)[1]) == ROWS


@pytest.mark.parametrize(
    ("host", "mode"),
    [
        ("127.0.0.1", "?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt"),
        ("localhost", "?sslmode=verify-full&sslrootcert={folder}/cert.pem"),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused(shop, over_tls, host, mode):
    """Nobody vouches for it; or it is for 127.0.0.1 and not for the name."""
    dsn = shop.dsn(DATABASE, user="writer").replace("127.0.0.1", host) + mode.format(folder=over_tls)
    with pytest.raises(UnreachableError) as error:
        connected(dsn).probe()
    [told] = error.value.diagnostics
    assert told.rule == "tls-failed"
    assert PASSWORD not in str(told)


# ------------------------------------------------------------------------------- a transaction pooler


def test_a_snapshot_through_a_pooler_is_of_one_instant(shop, pooler: Pooler):
    """Others take turns on the same two backends all the while."""
    source = connected(pooler.dsn(DATABASE, user="writer"))
    with source.snapshot() as snapshot:
        parents = arrive(snapshot.read(request("parents", ID)), ID)[1]
        shop.run_sql("DELETE FROM children WHERE id > 10; DELETE FROM parents WHERE id > 10", DATABASE)
        for _ in range(5):
            assert len(read(connected(pooler.dsn(DATABASE, user="writer")), "parents", ID)) == 10
        children = arrive(snapshot.read(request("children", ID)), ID)[1]
    assert sorted(parents) == sorted(children)
    assert len(children) == ROWS


def test_what_a_read_sets_stays_with_no_backend_of_the_pooler(shop, pooler: Pooler):
    dsn = pooler.dsn(DATABASE, user="writer")
    before, after = settings(dsn), []
    for _ in range(4):
        read(connected(dsn), "parents", ID)
        after.append(settings(dsn))
    assert after == [before] * 4
    with connected(dsn).snapshot() as snapshot:
        next(iter(snapshot.read(request("parents", ID)).batches))  # given up
    assert settings(dsn) == before


def settings(dsn: str) -> list[tuple[str, str]]:
    """What a client of the pooler finds set on the backends that it gets."""
    connection = psycopg2.connect(dsn)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            names = "'row_security', 'IntervalStyle', 'extra_float_digits', 'lock_timeout'"
            names += ", 'transaction_read_only', 'default_transaction_read_only', 'statement_timeout'"
            cursor.execute(f"SELECT name, setting FROM pg_settings WHERE name IN ({names}) ORDER BY 1")
            return list(cursor.fetchall())
    finally:
        connection.close()
