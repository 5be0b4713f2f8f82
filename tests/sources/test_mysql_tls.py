"""TLS: what each mode of `ssl` demands of a server whose certificate only our own authority signed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.certificate import write_certificate
from servers.mariadb import MariaDb, mariadb_server
from sources.arrivals import columns, read, request

from osiris_sql.sources.mysql import PLUGIN, MysqlSource
from osiris_sql.types.diagnostic import CancelledError, UnreachableError
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="osiris-tls-") as made:
        write_certificate(Path(made))
        yield Path(made)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[MariaDb]:
    files = ("--ssl-cert", "cert.pem"), ("--ssl-key", "key.pem"), ("--ssl-ca", "cert.pem")
    with mariadb_server(*(f"{option}={folder / name}" for option, name in files)) as started:
        started.create_database("shop")
        pad = "CREATE TABLE big AS SELECT seq AS id, REPEAT('x', 500) AS pad FROM seq_1_to_60000"
        started.execute(pad, database="shop")
        yield started


def connected(server: MariaDb, folder: Path, **other: Any) -> MysqlSource:
    options = PLUGIN.Options(
        host=other.pop("host", server.host),
        port=server.port,
        database="shop",
        user="root",
        password=Secret(server.root_password),
        **other,
    )
    return PLUGIN(options, folder)


@pytest.mark.parametrize(
    ("options", "encrypted"),
    [
        ({}, True),
        ({"ssl": "preferred"}, True),
        ({"ssl": "required"}, True),
        ({"ssl": "verify", "ssl_ca": "cert.pem"}, True),
        ({"ssl": "disabled"}, False),
    ],
)
def test_a_mode_that_connects(server, folder, options, encrypted):
    assert (connected(server, folder, **options).probe().facts["tls"] != "off") is encrypted


@pytest.mark.parametrize("ca", [None, "cert.pem", "no-such-file.pem"])
def test_a_certificate_that_does_not_hold_is_refused(server, folder, ca):
    # Without the authority nobody vouches for it; with it, the certificate is not for "localhost".
    source = connected(server, folder, ssl="verify", host="localhost", **({"ssl_ca": ca} if ca else {}))
    with pytest.raises(UnreachableError) as error:
        source.probe()
    assert error.value.diagnostics[0].rule == "tls-failed"
    assert "ssl_ca" in error.value.diagnostics[0].fix


def test_a_host_far_away_is_verified_unless_it_is_said_otherwise():
    far = PLUGIN.Options(host="db.example.org", database="d", user="u")
    near = PLUGIN.Options(host="localhost", database="d", user="u")
    assert (far.tls, near.tls) == ("verify", "preferred")


@pytest.mark.parametrize("compress", [False, True])
def test_rows_and_an_interrupt_over_tls(server, folder, compress):
    source = connected(server, folder, ssl="required", compress=compress)
    assert len(read(source, "big", columns(id="INTEGER"))) == 60_000
    with source.snapshot() as snapshot:
        batches = iter(snapshot.read(request("big", columns(pad="VARCHAR"))).batches)
        next(batches)
        source.interrupt()
        with pytest.raises(CancelledError):
            list(batches)
