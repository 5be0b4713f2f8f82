"""Text becomes a typed value exactly, or not at all; DuckDB's own cast is shown where it would err."""

import re

import duckdb
import pytest

from osiris_sql.sources._exact import (
    canonical_type,
    or_error,
    template_literal,
    text_fits,
    text_literal,
    typed_fits,
)
from osiris_sql.types.diagnostic import StepError

FITS = [
    ("INTEGER", "5"),
    ("INTEGER", " -5 "),
    ("INTEGER", "5.0"),
    ("UBIGINT", "18446744073709551615"),
    ("HUGEINT", "-170141183460469231731687303715884105728"),
    ("BIGINT", "007"),
    ("DECIMAL(5,2)", "-999.99"),
    ("DECIMAL(5,2)", "1.2500"),
    ("DOUBLE", "1.7976931348623157e308"),
    ("DOUBLE", "-Infinity"),
    ("DOUBLE", "nan"),
    ("FLOAT", "0.1"),
    ("BOOLEAN", "true"),
    ("DATE", "2024-02-29"),
    ("DATE", "2024-01-01 00:00:00"),
    ("TIMESTAMP", "2024-01-01"),
    ("TIMESTAMP", "9999-12-31T23:59:59.999999"),
    ("TIMESTAMP", "2024-01-01 10:00:00.123456000"),
    ("TIMESTAMP WITH TIME ZONE", "2024-01-01 10:00:00.5+02:00"),
    ("TIMESTAMP WITH TIME ZONE", "2024-01-01T10:00:00Z"),
    ("TIME", "23:59:59.999999"),
    ("INTERVAL", "-838:59:59.999999"),
    ("UUID", "123e4567-e89b-12d3-a456-426655440000"),
    ("JSON", '{"a": [1]}'),
    ("ENUM('a', 'b')", "b"),
    ("VARCHAR", "\1\n€"),
]

DOES_NOT_FIT = [
    ("INTEGER", "1.5", "2"),
    ("INTEGER", "1e3", "1000"),
    ("INTEGER", "1_000", "1000"),
    ("INTEGER", "0x10", "16"),
    ("INTEGER", "2147483648", None),
    ("INTEGER", "", None),
    ("UTINYINT", "-1", None),
    ("DECIMAL(5,2)", "1.255", "1.26"),
    ("DECIMAL(5,2)", "1000", None),
    ("DECIMAL(5,2)", ".", None),
    ("DOUBLE", "1e400", "inf"),
    ("FLOAT", "1e40", "inf"),
    ("DOUBLE", "1_0.5", "10.5"),
    ("DOUBLE", "abc", None),
    ("BOOLEAN", "2", None),
    ("DATE", "2024-01-01 10:00:00", "2024-01-01"),
    ("DATE", "epoch", "1970-01-01"),
    ("DATE", "2024-02-30", None),
    ("DATE", "01/02/2024", None),
    ("TIMESTAMP", "2024-01-01 10:00:00+02", "2024-01-01 10:00:00"),
    ("TIMESTAMP", "2024-01-01 10:00:00.1234567", "2024-01-01 10:00:00.123456"),
    ("TIMESTAMP_S", "2024-01-01 10:00:00.5", "2024-01-01 10:00:01"),
    ("TIME", "10:00:00.1234567", "10:00:00.123456"),
    ("INTERVAL", "soon", None),
    ("ENUM('a', 'b')", "c", None),
    ("JSON", "{", None),
]


def ask(sql: str) -> object:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        [(answer,)] = con.execute(sql).fetchall()
    return answer


@pytest.mark.parametrize(("type_", "text"), FITS)
def test_text_that_is_a_value_of_the_type(type_, text):
    exact = or_error("t", type_, text_fits("t", type_), "column a")
    literal = text_literal(text)
    same = f"({exact}) IS NOT DISTINCT FROM {literal}::{type_}"
    assert ask(f"SELECT {same} FROM (SELECT {literal} AS t)") is True


@pytest.mark.parametrize(("type_", "text", "duckdb_says"), DOES_NOT_FIT)
def test_text_that_would_lose_something(type_, text, duckdb_says):
    literal = text_literal(text)
    assert ask(f"SELECT try_cast({literal} AS {type_})::VARCHAR") == duckdb_says
    exact = or_error("t", type_, text_fits("t", type_), "column a")
    with pytest.raises(duckdb.Error, match=re.escape(f'column a: "{text}" is not exactly a value of type')):
        ask(f"SELECT {exact} FROM (SELECT {literal} AS t)")


@pytest.mark.parametrize(
    ("value", "source", "type_", "fits"),
    [
        ("1.5", "DOUBLE", "INTEGER", False),
        ("2.0", "DOUBLE", "INTEGER", True),
        ("9007199254740993", "BIGINT", "DOUBLE", False),
        ("9223372036854775807", "BIGINT", "DOUBLE", False),
        ("0.1", "DOUBLE", "FLOAT", False),
        ("'nan'", "DOUBLE", "FLOAT", True),
        ("300", "INTEGER", "TINYINT", False),
        ("2", "INTEGER", "BOOLEAN", False),
        ("1.25", "DECIMAL(5,2)", "DECIMAL(5,1)", False),
        ("1.20", "DECIMAL(5,2)", "DECIMAL(5,1)", True),
        ("'2024-01-01 10:00:00'", "TIMESTAMP", "DATE", False),
        ("'2024-01-01'", "DATE", "TIMESTAMP", True),
        ("'2024-01-01 10:00:00.123456789'", "TIMESTAMP_NS", "TIMESTAMP", False),
        ("[1.5]", "DOUBLE[]", "INTEGER[]", False),
        ("{'a': 1}", "STRUCT(a INTEGER)", "STRUCT(a BIGINT)", True),
    ],
)
def test_a_typed_value_fits_if_the_way_there_and_back_changes_nothing(value, source, type_, fits):
    assert ask(f"SELECT {typed_fits('v', source, type_)} FROM (SELECT {value}::{source} AS v)") is fits


@pytest.mark.parametrize(
    ("said", "printed"),
    [("int", "INTEGER"), ("numeric(9,3)", "DECIMAL(9,3)"), ("timestamptz", "TIMESTAMP WITH TIME ZONE")],
)
def test_a_type_may_be_written_in_any_way_that_duckdb_knows(said, printed):
    assert canonical_type(said) == printed


def test_an_unknown_type_is_an_error():
    with pytest.raises(StepError, match='"INTEGR" is no DuckDB type'):
        canonical_type("INTEGR")


def test_text_does_not_become_a_nested_value():
    with pytest.raises(StepError, match="text can't be read as INTEGER\\[\\]"):
        text_fits("t", "INTEGER[]")


def test_a_literal_survives_templates():
    assert ask(f"SELECT {template_literal(chr(39) + '{lines}')}".format(lines="broken")) == "'{lines}"
