"""Values and constraints: what a table refuses is said with the constraint and the first offending row."""

from __future__ import annotations

import pytest
from targets.delivering import films, refusal_of
from targets.either_channel import channel  # noqa: F401

from osiris_sql.types.diagnostic import StepError

A = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
B = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"))

BROKEN = [
    ("title text CHECK (title <> 'Heat')", "check-violation", "Failing row contains (2, Heat)"),
    ("title text UNIQUE", "unique-violation", "Key (title)=(Heat) already exists"),
    ("title text NOT NULL", "null-violation", 'column "title"'),
    (
        "title text REFERENCES names",
        "foreign-key-violation",
        '(Heat) is not present in table "names"',
    ),
    ("title varchar(3)", "value-does-not-fit", "value too long for type character varying(3)"),
    ("title integer", "value-does-not-fit", 'invalid input syntax for type integer: "Heat"'),
]


@pytest.mark.parametrize(("column", "rule", "why"), BROKEN)
def test_a_violation_names_the_constraint_and_the_row(database, rows, column, rule, why):
    database.sql("CREATE TABLE names (name text PRIMARY KEY); INSERT INTO names VALUES ('Up')")
    database.sql(f"CREATE TABLE film (id integer PRIMARY KEY, {column})")
    third = "NULL" if rule == "null-violation" else "'Heat'"
    sql = f"SELECT * FROM (VALUES (1, '77'), (2, {third}), (3, 'Heat')) t(id, title) WHERE id < 3"
    if rule == "unique-violation":
        sql = "SELECT * FROM (VALUES (2, 'Heat'), (3, 'Heat')) t(id, title)"
    elif rule == "foreign-key-violation":
        sql = "SELECT * FROM (VALUES (1, 'Up'), (2, 'Heat')) t(id, title)"
    found = refusal_of(lambda: rows.deliver(database.target(), sql, mode="upsert"))
    assert (found.rule, found.location.line) == (rule, 9)
    assert why in found.why
    assert "nothing was changed" in found.message
    assert database.sql("SELECT count(*) FROM film") == [(0,)]
    assert found.why.startswith(f"the row with id = {3 if rule == 'unique-violation' else 2};")
    if rule == "value-does-not-fit" and not database.url:  # COPY alone says in which column
        assert 'the value "Heat" does not fit the column title' in found.message


ROUNDED = [
    ("numeric(6,2)", "12.345::DECIMAL(9,3)", "12.34::DECIMAL(9,3)"),
    ("real", "0.1::DOUBLE", "0.5::DOUBLE"),
    ("double precision", "9007199254740993::BIGINT", "9007199254740992::BIGINT"),
    ("date", "TIMESTAMP '2024-05-06 07:08:09'", "TIMESTAMP '2024-05-06'"),
    ("timestamp(0)", "TIMESTAMP '2024-05-06 07:08:09.5'", "TIMESTAMP '2024-05-06 07:08:09'"),
]


@pytest.mark.parametrize(("column", "wrong", "right"), ROUNDED)
def test_a_value_that_would_be_rounded_is_refused(database, rows, column, wrong, right):
    database.sql(f"CREATE TABLE film (id integer PRIMARY KEY, x {column})")
    found = refusal_of(lambda: rows.deliver(database.target(), f"SELECT 1 AS id, {wrong} AS x"))
    assert (found.rule, "exactly" in found.message) == ("value-does-not-fit", True)
    assert rows.deliver(database.target(), f"SELECT 1 AS id, {right} AS x").inserted == 1


def test_nul_characters_are_counted_by_column_and_nothing_is_sent(database, rows):
    sql = "SELECT 1 AS id, 'a' || chr(0) AS title, 'x' AS y UNION ALL SELECT 2, chr(0) || '\"', chr(0)"
    with pytest.raises(StepError) as caught:
        rows.deliver(database.target(), sql)
    texts = [(d.rule, d.message.split(": ")[1]) for d in caught.value.diagnostics]
    assert texts == [
        ("nul-character", "2 values of title hold a NUL character; nothing was sent"),
        ("nul-character", "1 values of y hold a NUL character; nothing was sent"),
    ]
    assert database.sql("SELECT to_regclass('film')") == [(None,)]


@pytest.mark.parametrize("kind", ["empty", "staged"])
def test_the_offending_row_is_found_after_values_of_many_lines(database, rows, kind):
    database.sql("CREATE TABLE film (note text, id integer PRIMARY KEY, x varchar(3))")
    if kind == "staged":
        database.sql("INSERT INTO film VALUES ('', 99, '')")
    sql = """SELECT * FROM (VALUES (E'a\nb\r\nc\rd', 1, 'x'), (E'"\n"', 2, 'x'), ('', 7, 'toolong'))
             t(note, id, x)"""
    found = refusal_of(lambda: rows.deliver(database.target(), sql, mode="upsert"))
    assert found.rule == "value-does-not-fit"
    assert "the row with id = 7" in found.why
