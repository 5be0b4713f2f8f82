"""Every type of MariaDB arrives exactly: written by SQL, compared with what DuckDB says of a literal."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers.mariadb import MariaDb
from sources.arrivals import arrive, columns, read, request

from osiris_sql.sources.mysql import PLUGIN, MysqlSource
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.secret import Secret

pytestmark = pytest.mark.servers

INSTANT = "TIMESTAMP WITH TIME ZONE"
ONE_TWO = "0101000000" + "000000000000F03F" + "0000000000000040"
CONTROLS = bytes([*range(32), 92, 39, 34, 37, 127])

# MySQL type, value as MySQL writes it, the type in DuckDB, the value as DuckDB writes it
VALUES = [
    ("TINYINT", "-128", "TINYINT", "-128"),
    ("TINYINT(1)", "2", "TINYINT", "2"),
    ("TINYINT UNSIGNED", "255", "UTINYINT", "255"),
    ("SMALLINT", "-32768", "SMALLINT", "-32768"),
    ("SMALLINT UNSIGNED", "65535", "USMALLINT", "65535"),
    ("MEDIUMINT", "-8388608", "INTEGER", "-8388608"),
    ("MEDIUMINT UNSIGNED", "16777215", "UINTEGER", "16777215"),
    ("INT", "-2147483648", "INTEGER", "-2147483648"),
    ("INT UNSIGNED", "4294967295", "UINTEGER", "4294967295"),
    ("INT(9) ZEROFILL", "42", "UINTEGER", "42"),
    ("BIGINT", "-9223372036854775808", "BIGINT", "-9223372036854775808"),
    ("BIGINT UNSIGNED", "18446744073709551615", "UBIGINT", "18446744073709551615"),
    ("DECIMAL(10,2)", "-12345678.90", "DECIMAL(10,2)", "-12345678.90"),
    ("DECIMAL(38,38)", "0." + "9" * 38, "DECIMAL(38,38)", "'0." + "9" * 38 + "'"),
    ("DECIMAL(38,0)", "-" + "9" * 38, "DECIMAL(38,0)", "-" + "9" * 38),
    ("DECIMAL(65,30)", "9" * 35 + "." + "1" * 30, "VARCHAR", "'" + "9" * 35 + "." + "1" * 30 + "'"),
    ("FLOAT", "3.4028234e38", "FLOAT", "3.4028234663852886e38"),
    ("FLOAT", "16777217", "FLOAT", "16777216"),
    ("FLOAT", "0.1", "FLOAT", "0.1"),
    ("DOUBLE", "1.7976931348623157e308", "DOUBLE", "1.7976931348623157e308"),
    ("DOUBLE", "5e-324", "DOUBLE", "5e-324"),
    ("DOUBLE", "0.1", "DOUBLE", "0.1"),
    ("BIT(1)", "b'1'", "UBIGINT", "1"),
    ("BIT(64)", "b'" + "1" * 64 + "'", "UBIGINT", "18446744073709551615"),
    ("YEAR", "2155", "SMALLINT", "2155"),
    ("YEAR", "0", "SMALLINT", "0"),
    ("DATE", "'0001-01-01'", "DATE", "'0001-01-01'"),
    ("DATE", "'9999-12-31'", "DATE", "'9999-12-31'"),
    ("DATETIME", "'1000-01-01 00:00:00'", "TIMESTAMP", "'1000-01-01 00:00:00'"),
    ("DATETIME(6)", "'9999-12-31 23:59:59.999999'", "TIMESTAMP", "'9999-12-31 23:59:59.999999'"),
    ("TIMESTAMP(6) NULL", "'1970-01-01 00:00:01.5'", INSTANT, "'1970-01-01 00:00:01.5+00'"),
    ("TIMESTAMP NULL", "'2038-01-19 03:14:07'", "TIMESTAMP WITH TIME ZONE", "'2038-01-19 03:14:07+00'"),
    ("TIME(6)", "'-838:59:59.999999'", "INTERVAL", "'-838:59:59.999999'"),
    ("TIME(6)", "'-00:00:00.000001'", "INTERVAL", "'-00:00:00.000001'"),
    ("TIME", "'00:00:00'", "INTERVAL", "'00:00:00'"),
    ("CHAR(5)", "'ab'", "VARCHAR", "'ab'"),
    ("VARCHAR(9)", "'ab  '", "VARCHAR", "'ab  '"),
    ("VARCHAR(9)", "''", "VARCHAR", "''"),
    ("VARCHAR(9)", "'NULL'", "VARCHAR", "'NULL'"),
    ("VARCHAR(99)", f"x'{CONTROLS.hex()}'", "VARCHAR", f"decode(unhex('{CONTROLS.hex()}'))"),
    ("VARCHAR(9)", "CHAR(30)", "VARCHAR", "chr(30)"),
    ("VARCHAR(9)", "CHAR(29,48)", "VARCHAR", "chr(29)||'0'"),
    ("VARCHAR(9) COLLATE utf8mb4_unicode_ci", "x'411FF09F9880'", "VARCHAR", "'A'||chr(31)||'\U0001f600'"),
    ("VARCHAR(9) CHARACTER SET latin1", "'€ÿ'", "VARCHAR", "'€ÿ'"),
    ("VARCHAR(9) CHARACTER SET ucs2", "'ěž'", "VARCHAR", "'ěž'"),
    ("VARCHAR(9) CHARACTER SET utf16", "_utf8mb4 x'1FF09F9880'", "VARCHAR", "chr(31)||'\U0001f600'"),
    ("VARCHAR(9) CHARACTER SET cp1250", "'ěž'", "VARCHAR", "'ěž'"),
    ("LONGTEXT", "REPEAT('ž', 100000)", "VARCHAR", "repeat('ž', 100000)"),
    ("ENUM('x','y z')", "'y z'", "VARCHAR", "'y z'"),
    ("SET('a','b','c')", "'a,c'", "VARCHAR", "'a,c'"),
    ("JSON", "'{\"k\": [1, null]}'", "VARCHAR", "'{\"k\": [1, null]}'"),
    ("UUID", "'123e4567-e89b-12d3-a456-426655440000'", "UUID", "'123e4567-e89b-12d3-a456-426655440000'"),
    ("INET6", "'::1'", "VARCHAR", "'::1'"),
    ("BINARY(3)", "x'01'", "BLOB", "'\\x01\\x00\\x00'"),
    ("VARBINARY(9)", "x'1D1E1F00'", "BLOB", "'\\x1D\\x1E\\x1F\\x00'"),
    ("LONGBLOB", "''", "BLOB", "''"),
    ("LONGBLOB", "x'FFFE'", "BLOB", "'\\xFF\\xFE'"),
    ("VARCHAR(9) CHARACTER SET binary", "x'FF'", "BLOB", "'\\xFF'"),
    ("POINT", "ST_GeomFromText('POINT(1 2)')", "BLOB", f"unhex('00000000{ONE_TWO}')"),
    ("POINT", "ST_GeomFromText('POINT(1 2)', 4326)", "BLOB", f"unhex('E6100000{ONE_TWO}')"),
    ("GEOMETRY", "ST_GeomFromText('POINT(1 2)', 258)", "BLOB", f"unhex('02010000{ONE_TWO}')"),
    ("INT AS (6 * 7)", "DEFAULT", "INTEGER", "42"),
]  # fmt: skip

tables = itertools.count(1)


@pytest.fixture(scope="module")
def database(mariadb: MariaDb) -> str:
    return mariadb.create_database("types")


@pytest.fixture
def source(mariadb: MariaDb, database: str) -> MysqlSource:
    password = Secret(mariadb.root_password)
    options = PLUGIN.Options(
        host=mariadb.host, port=mariadb.port, database=database, user="root", password=password
    )
    return PLUGIN(options, Path())


def table_of(mariadb: MariaDb, type_: str, *values: str) -> str:
    """Make a table with one column `v`."""
    name = f"t{next(tables)}"
    inserts = [f"INSERT INTO {name} (v) VALUES ({value})" for value in values]
    mode = "SET sql_mode = 'ALLOW_INVALID_DATES'"
    mariadb.execute(f"CREATE TABLE {name} (v {type_})", mode, *inserts, database="types")
    return name


@pytest.fixture(scope="module")
def literal() -> Iterator[Callable[[str, str], str]]:
    """What DuckDB prints of a value that is written in its own SQL."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        yield lambda type_, value: con.execute(f"SELECT ({value})::{type_}::VARCHAR").fetchall()[0][0]


