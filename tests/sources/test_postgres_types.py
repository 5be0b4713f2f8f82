"""Every type of PostgreSQL arrives exactly: written by SQL, compared with what DuckDB says of a literal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers.postgres import PostgresServer
from sources.arrivals import arrive, columns, read, request

from osiris_sql.sources.postgres import PLUGIN, PostgresSource
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers

INSTANT = "TIMESTAMP WITH TIME ZONE"
CLOCK = "TIME WITH TIME ZONE"
CONTROLS = bytes([*range(1, 32), 92, 39, 34, 37, 127])

# PostgreSQL's type, value as it is written there, the type in DuckDB, the value as DuckDB writes it
VALUES = [
    ("smallint", "-32768", "SMALLINT", "-32768"),
    ("integer", "2147483647", "INTEGER", "2147483647"),
    ("bigint", "-9223372036854775808", "BIGINT", "-9223372036854775808"),
    ("oid", "4294967295", "UINTEGER", "4294967295"),
    ("numeric(10,2)", "-12345678.90", "DECIMAL(10,2)", "-12345678.90"),
    ("numeric(38,38)", "0." + "9" * 38, "DECIMAL(38,38)", "'0." + "9" * 38 + "'"),
    ("numeric(38,0)", "-" + "9" * 38, "DECIMAL(38,0)", "-" + "9" * 38),
    ("numeric(60,20)", "9" * 40 + "." + "1" * 20, "VARCHAR", "'" + "9" * 40 + "." + "1" * 20 + "'"),
    ("numeric(3,-2)", "12300", "VARCHAR", "'12300'"),
    ("numeric", "'NaN'", "VARCHAR", "'NaN'"),
    ("numeric", "1e-30", "VARCHAR", "'0.000000000000000000000000000001'"),
    ("money", "'12.50'", "VARCHAR", "'$12.50'"),
    ("real", "3.4028235e38", "FLOAT", "3.4028235e38"),
    ("real", "16777217", "FLOAT", "16777216"),
    ("real", "'-Infinity'", "FLOAT", "'-inf'"),
    ("double precision", "1.7976931348623157e308", "DOUBLE", "1.7976931348623157e308"),
    ("double precision", "5e-324", "DOUBLE", "5e-324"),
    ("double precision", "'NaN'", "DOUBLE", "'nan'"),
    ("double precision", "'-0'", "DOUBLE", "'-0.0'"),
    ("boolean", "true", "BOOLEAN", "true"),
    ("boolean", "false", "BOOLEAN", "false"),
    ("bit(3)", "B'101'", "BIT", "'101'"),
    ("varbit", "B''", "VARCHAR", "''"),
    ("date", "'0001-01-01'", "DATE", "'0001-01-01'"),
    ("date", "'4713-01-01 BC'", "DATE", "'4713-01-01 (BC)'"),
    ("date", "'5874897-12-31'", "DATE", "'5874897-12-31'"),
    ("date", "'infinity'", "DATE", "'infinity'"),
    ("timestamp", "'9999-12-31 23:59:59.999999'", "TIMESTAMP", "'9999-12-31 23:59:59.999999'"),
    ("timestamp", "'0044-03-15 12:00 BC'", "TIMESTAMP", "'0044-03-15 (BC) 12:00:00'"),
    ("timestamp", "'-infinity'", "TIMESTAMP", "'-infinity'"),
    ("timestamptz", "'2024-01-01 10:00:00.5+02'", INSTANT, "'2024-01-01 08:00:00.5+00'"),
    ("timestamptz", "'0044-03-15 12:00+00 BC'", INSTANT, "'0044-03-15 (BC) 12:00:00+00'"),
    ("time", "'23:59:59.999999'", "TIME", "'23:59:59.999999'"),
    ("time", "'24:00:00'", "TIME", "'24:00:00'"),
    ("timetz", "'12:00:00.5+02'", CLOCK, "'12:00:00.5+02'"),
    ("timetz", "'00:00:00-15:59'", CLOCK, "'00:00:00-15:59'"),
    ("interval", "'1 year 2 mons -3 days 04:05:06.7'", "INTERVAL", "'1 year 2 months -3 days 04:05:06.7'"),
    ("interval", "'-1 year 2 mons'", "INTERVAL", "'-10 months'"),
    ("interval", "'-1 mons +2 days -00:00:00.000001'", "INTERVAL", "'-1 month 2 days -00:00:00.000001'"),
    ("interval", "'838:59:59'", "INTERVAL", "'838:59:59'"),
    ("char(5)", "'ab'", "VARCHAR", "'ab   '"),
    ("varchar(9)", "'ab  '", "VARCHAR", "'ab  '"),
    ("text", "''", "VARCHAR", "''"),
    ("text", "'NULL'", "VARCHAR", "'NULL'"),
    ("text", r"'\N'", "VARCHAR", r"'\N'"),
    ("text", r"'\\n\t'", "VARCHAR", r"'\\n\t'"),
    ("text", "E'a\\r\\n\\tb\\\\'", "VARCHAR", "'a' || chr(13) || chr(10) || chr(9) || 'b\\'"),
    (
        "text",
        f"convert_from('\\x{CONTROLS.hex()}', 'UTF8')",
        "VARCHAR",
        f"decode(unhex('{CONTROLS.hex()}'))",
    ),
    ("text", "repeat('ž\U0001f600', 100000)", "VARCHAR", "repeat('ž\U0001f600', 100000)"),
    ("name", "'n'", "VARCHAR", "'n'"),
    ('"char"', "'x'", "VARCHAR", "'x'"),
    ("bytea", r"'\xff00090a5c'", "BLOB", "unhex('ff00090a5c')"),
    ("bytea", "''", "BLOB", "''"),
    ("uuid", "'123e4567-e89b-12d3-a456-426655440000'", "UUID", "'123e4567-e89b-12d3-a456-426655440000'"),
    ("json", '\'{"a":\t[1, "\\n"]}\'', "JSON", '\'{"a":\t[1, "\\n"]}\''),
    ("jsonb", '\'{"b": 1.50, "a": null}\'', "JSON", '\'{"a": null, "b": 1.50}\''),
    ("integer[]", "'{1,NULL}'", "VARCHAR", "'{1,NULL}'"),
    ("text[]", "ARRAY[E'a\\n', NULL]", "VARCHAR", "'{\"a' || chr(10) || '\",NULL}'"),
    ("int4range", "'[1,5)'", "VARCHAR", "'[1,5)'"),
    ("inet", "'::1/64'", "VARCHAR", "'::1/64'"),
    ("xml", "'<a/>'", "VARCHAR", "'<a/>'"),
    ("mood", "'so so'", "VARCHAR", "'so so'"),
    ("cents", "12.50", "DECIMAL(9,2)", "12.50"),
    ("pair", "ROW(1, 'a\"b')", "VARCHAR", '\'(1,"a""b")\''),
    ("integer GENERATED ALWAYS AS (6 * 7) STORED", "DEFAULT", "INTEGER", "42"),
]

tables = itertools.count(1)


@pytest.fixture(scope="module")
def dsn(postgres: PostgresServer) -> str:
    made = postgres.create_database("source_types")
    run(
        made,
        "CREATE TYPE mood AS ENUM ('so so')",
        "CREATE DOMAIN cents AS numeric(9,2)",
        "CREATE TYPE pair AS (a int, b text)",
        "SET lc_monetary = 'C'",
    )
    return made


@pytest.fixture
def source(dsn: str) -> PostgresSource:
    return PLUGIN(PLUGIN.Options(dsn=Secret(dsn)), Path())


def run(dsn: str, *statements: str) -> None:
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def table_of(dsn: str, type_: str, *values: str) -> str:
    """Make a table with one column `v`."""
    name = f"t{next(tables)}"
    run(dsn, f"CREATE TABLE {name} (v {type_})", *(f"INSERT INTO {name} VALUES ({v})" for v in values))
    return name


@pytest.fixture(scope="module")
def literal() -> Iterator[Callable[[str, str], str]]:
    """What DuckDB prints of a value that is written in its own SQL."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        yield lambda type_, value: con.execute(f"SELECT ({value})::{type_}::VARCHAR").fetchall()[0][0]


