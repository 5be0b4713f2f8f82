"""Types of DuckDB and SQLite files arrive exactly, or with an error."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest
from sources.arrivals import arrive, columns, read, request

from osiris_sql.sources import duckdb as duckdb_source
from osiris_sql.sources import sqlite as sqlite_source
from osiris_sql.sources.sqlite import duckdb_type
from osiris_sql.types.diagnostic import StepError

OF_DUCKDB = [
    "170141183460469231731687303715884105727::HUGEINT",
    "340282366920938463463374607431768211455::UHUGEINT",
    "123456789012345678901234567890123456789012::BIGNUM",
    "-0.0::DOUBLE",
    "'nan'::FLOAT",
    "0.1::DECIMAL(38,38)",
    "INTERVAL '-1 year 2 days 3.000001 seconds'",
    "'101'::BIT",
    "'b'::ENUM('a', 'b')",
    "'12:00:00+02'::TIMETZ",
    "'23:59:59.999999'::TIME",
    "'infinity'::DATE",
    "'290000-01-01'::TIMESTAMP",
    "'2020-01-01 00:00:00.123456789'::TIMESTAMP_NS",
    "TIMESTAMPTZ '2020-01-01 00:00:00.5+00'",
    "'\\xFF\\x00'::BLOB",
    "'123e4567-e89b-12d3-a456-426655440000'::UUID",
    "'{\"a\": 1.50}'::JSON",
    "[1, NULL]",
    "array_value(1, 2)",
    "{'a': [1], 'b': 'x'}",
    "MAP {'a': 1}",
    "union_value(a := 1)",
    "chr(0) || E'\\n'",
]


@pytest.mark.parametrize("value", OF_DUCKDB)
def test_a_value_of_a_duckdb_file_arrives_exactly(tmp_path, value):
    with duckdb.connect(str(tmp_path / "a.duckdb")) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"CREATE TABLE t AS SELECT {value} AS v UNION ALL SELECT NULL")
        written = con.execute("SELECT typeof(v), v::VARCHAR FROM t").fetchall()
    source = duckdb_source.PLUGIN(duckdb_source.PLUGIN.Options(path="a.duckdb"), tmp_path)
    [table] = source.discover(["t"])
    with source.snapshot() as snapshot:
        types, rows = arrive(snapshot.read(request("t", table.schema.columns)), table.schema.columns)
    assert (types, rows) == ([written[0][0]], [(text,) for _, text in written])


def test_a_table_that_did_not_change_is_known_by_its_file(tmp_path):
    def write(sql: str) -> None:
        with duckdb.connect(str(tmp_path / "a.duckdb")) as con:
            con.execute(sql)

    def token(name: str) -> str | None:
        source = duckdb_source.PLUGIN(duckdb_source.PLUGIN.Options(path="a.duckdb"), tmp_path)
        [seen] = source.probe_change({"source:s.x": name})
        assert list(seen.files) == ["a.duckdb"]
        return seen.change

    write("CREATE TABLE t AS SELECT 1 AS v; CREATE VIEW w AS FROM t")
    before = token("t")
    assert before is not None
    assert before == token("t")
    assert token("w") is None  # a view may read what is not in the file
    write("INSERT INTO t VALUES (2)")
    assert token("t") != before


DECLARED = [
    ("INTEGER", "BIGINT"),
    ("UNSIGNED BIG INT", "BIGINT"),
    ("real", "DOUBLE"),
    ("DOUBLE PRECISION", "DOUBLE"),
    ("VARCHAR(20)", "VARCHAR"),
    ("", "VARCHAR"),
    ("BLOB", "BLOB"),
    ("DECIMAL(10,2)", "DECIMAL(10,2)"),
    ("numeric (5)", "DECIMAL(5,0)"),
    ("DECIMAL(50,2)", "VARCHAR"),
    ("NUMERIC", "VARCHAR"),
    ("BOOLEAN", "BOOLEAN"),
    ("DATE", "DATE"),
    ("DATETIME", "TIMESTAMP"),
    ("TIMESTAMP", "TIMESTAMP"),
]


@pytest.mark.parametrize(("declared", "type_"), DECLARED)
def test_a_declared_type_of_sqlite(declared, type_):
    assert duckdb_type(declared) == type_


# declared type, value as SQLite writes it, what arrives
OF_SQLITE = [
    ("INTEGER", "-9223372036854775808", "-9223372036854775808"),
    ("INTEGER", "'12'", "12"),
    ("REAL", "0.1", "0.1"),
    ("REAL", "9e999", "inf"),
    ("REAL", "1.7976931348623157e308", "1.7976931348623157e+308"),
    ("DECIMAL(10,2)", "12.5", "12.50"),
    ("TEXT", "char(31) || '\\N' || char(10) || 'č'", "\x1f\\N\nč"),
    ("TEXT", "''", ""),
    ("", "1.5", "1.5"),
    ("BLOB", "x'00ff'", "\\x00\\xFF"),
    ("BOOLEAN", "1", "true"),
    ("DATE", "'2024-02-29'", "2024-02-29"),
    ("DATETIME", "'2024-01-01T10:00:00.5'", "2024-01-01 10:00:00.5"),
]
REFUSED = [
    ("INTEGER", "'abc'"),
    ("INTEGER", "1.5"),
    ("REAL", "'1,5'"),
    ("DECIMAL(10,2)", "0.125"),
    ("BOOLEAN", "2"),
    ("DATE", "'2024-02-30'"),
    ("DATE", "2460000.5"),
    ("DATETIME", "1700000000"),
]


def of_sqlite(tmp_path, declared: str, value: str) -> sqlite_source.SqliteSource:
    """A file with one table of one column and one row, and a NULL."""
    con = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    con.execute(f"CREATE TABLE t (v {declared})")
    con.execute(f"INSERT INTO t VALUES ({value}), (NULL)")
    con.close()
    return sqlite_source.PLUGIN(sqlite_source.PLUGIN.Options(path="a.sqlite"), tmp_path)


@pytest.mark.parametrize(("declared", "value", "arrives"), OF_SQLITE)
def test_a_value_of_sqlite_arrives_exactly(tmp_path, declared, value, arrives):
    source = of_sqlite(tmp_path, declared, value)
    [table] = source.discover(["t"])
    assert read(source, "t", table.schema.columns) == [(arrives,), (None,)]


@pytest.mark.parametrize(("declared", "value"), REFUSED)
def test_a_value_of_another_type_than_declared_is_an_error(tmp_path, declared, value):
    source = of_sqlite(tmp_path, declared, value)
    [table] = source.discover(["t"])
    with pytest.raises(duckdb.Error, match=r"column v: .* is not exactly a value of type"):
        read(source, "t", table.schema.columns)
    assert len(read(source, "t", columns(v="VARCHAR"))) == 2


def test_bytes_that_are_no_text_are_an_error_in_a_column_of_text(tmp_path):
    with pytest.raises(StepError, match="can't be read"):
        read(of_sqlite(tmp_path, "TEXT", "x'ff'"), "t", columns(v="VARCHAR"))


def test_a_reader_can_write_nothing(tmp_path):
    source = of_sqlite(tmp_path, "TEXT", "'a'")
    with source.snapshot() as snapshot, pytest.raises(sqlite3.OperationalError, match=r"readonly|read-only"):
        snapshot._con.execute("DELETE FROM t")