@pytest.mark.parametrize(("mysql", "written", "type_", "value"), VALUES)
def test_a_value_arrives_exactly(mariadb, source, literal, mysql, written, type_, value):
    is_generated = written == "DEFAULT"
    name = table_of(mariadb, mysql, written, *([] if is_generated else ["NULL"]))
    [found] = source.discover([name])
    assert [column.type for column in found.schema.columns] == [type_]
    wanted = found.schema.columns
    with source.snapshot() as snapshot:
        types, rows = arrive(snapshot.read(request(name, wanted)), wanted)
    assert types == [type_]
    assert rows == [(literal(type_, value),)] + ([] if is_generated else [(None,)])


def test_every_byte_of_latin1_arrives_as_its_character(mariadb, source):
    every = bytes(range(256))
    name = table_of(mariadb, "VARCHAR(300) CHARACTER SET latin1", f"x'{every.hex()}'")
    [(text,)] = read(source, name, columns(v="VARCHAR"))
    # MySQL's latin1 is Windows-1252, with the five holes of that filled by their own numbers.
    assert text == "".join(bytes([b]).decode("cp1252", errors="ignore") or chr(b) for b in every)


REQUESTED = [
    ("INT", "1", "BIGINT", "1"),
    ("INT", "1", "VARCHAR", "1"),
    ("INT UNSIGNED", "5", "TINYINT", "5"),
    ("TINYINT(1)", "1", "BOOLEAN", "true"),
    ("DECIMAL(10,2)", "1.00", "INTEGER", "1"),
    ("DECIMAL(65,30)", "1.5", "DECIMAL(38,10)", "1.5000000000"),
    ("DATE", "'2024-01-01'", "TIMESTAMP", "2024-01-01 00:00:00"),
    ("DATETIME", "'2024-01-01'", "DATE", "2024-01-01"),
    ("DATETIME", "'2024-01-01 10:00:00'", "TIMESTAMP WITH TIME ZONE", "2024-01-01 10:00:00+00"),
    ("TIMESTAMP", "'2024-01-01 10:00:00'", "TIMESTAMP", "2024-01-01 10:00:00"),
    ("TIME", "'10:00:00'", "TIME", "10:00:00"),
    ("VARCHAR(9)", "'12'", "INTEGER", "12"),
    ("VARBINARY(9)", "'ž'", "VARCHAR", "ž"),
    ("JSON", "'[1]'", "JSON", "[1]"),
    ("DATE", "'0000-00-00'", "VARCHAR", "0000-00-00"),
]