@pytest.mark.parametrize(("type_", "written", "found", "value"), VALUES)
def test_a_value_arrives_exactly(dsn, source, literal, type_, written, found, value):
    is_generated = written == "DEFAULT"
    name = table_of(dsn, type_, written, *([] if is_generated else ["NULL"]))
    [table] = source.discover([name])
    assert [column.type for column in table.schema.columns] == [found]
    with source.snapshot() as snapshot:
        types, rows = arrive(snapshot.read(request(name, table.schema.columns)), table.schema.columns)
    assert types == [found]
    assert rows == [(literal(found, value),)] + ([] if is_generated else [(None,)])


REQUESTED = [
    ("integer", "1", "BIGINT", "1"),
    ("integer", "1", "VARCHAR", "1"),
    ("boolean", "true", "VARCHAR", "true"),
    ("numeric", "1.5", "DECIMAL(38,10)", "1.5000000000"),
    ("numeric(10,2)", "1.00", "INTEGER", "1"),
    ("timestamptz", "'2024-01-01 10:00:00+00'", "TIMESTAMP", "2024-01-01 10:00:00"),
    ("timestamp", "'2024-01-01'", "DATE", "2024-01-01"),
    ("text", "'12'", "INTEGER", "12"),
    ("jsonb", "'[1]'", "VARCHAR", "[1]"),
    ("bytea", r"'\x61'", "VARCHAR", "a"),
]
REFUSED = [
    ("integer", "128", "TINYINT"),
    ("numeric", "'NaN'", "DECIMAL(38,10)"),
    ("numeric(10,2)", "1.50", "INTEGER"),
    ("numeric(5,2)", "'NaN'", "DECIMAL(5,2)"),
    ("timestamp", "'2024-01-01 10:00:00'", "DATE"),
    ("text", "'1.5'", "INTEGER"),
    ("timestamp", "'294276-12-31'", "TIMESTAMP"),
]


