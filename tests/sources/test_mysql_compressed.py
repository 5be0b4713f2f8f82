"""`compress: true`: the same rows in fewer bytes, from servers that offer it, and as they are from others."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.mariadb import MariaDb
from servers.mysql8 import mysql8
from servers.tcp_proxy import TcpProxy, tcp_proxy
from sources.arrivals import columns, read

from osiris_sql.sources.mysql import PLUGIN, MysqlSource
from osiris_sql.sources.mysql.compressed import HEADER, LARGEST, Unpacked, frames
from osiris_sql.sources.mysql.connect import connect, query
from osiris_sql.types.diagnostic import UnreachableError
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers

WANTED = columns(id="INTEGER", words="VARCHAR", noise="BLOB")


@pytest.fixture(scope="module")
def shop(mariadb: MariaDb) -> MariaDb:
    mariadb.create_database("packed")
    mariadb.execute(
        "CREATE TABLE rows_of (id INT PRIMARY KEY, words VARCHAR(2000), noise LONGBLOB)",
        "INSERT INTO rows_of SELECT seq, REPEAT('word ', seq % 400), RANDOM_BYTES(seq % 300)"
        " FROM seq_1_to_20000",
        database="packed",
    )
    return mariadb


@pytest.fixture
def proxy(shop: MariaDb) -> Iterator[TcpProxy]:
    with tcp_proxy(shop.port) as running:
        yield running


def options(shop: MariaDb, port: int, *, compress: bool = True) -> PLUGIN.Options:
    password = Secret(shop.root_password)
    return PLUGIN.Options(
        host="127.0.0.1", port=port, database="packed", user="root", password=password, compress=compress
    )


def connected(shop: MariaDb, port: int, *, compress: bool = True) -> MysqlSource:
    return PLUGIN(options(shop, port, compress=compress), Path())


def test_the_same_rows_arrive_in_fewer_bytes(shop, proxy):
    plain = read(connected(shop, proxy.port, compress=False), "rows_of", WANTED)
    sent_plain = proxy.passed("down")
    packed = read(connected(shop, proxy.port), "rows_of", WANTED)
    sent_packed = proxy.passed("down") - sent_plain
    assert sorted(packed) == sorted(plain)
    assert len(packed) == 20_000
    assert sent_packed < sent_plain / 2


def test_rows_larger_than_a_frame_arrive_whole(shop, proxy):
    """Frames hold 16 MB: a row of zeros fits one when packed, noise none."""
    [(before,)] = shop.execute("SELECT @@global.max_allowed_packet")
    shop.execute("SET GLOBAL max_allowed_packet = 1 << 26")
    try:
        shop.execute(
            "CREATE OR REPLACE TABLE wide (id INT, noise LONGBLOB)",
            f"INSERT INTO wide VALUES (1, REPEAT('0', {2 * LARGEST})), (2, '')",
            "INSERT INTO wide VALUES (3, REPEAT(RANDOM_BYTES(1000), 20000))",
            database="packed",
        )
        wanted = columns(id="INTEGER", noise="BLOB")
        packed = read(connected(shop, proxy.port), "wide", wanted)
        assert [number for number, _ in packed] == ["1", "2", "3"]
        assert packed == read(connected(shop, proxy.port, compress=False), "wide", wanted)
    finally:
        shop.execute(f"SET GLOBAL max_allowed_packet = {before}", "DROP TABLE packed.wide")


def test_a_command_longer_than_a_frame_is_sent(shop):
    [(before,)] = shop.execute("SELECT @@global.max_allowed_packet")
    shop.execute("SET GLOBAL max_allowed_packet = 1 << 26")
    connection = connect(options(shop, shop.port), Path())
    try:
        for size in (LARGEST - 20, LARGEST, 2 * LARGEST, 1):
            assert query(connection, f"SELECT LENGTH('{'x' * size}')") == [(size,)]
        assert query(connection, "SHOW SESSION STATUS LIKE 'Compression'") == [("Compression", "ON")]
    finally:
        connection.close()
        shop.execute(f"SET GLOBAL max_allowed_packet = {before}")


def test_a_line_that_is_cut_is_told(shop, proxy):
    proxy.cut_after(1_000_000)
    with pytest.raises(UnreachableError) as error:
        read(connected(shop, proxy.port), "rows_of", WANTED)
    assert error.value.diagnostics[0].rule == "connection-lost"


def test_a_server_that_does_not_offer_it_sends_rows_as_they_are(shop):
    with mysql8(shop) as server:
        connection = connect(options(shop, server.port), Path())
        assert query(connection, "SHOW SESSION STATUS LIKE 'Compression'") == [("Compression", "OFF")]
        connection.close()


@given(st.binary(min_size=4, max_size=400), st.lists(st.integers(1, 500), max_size=5), st.integers(0, 255))
def test_what_is_packed_comes_out_again(packet, sizes, first):
    unpacked = io.BufferedReader(Unpacked(io.BufferedReader(io.BytesIO(b"".join(frames(packet, first))))))
    pieces = [unpacked.read(size) for size in sizes]
    assert b"".join(pieces) + unpacked.read() == packet


def test_a_frame_that_is_broken_or_short():
    packed = b"".join(frames(b"some words " * 20, 0))
    broken = packed[:HEADER] + b"\0" + packed[HEADER + 1 :]
    with pytest.raises(OSError, match="a compressed packet is broken"):
        Unpacked(io.BufferedReader(io.BytesIO(broken))).read()
    for size in range(len(packed)):
        assert Unpacked(io.BufferedReader(io.BytesIO(packed[:size]))).read() == b""
    assert zlib.decompress(packed[HEADER:]) == b"some words " * 20