REFUSED = [
    ("INT", "128", "TINYINT"),
    ("TINYINT(1)", "2", "BOOLEAN"),
    ("DECIMAL(10,2)", "1.50", "INTEGER"),
    ("DECIMAL(10,2)", "1.55", "DECIMAL(10,1)"),
    ("DATETIME", "'2024-01-01 10:00:00'", "DATE"),
    ("VARCHAR(9)", "'1.5'", "INTEGER"),
    ("VARCHAR(9)", "'{x}'", "DATE"),
    ("DATE", "'2023-02-31'", "DATE"),
]


@pytest.mark.parametrize(("mysql", "written", "type_", "value"), REQUESTED)
def test_a_declared_type_is_kept_where_it_is_exact(mariadb, source, mysql, written, type_, value):
    assert read(source, table_of(mariadb, mysql, written), columns(v=type_)) == [(value,)]


@pytest.mark.parametrize(("mysql", "written", "type_"), REFUSED)
def test_a_declared_type_that_would_lose_something_is_an_error(mariadb, source, mysql, written, type_):
    name = table_of(mariadb, mysql, written)
    with pytest.raises((duckdb.Error, StepError), match=r"column v: .* is not exactly a value of type"):
        read(source, name, columns(v=type_))


def test_bytes_do_not_become_numbers(mariadb, source):
    with pytest.raises(StepError, match="column v holds bytes, which can't be read as INTEGER"):
        read(source, table_of(mariadb, "BLOB", "'1'"), columns(v="INTEGER"))


@pytest.mark.parametrize("type_", ["DATE", "DATETIME", "TIMESTAMP"])
def test_zero_dates_are_counted_and_refused(mariadb, source, type_):
    zeros = ["'0000-00-00'"] * 2 if type_ == "TIMESTAMP" else ["'0000-00-00'", "'2024-00-10'", "'2024-10-00'"]
    name = table_of(mariadb, type_, "'2024-01-01'", *zeros, "NULL", "'2024-01-02'")
    natural = source.discover([name])[0].schema.columns
    with pytest.raises(StepError) as error:
        read(source, name, natural)
    [said] = error.value.diagnostics
    assert said.rule == "zero-date"
    assert f"column v of table {name} holds {len(zeros)} zero dates" in said.message


