"""MySQL 8: its login by caching_sha2_password, over TLS and with an RSA key, and the position by GTIDs."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from servers.certificate import write_certificate
from servers.mariadb import MariaDb
from servers.mysql8 import SERVER_UUID, Mysql8, mysql8
from sources.arrivals import columns, read
from sources.mysql_shop import MysqlShop

from osiris_sql.sources.mysql import PLUGIN, MysqlSource
from osiris_sql.types.diagnostic import UnreachableError
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers
ID = columns(id="INTEGER")


@pytest.fixture(scope="module")
def behind(mariadb: MariaDb) -> MariaDb:
    database = mariadb.create_database("eight")
    mariadb.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)", database=database)
    return mariadb


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="osiris-mysql8-") as made:
        write_certificate(Path(made))
        yield Path(made)


@pytest.fixture
def server(behind: MariaDb, folder: Path) -> Iterator[Mysql8]:
    """A server whose certificate is for 127.0.0.1, and which has seen no password yet."""
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusted.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with mysql8(behind, trusted) as running:
        yield running


@pytest.fixture
def plain(behind: MariaDb) -> Iterator[Mysql8]:
    """A server without TLS."""
    with mysql8(behind) as running:
        yield running


def connected(server: Mysql8, root: Path, *, password: str | None = None, **other: str) -> MysqlSource:
    secret = Secret(server.behind.root_password if password is None else password)
    return PLUGIN(
        PLUGIN.Options(
            host="127.0.0.1", port=server.port, database="eight", user="root", password=secret, **other
        ),
        root,
    )


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ({"ssl": "verify", "ssl_ca": "cert.pem"}, "over TLS"),
        ({"ssl": "required"}, "over TLS"),
        ({}, "over TLS"),
        ({"ssl": "disabled"}, "by RSA"),
    ],
)
def test_the_password_is_told_over_tls_or_by_the_key_and_once_only(server, folder, options, how):
    for _ in range(2):
        assert read(connected(server, folder, **options), "t", ID) == [("1",), ("2",)]
    assert server.logins == [how, "known"]


def test_a_server_without_tls_is_told_by_its_key(plain, folder):
    source = connected(plain, folder)
    assert source.probe().server == "8.4.3"
    assert plain.logins == ["by RSA"]


@pytest.mark.parametrize("seen_before", [False, True])
@pytest.mark.parametrize("options", [{"ssl": "disabled"}, {"ssl": "required"}])
def test_a_wrong_password_is_refused_and_said(server, folder, options, seen_before):
    if seen_before:
        read(connected(server, folder, **options), "t", ID)
    with pytest.raises(UnreachableError) as error:
        connected(server, folder, password="not the password", **options).probe()
    [told] = error.value.diagnostics
    assert (told.rule, server.logins[-1]) == ("access-denied", "refused")
    assert "not the password" not in str(told)


def test_a_server_that_must_have_tls_and_has_none_is_told_no_password(plain, folder):
    with pytest.raises(UnreachableError) as error:
        connected(plain, folder, ssl="required").probe()
    assert error.value.diagnostics[0].rule == "tls-failed"
    assert plain.logins == []


# ------------------------------------------------------------------------------- the position


@pytest.fixture
def shop(plain: Mysql8, mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MysqlShop:
    made = MysqlShop(replace(mariadb, port=plain.port), tmp_path, "eight_shop", monkeypatch)
    made.sql("CREATE TABLE orders (id INT PRIMARY KEY)", "INSERT INTO orders VALUES (1)")
    made.write("      - name: orders\n", {"m": "SELECT id FROM shop.orders"})
    return made


def test_the_run_card_holds_the_gtids_of_the_snapshot(shop):
    [(position,)] = shop.sql("SELECT @@global.gtid_executed")
    assert position.startswith(f"{SERVER_UUID}:1-")
    assert shop.card(shop.build(), "observed")["extract.shop.orders"]["snapshot"] == position


def test_a_position_that_can_not_be_told_is_said_to_be_unknown(shop, plain, mariadb):
    """MySQL does not tell the position of a snapshot: others must be still around it."""

    def write(sql: str) -> None:
        if sql.startswith("START TRANSACTION"):
            mariadb.execute("INSERT INTO orders VALUES (2)", database=shop.database)

    plain.before = write
    said = shop.card(shop.build(), "observed")["extract.shop.orders"]["snapshot"]
    assert said.startswith(f"unknown: others committed meanwhile; between {SERVER_UUID}:1-")


def test_several_connections_can_not_prove_one_instant_and_the_plan_says_so(shop):
    text = (shop.root / "sources.yml").read_text()
    (shop.root / "sources.yml").write_text(text.replace("user: root", "user: root, connections: 2"))
    why = "MySQL does not tell the position of a snapshot"
    assert shop.extract().reading == f"one connection: {why}"
    assert shop.card(shop.build(), "observed")["extract.shop.orders"]["one_connection"] == why
