"""Any value of a type arrives exactly: what PostgreSQL prints of it is the same value, read by DuckDB."""

from __future__ import annotations

import json
from datetime import datetime

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from targets.delivering import quiet
from targets.either_channel import channel  # noqa: F401

SPAN = datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9999-12-30")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def decimals(width: int, scale: int) -> st.SearchStrategy[str]:
    digits = st.integers(-(10**width) + 1, 10**width - 1)
    return digits.map(lambda n: f"{'-' if n < 0 else ''}{abs(n) // 10**scale}.{abs(n) % 10**scale:0{scale}d}")


def instants(zone: str = "") -> st.SearchStrategy[str]:
    moments = st.datetimes(*SPAN).map(lambda t: t.isoformat(sep=" ") + zone)
    return moments | st.sampled_from(["infinity", "-infinity"])


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# Literals of a type, and how PostgreSQL is asked for a text that DuckDB reads as this type.
VALUES = {
    "DECIMAL(38,38)": (decimals(38, 38), "x::text"),
    "DECIMAL(38,0)": (st.integers(-(10**38) + 1, 10**38 - 1).map(str), "x::text"),
    "DECIMAL(18,3)": (decimals(18, 3), "x::text"),
    "HUGEINT": (st.integers(-(2**127), 2**127 - 1).map(str), "x::text"),
    "UBIGINT": (st.integers(0, 2**64 - 1).map(str), "x::text"),
    "DOUBLE": (st.floats().map(repr), "x::text"),
    "FLOAT": (st.floats(width=32).map(repr), "x::text"),
    "DATE": (st.dates().map(str), "x::text"),
    "TIME": (st.times().map(str), "x::text"),
    "TIMESTAMP": (instants(), "x::text"),
    "TIMESTAMP WITH TIME ZONE": (instants("+00") | instants("-11:30"), "x::text"),
    "UUID": (st.uuids().map(str), "x::text"),
    "BLOB": (st.binary(max_size=9).map(lambda b: "".join(f"\\x{n:02X}" for n in b)), "x"),
    "VARCHAR[]": (st.lists(TEXT | st.none(), max_size=4), "x::text"),
    "STRUCT(a VARCHAR, b BIGINT)": (st.tuples(TEXT, st.integers(-(2**63), 2**63 - 1)), "x::text"),
}


def literal(value: object) -> str:
    """Return a value of a strategy above as DuckDB's SQL."""
    match value:
        case None:
            return "NULL"
        case list():
            return "[" + ", ".join(map(literal, value)) + "]"
        case (str(a), int(b)):
            return f"{{'a': {quoted(a)}, 'b': {b}::HUGEINT}}"
        case _:
            return quoted(str(value))


@pytest.mark.parametrize("duck", VALUES)
@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
def test_any_value_of_a_type_arrives(database, rows, duck, data):
    strategy, asked = VALUES[duck]
    values = [*data.draw(st.lists(strategy, min_size=20, max_size=60)), None]
    selects = [f"SELECT {n} AS id, CAST({literal(v)} AS {duck}) AS x" for n, v in enumerate(values)]
    sql, target = " UNION ALL ".join(selects), database.target()
    publication = rows.publication(sql, max_deleted=1.0)
    target.publish(publication, rows.load(target, publication, sql, repr(values)), quiet)
    found = database.sql(f"SET timezone = 'UTC'; SELECT id, {asked} FROM film ORDER BY id")
    assert len(found) == len(values)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for (number, back), value in zip(found, values, strict=True):
            assert (number, back is None) == (values.index(value) if value is None else number, value is None)
            if value is not None:
                [(same,)] = connection.execute(
                    f"SELECT CAST(? AS {duck}) IS NOT DISTINCT FROM CAST({literal(value)} AS {duck})",
                    [arrived(duck, back)],
                ).fetchall()
                assert same, (value, back)


def arrived(duck: str, back: object) -> object:
    """Return what was read of PostgreSQL as DuckDB reads it."""
    if duck == "BLOB":
        return bytes(back)  # type: ignore[call-overload]
    str(back)
    return json.loads(str(back)) if duck.startswith(("VARCHAR[", "STRUCT")) else str(back)