@pytest.mark.parametrize(("type_", "written", "wanted", "value"), REQUESTED)
def test_a_declared_type_is_kept_where_it_is_exact(dsn, source, type_, written, wanted, value):
    assert read(source, table_of(dsn, type_, written), columns(v=wanted)) == [(value,)]


@pytest.mark.parametrize(("type_", "written", "wanted"), REFUSED)
def test_what_would_lose_something_is_an_error(dsn, source, type_, written, wanted):
    name = table_of(dsn, type_, written)
    with pytest.raises(duckdb.Error, match=r"column v: .* is not exactly a value of type"):
        read(source, name, columns(v=wanted))


ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
ESCAPED = st.text(alphabet="\\\t\n\r\v\f\bNntrvfb.", max_size=12)
ROW = st.tuples(
    st.none() | ANY_TEXT | ESCAPED,
    st.none() | st.binary(max_size=20),
    st.none() | st.decimals(min_value=-(10**20), max_value=10**20, places=9, allow_nan=False),
    st.none() | st.datetimes(),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.integers(min_value=-(2**63), max_value=2**63 - 1),
    st.none() | ANY_TEXT | ESCAPED,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=12))
def test_random_rows_arrive_exactly(dsn, source, rows):
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "DROP TABLE IF EXISTS anything; CREATE TABLE anything (a text, b bytea, c numeric(38,9),"
                " d timestamp, e float8, f bigint, g text, n int PRIMARY KEY)"
            )
            for number, row in enumerate(rows):
                cursor.execute("INSERT INTO anything VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", (*row, number))
    finally:
        connection.close()
    types = ("VARCHAR", "BLOB", "DECIMAL(38,9)", "TIMESTAMP", "DOUBLE", "BIGINT", "VARCHAR", "INTEGER")
    wanted = columns(**dict(zip("abcdefgn", types, strict=True)))
    arrived = sorted(read(source, "anything", wanted), key=lambda row: int(row[7] or 0))
    sql = ", ".join(f"?::{type_}::VARCHAR" for type_ in types)
    with duckdb.connect() as con:
        expected = [con.execute(f"SELECT {sql}", (*_plain(row), n)).fetchone() for n, row in enumerate(rows)]
    assert arrived == expected


def _plain(row):
    """A decimal as text, for the driver makes it a DOUBLE; and no -0.0, of which the driver writes 0.0."""
    a, b, c, d, e, *rest = row
    return a, b, None if c is None else f"{c:f}", d, None if e is None else e + 0.0, *rest