def test_text_that_looks_like_a_zero_date_is_text(mariadb, source):
    mariadb.execute(
        "CREATE OR REPLACE TABLE looks (a DATE, b VARCHAR(20))",
        "INSERT INTO looks VALUES ('2024-01-01', '0000-00-00')",
        database="types",
    )
    assert read(source, "looks", columns(a="DATE", b="VARCHAR")) == [("2024-01-01", "0000-00-00")]


ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
SEPARATORS = st.text(alphabet="\x1c\x1d\x1e\x1f012\\'", max_size=12)
LONGEST = datetime.timedelta(hours=838, minutes=59, seconds=59)
COLUMNS = {
    "TEXT": ("VARCHAR", ANY_TEXT | SEPARATORS),
    "BLOB": ("BLOB", st.binary(max_size=20)),
    "DECIMAL(38,9)": (
        "DECIMAL(38,9)",
        st.decimals(min_value=-(10**20), max_value=10**20, places=9, allow_nan=False),
    ),
    "DATETIME(6)": ("TIMESTAMP", st.datetimes()),
    "BIGINT UNSIGNED": ("UBIGINT", st.integers(min_value=0, max_value=2**64 - 1)),
    "DOUBLE": ("DOUBLE", st.floats(allow_nan=False, allow_infinity=False)),
    "TEXT CHARACTER SET utf16": ("VARCHAR", ANY_TEXT | SEPARATORS),
    "SMALLINT": ("SMALLINT", st.integers(min_value=-(2**15), max_value=2**15 - 1)),
    "DATE": ("DATE", st.dates()),
    "TIME(6)": ("INTERVAL", st.timedeltas(min_value=-LONGEST, max_value=LONGEST)),
    "FLOAT": ("FLOAT", st.floats(width=32, allow_nan=False, allow_infinity=False)),
    "DATETIME": ("TIMESTAMP", st.datetimes().map(lambda at: at.replace(microsecond=0))),
}
ROW = st.tuples(*(st.none() | values for _, values in COLUMNS.values()))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=12))
def test_random_rows_arrive_exactly(mariadb, source, rows):
    names = [f"c{place}" for place in range(len(COLUMNS))]
    declared = ", ".join(f"{name} {type_}" for name, type_ in zip(names, COLUMNS, strict=True))
    connection = mariadb.connect("types")
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE OR REPLACE TABLE anything ({declared}, n INT PRIMARY KEY)")
            marks = ", ".join(["%s"] * (len(names) + 1))
            numbered = [(*row, number) for number, row in enumerate(rows)]
            cursor.executemany(f"INSERT INTO anything VALUES ({marks})", numbered)
    finally:
        connection.close()
    types = [type_ for type_, _ in COLUMNS.values()]
    wanted = columns(**dict(zip(names, types, strict=True)), n="INTEGER")
    arrived = sorted(read(source, "anything", wanted), key=lambda row: int(row[-1] or 0))
    sql = ", ".join(f"?::{type_}::VARCHAR" for type_ in [*types, "INTEGER"])
    with duckdb.connect() as con:
        expected = [con.execute(f"SELECT {sql}", (*_plain(row), n)).fetchone() for n, row in enumerate(rows)]
    assert arrived == expected


def _plain(row: tuple[Any, ...]) -> Iterator[Any]:
    """A decimal as text, for the driver makes it a DOUBLE; a time as text, of which DuckDB makes no days; and
    no -0.0, which MariaDB does not know."""
    for value in row:
        if isinstance(value, Decimal):
            yield f"{value:f}"
        elif isinstance(value, datetime.timedelta):
            whole, rest = divmod(abs(value) // datetime.timedelta(microseconds=1), 1_000_000)
            sign = "-" if value < datetime.timedelta(0) else ""
            yield f"{sign}{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{rest:06}"
        else:
            yield value + 0.0 if isinstance(value, float) else value


def test_every_kind_of_day_of_ten_thousand_years_arrives_as_the_calendar_has_it(mariadb, source):
    mariadb.execute(
        "CREATE OR REPLACE TABLE days (n INT, d DATE, t DATETIME)",
        "INSERT INTO days SELECT seq, '0001-01-01' + INTERVAL 61 * seq DAY,"
        " '0001-01-01' + INTERVAL 86413 * 61 * seq SECOND FROM seq_0_to_59000",
        database="types",
    )
    days = "(DATE '0001-01-01' + 61 * n::INTEGER)::VARCHAR"
    times = "(TIMESTAMP '0001-01-01' + to_seconds(86413 * 61 * n))::VARCHAR"
    expected = duckdb.sql(f"SELECT n::VARCHAR, {days}, {times} FROM range(59001) numbers(n)").fetchall()
    arrived = read(source, "days", columns(n="INTEGER", d="DATE", t="TIMESTAMP"))
    assert sorted(arrived, key=lambda row: int(row[0] or 0)) == expected
