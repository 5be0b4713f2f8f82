"""Every DuckDB type in PostgreSQL: through the engine's spool file, COPY and back, on a real server."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from targets.delivering import quiet
from targets.either_channel import channel  # noqa: F401

from osiris_sql.targets.supabase.types import duckdb_type, may_round, postgres_type
from osiris_sql.types.diagnostic import StepError

# DuckDB type, PostgreSQL type, and DuckDB literals with the text that PostgreSQL prints of them.
TABLE = [
    ("BOOLEAN", "boolean", {"true": "true", "false": "false"}),
    ("TINYINT", "smallint", {"-128": "-128", "127": "127"}),
    ("UTINYINT", "smallint", {"255": "255"}),
    ("SMALLINT", "smallint", {"-32768": "-32768"}),
    ("USMALLINT", "integer", {"65535": "65535"}),
    ("INTEGER", "integer", {"-2147483648": "-2147483648"}),
    ("UINTEGER", "bigint", {"4294967295": "4294967295"}),
    ("BIGINT", "bigint", {"-9223372036854775808": "-9223372036854775808"}),
    ("UBIGINT", "numeric(20,0)", {"18446744073709551615": "18446744073709551615"}),
    ("HUGEINT", "numeric(39,0)", {f"'{-(2**127)}'": str(-(2**127)), f"'{2**127 - 1}'": str(2**127 - 1)}),
    ("UHUGEINT", "numeric(39,0)", {f"'{2**128 - 1}'": str(2**128 - 1)}),
    ("BIGNUM", "numeric", {f"'{10**60}'": str(10**60), f"'{-(10**60)}'": str(-(10**60))}),
    ("DECIMAL(12,2)", "numeric(12,2)", {"'-9999999999.99'": "-9999999999.99", "'1.5'": "1.50"}),
    ("DECIMAL(38,38)", "numeric(38,38)", {"'0." + "9" * 38 + "'": "0." + "9" * 38}),
    ("DECIMAL(38,0)", "numeric(38,0)", {"'" + "9" * 38 + "'": "9" * 38}),
    (
        "FLOAT",
        "real",
        {"0.1": "0.1", "'nan'": "NaN", "'-inf'": "-Infinity", "3.4e38": "3.4e+38"},
    ),
    (
        "DOUBLE",
        "double precision",
        {"0.1": "0.1", "'nan'": "NaN", "'inf'": "Infinity", "5e-324": "5e-324", "'-0.0'": "-0"}
        | {"1.7976931348623157e308": "1.7976931348623157e+308"},
    ),
    ("UUID", "uuid", {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}),
    ("BIT", "bit varying", {"'0101'": "0101"}),
    ("BLOB", "bytea", {r"'\x00\xFF\x5C'": r"\x00ff5c", "''": r"\x"}),
    ("VARCHAR", "text", {r"'\N'": r"\N", r"'\.'": r"\.", "''": "", "'😀'": "😀", "'null'": "null"}),
    ("ENUM('a', 'b c')", "text", {"'b c'": "b c"}),
    (
        "DATE",
        "date",
        {"'0044-03-15 (BC)'": "0044-03-15 BC", "'infinity'": "infinity"},
    ),
    ("TIME", "time without time zone", {"'23:59:59.999999'": "23:59:59.999999", "'24:00:00'": "24:00:00"}),
    ("TIME_NS", "time without time zone", {"'23:59:59.999999'": "23:59:59.999999"}),
    ("TIME WITH TIME ZONE", "time with time zone", {"'10:00:00+05:30'": "10:00:00+05:30"}),
    (
        "TIMESTAMP",
        "timestamp without time zone",
        {
            "'2024-12-31 23:59:59.999999'": "2024-12-31 23:59:59.999999",
            "'-infinity'": "-infinity",
            "'0044-03-15 (BC) 01:02:03'": "0044-03-15 01:02:03 BC",
            "'290000-01-01'": "290000-01-01 00:00:00",
        },
    ),
    ("TIMESTAMP_S", "timestamp without time zone", {"'2024-01-01 01:02:03'": "2024-01-01 01:02:03"}),
    ("TIMESTAMP_MS", "timestamp without time zone", {"'2024-01-01 01:02:03.004'": "2024-01-01 01:02:03.004"}),
    (
        "TIMESTAMP_NS",
        "timestamp without time zone",
        {"'2024-12-31 23:59:59.999999'": "2024-12-31 23:59:59.999999", "'2024-01-01'": "2024-01-01 00:00:00"},
    ),
    (
        "TIMESTAMP WITH TIME ZONE",
        "timestamp with time zone",
        {"'1883-11-18 12:03:57+00'": "1883-11-18 12:03:57+00", "'infinity'": "infinity"},
    ),
    ("INTERVAL", "interval", {"'1 year -3 days 04:05:06.000007'": "1 year -3 days +04:05:06.000007"}),
    ("JSON", "jsonb", {"""'{"b": [1.50, null]}'""": '{"b": [1.50, null]}', "'null'": "null"}),
    ("INTEGER[]", "jsonb", {"[1, NULL]": "[1, null]", "[]": "[]"}),
    ("INTEGER[2]", "jsonb", {"[1, 2]": "[1, 2]"}),
    ("STRUCT(a INTEGER, b VARCHAR)", "jsonb", {"{'a': 1, 'b': 'x\"y'}": '{"a": 1, "b": "x\\"y"}'}),
    ("STRUCT(f FLOAT, d DECIMAL(4,4))", "jsonb", {"{'f': 0.1, 'd': 0.25}": '{"d": 0.25, "f": 0.1}'}),
    ("DECIMAL(9,3)[]", "jsonb", {"[1.5]": "[1.5]"}),
    ("STRUCT(h HUGEINT)", "jsonb", {f"{{'h': '{2**127 - 1}'}}": f'{{"h": {2**127 - 1}}}'}),
    ("MAP(VARCHAR, INTEGER)", "jsonb", {"MAP {'k': 1}": '{"k": 1}'}),
    ("UNION(a INTEGER, b VARCHAR)", "jsonb", {"union_value(b := 'x')": '{"b": "x"}'}),
    ("VARIANT", "jsonb", {"1": "1"}),
]


@pytest.mark.parametrize(("duck", "wanted", "values"), TABLE, ids=[row[0] for row in TABLE])
def test_a_type_arrives_exactly(database, rows, duck, wanted, values):
    selects = [f"SELECT {n} AS id, CAST({literal} AS {duck}) AS x" for n, literal in enumerate(values)]
    sql = " UNION ALL ".join([*selects, f"SELECT 99, CAST(NULL AS {duck})"])
    rows.deliver(database.target(), sql)
    [(made,)] = database.sql(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'film'::regclass AND attname = 'x'"
    )
    assert made == wanted
    found = [row[0] for row in database.sql("SET timezone = 'UTC'; SELECT x::text FROM film ORDER BY id")]
    assert found == [*values.values(), None]
    again = rows.deliver(database.target(), sql, "again", mode="sync")
    assert (again.unchanged, again.updated) == (len(values) + 1, 0)


@pytest.mark.parametrize(
    "value",
    [
        "TIMESTAMP_NS '2024-12-31 23:59:59.999999999'",
        "TIMESTAMP_NS '2024-01-01 00:00:00.00000001'",
        "TIME_NS '23:59:59.999999999'",
    ],
)
def test_nanoseconds_are_refused_before_anything_is_sent(database, rows, value):
    with pytest.raises(StepError) as raised:
        rows.deliver(database.target(), f"SELECT 1 AS id, {value} AS x")
    assert "has nanoseconds, PostgreSQL keeps microseconds" in raised.value.diagnostics[0].why
    assert database.sql("SELECT to_regclass('film')") == [(None,)]


@pytest.mark.parametrize(("made", "kept"), [("jsonb", '{"a": 2, "b": 1}'), ("json", '{"b":1, "a":1,"a":2}')])
def test_json_arrives_as_the_column_keeps_it_and_the_plan_says_how(database, rows, made, kept):
    database.sql(f"CREATE TABLE film (id integer PRIMARY KEY, x {made}); GRANT ALL ON film TO service_role")
    sql = """SELECT 1 AS id, '{"b":1, "a":1,"a":2}'::JSON AS x"""
    notes = database.target().observe(rows.publication(sql)).notes
    said = "jsonb keeps no order of keys, and the last of those that repeat (json keeps all): x"
    assert (said in notes) is (made == "jsonb")
    rows.deliver(database.target(), sql)
    assert database.sql("SELECT x::text FROM film") == [(kept,)]


@pytest.mark.parametrize("duck", ["TIMESTAMP_NS WITH TIME ZONE", "STRUCT(a DECIMAL(38,38))", "NOVELTY"])
def test_a_type_without_an_exact_form_is_refused_by_name(database, rows, duck):
    from dataclasses import replace

    publication = rows.publication("SELECT 1 AS id, 2 AS x")
    columns = (publication.columns[0], replace(publication.columns[1], type=duck))
    with pytest.raises(StepError) as caught:
        database.target().spool(replace(publication, columns=columns))
    [found] = caught.value.diagnostics
    assert found.rule == "unsupported-type"
    assert duck in found.message


def test_a_field_that_is_named_like_a_type_keeps_its_name():
    made = postgres_type("STRUCT(\"FLOAT\" INTEGER, x ENUM('FLOAT,'), y FLOAT)")
    assert made.projection.startswith("to_json({c}::STRUCT(\"FLOAT\" INTEGER, x ENUM('FLOAT,'), y VARCHAR)")


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
CELL = st.none() | TEXT | st.sampled_from(["", r"\N", r"\.", "NULL", '"', "\r\n", "\n\\.\n", "','"])


@given(st.lists(CELL, min_size=1, max_size=20))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_arrives(database, rows, cells):
    texts = ("NULL" if c is None else "'" + c.replace("'", "''") + "'" for c in cells)
    values = ", ".join(f"({n}, {text}::VARCHAR)" for n, text in enumerate(texts))
    sql = f"SELECT id, title FROM (VALUES {values}) AS t(id, title)"
    target, publication = database.target(), rows.publication(sql, max_deleted=1.0)
    target.publish(publication, rows.load(target, publication, sql, repr(cells)), quiet)
    assert database.sql("SELECT title FROM film ORDER BY id") == [(c,) for c in cells]


# For each type any value, as DuckDB literals; what is read back is compared with DuckDB's own text of it.
WHOLE = {"SMALLINT": 15, "INTEGER": 31, "BIGINT": 63, "HUGEINT": 127}
BY_TYPE = {
    **{name: st.integers(-(2**bits) + (bits == 127), 2**bits - 1).map(str) for name, bits in WHOLE.items()},
    "BOOLEAN": st.booleans().map(str),
    "DOUBLE": st.floats(width=64).map(repr),
    "FLOAT": st.floats(width=32).map(repr),
    "DECIMAL(38,38)": st.integers(-(10**38) + 1, 10**38 - 1).map(
        lambda n: f"{'-' if n < 0 else ''}0.{abs(n):038d}"
    ),
    "DECIMAL(18,3)": st.integers(-(10**18) + 1, 10**18 - 1).map(lambda n: f"{Decimal(n).scaleb(-3):f}"),
    "DATE": st.dates().map(str),
    "TIME": st.times().map(str),
    "TIMESTAMP": st.datetimes().map(str),
    "TIMESTAMP WITH TIME ZONE": st.datetimes().map(lambda moment: f"{moment}+00"),
    "UUID": st.uuids().map(str),
    "VARCHAR": TEXT
    | st.sampled_from(["\x7f", "\x80", "\x81", "\x82", "\x82n", "\x82\x82f", "\x1e\x1f", "\\."]),
    "BLOB": st.binary(max_size=9).map(lambda raw: "".join(f"\\x{byte:02X}" for byte in raw)),
    "INTERVAL": st.tuples(*[st.integers(0, 9999)] * 3).map(
        lambda parts: f"{parts[0]} months {parts[1]} days {parts[2]} microseconds"
    ),
}
# What PostgreSQL prints, as DuckDB reads it back.
READ_BACK = {"BLOB": "unhex(replace({}, '\\x', ''))", "VARCHAR": "{}"}


@given(st.data())
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_value_of_any_type_arrives(database, rows, data):
    import duckdb

    made = [(name, data.draw(st.none() | cells, label=name)) for name, cells in BY_TYPE.items()]
    quoted = ["NULL" if c is None else "'" + c.replace("'", "''") + "'" for _, c in made]
    cells = [
        f"CAST({text} AS {name}) AS c{n}"
        for n, ((name, _), text) in enumerate(zip(made, quoted, strict=True))
    ]
    sql = f"SELECT 1 AS id, {', '.join(cells)}"
    target, publication = database.target(), rows.publication(sql, max_deleted=1.0)
    target.publish(publication, rows.load(target, publication, sql, repr(made)), quiet)
    texts = ", ".join(f"c{n}::text" for n in range(len(made)))
    [found] = database.sql(f"SET timezone = 'UTC'; SELECT {texts} FROM film")
    with duckdb.connect() as check:
        for (name, _), sent, text in zip(made, quoted, found, strict=True):
            back = READ_BACK.get(name, "CAST({} AS " + name + ")").format("$1")
            same = f"SELECT CAST({sent} AS {name}) IS NOT DISTINCT FROM {back}"
            assert check.execute(same, [text]).fetchone() == (True,), (name, sent, text)


@pytest.mark.parametrize("duck", sorted({row[0] for row in TABLE if "(" not in row[0] and "[" not in row[0]}))
def test_a_type_read_back_publishes_into_the_same_column(duck):
    postgres = postgres_type(duck).name
    assert postgres_type(duckdb_type(postgres)).name in (postgres, "text", "numeric")


@pytest.mark.parametrize(
    ("natural", "target", "expected"),
    [
        ("integer", "bigint", False),
        ("bigint", "integer", False),  # COPY says so itself, with the value
        ("numeric(9,3)", "numeric(9,3)", False),
        ("numeric(9,3)", "numeric(6,2)", True),
        ("double precision", "real", True),
        ("text", "date", False),
        ("timestamp without time zone", "date", True),
    ],
)
def test_what_could_be_rounded_is_known(natural, target, expected):
    assert may_round(natural, target) is expected
