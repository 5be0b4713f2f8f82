"""The table's own shape and the rights on it: what is refused, what is delivered around."""

from __future__ import annotations

import pytest
from targets.delivering import counts, films, refusal_of
from targets.either_channel import channel  # noqa: F401

A = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
B = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"))
TABLE = "CREATE TABLE film (id integer PRIMARY KEY, title text)"

PREFLIGHT = [
    ("CREATE TABLE x (id int); CREATE VIEW film AS SELECT id FROM x", {}, "not-a-table"),
    ("CREATE MATERIALIZED VIEW film AS SELECT 1 AS id", {}, "not-a-table"),
    ("CREATE TABLE film (id int, title text)", {}, "no-unique-constraint"),
    ("CREATE TABLE film (id int, title text, UNIQUE (id, title))", {}, "no-unique-constraint"),
    ("CREATE TABLE film (id int UNIQUE DEFERRABLE, title text)", {}, "no-unique-constraint"),
    (
        "CREATE TABLE film (id int, title text); CREATE UNIQUE INDEX ON film (id) WHERE id > 0",
        {},
        "no-unique-constraint",
    ),
    ("CREATE TABLE film (id int PRIMARY KEY, tittle text)", {}, "unknown-column"),
    (f"{TABLE}; ALTER TABLE film ADD extra int NOT NULL", {}, "missing-column"),
    (
        "CREATE TABLE film (id int PRIMARY KEY, title text GENERATED ALWAYS AS IDENTITY)".replace(
            "title text", "title int"
        ),
        {},
        "identity-column",
    ),
    ("CREATE TABLE film (id int GENERATED ALWAYS AS (1) STORED UNIQUE, title text)", {}, "generated-key"),
    (f"{TABLE}; CREATE TABLE seat (film int REFERENCES film)", {"key": ()}, "referenced-table"),
]


@pytest.mark.parametrize(("ddl", "more", "rule"), PREFLIGHT)
def test_a_table_that_can_not_take_the_rows_is_refused_when_observed_and_when_published(
    database, rows, ddl, more, rule
):
    database.sql(ddl)
    publication = rows.publication(A, **more)
    assert [d.rule for d in database.target().observe(publication).diagnostics] == [rule]
    assert refusal_of(lambda: rows.deliver(database.target(), A, **more)).rule == rule


def test_a_misspelt_column_gets_the_nearest_name(database, rows):
    database.sql("CREATE TABLE film (id int PRIMARY KEY, tittle text)")
    [found] = database.target().observe(rows.publication(A)).diagnostics
    assert 'did you mean "tittle"?' in found.fix


def test_sync_deletes_only_the_children_of_what_is_gone(database, rows):
    rows.deliver(database.target(), A)
    database.sql("CREATE TABLE seat (film int REFERENCES film ON DELETE CASCADE)")
    database.sql("INSERT INTO seat VALUES (1), (2), (3)")
    rows.deliver(database.target(), B, mode="replace")
    assert database.sql("SELECT film FROM seat ORDER BY 1") == [(1,), (2,)]


def test_a_partitioned_table_is_counted_too(database, rows):
    database.sql(
        f"{TABLE} PARTITION BY RANGE (id);"
        "CREATE TABLE low PARTITION OF film FOR VALUES FROM (0) TO (3);"
        "CREATE TABLE high PARTITION OF film FOR VALUES FROM (3) TO (9)"
    )
    target = database.target()
    assert target.observe(rows.publication(A)).kind == "partitioned table"
    assert counts(rows.deliver(target, A, mode="upsert")) == (3, 0, 0, 0, 3)
    assert counts(rows.deliver(target, B, mode="sync")) == (1, 1, 1, 1, 3)


def test_json_arrays_generated_and_identity_columns(database, rows):
    database.sql(
        "CREATE TABLE film (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, j json, tags text[], nums int[],"
        " twice int GENERATED ALWAYS AS (id * 2) STORED)"
    )
    sql = """SELECT 5 AS id, '{"b": 1, "b": 2}'::JSON AS j, ['a"b', NULL, '{x}'] AS tags,
             [1, #]::INT[] AS nums, 99 AS twice"""
    target = database.target()
    assert counts(rows.deliver(target, sql.replace("#", "2"), mode="upsert")) == (1, 0, 0, 0, 1)
    assert counts(rows.deliver(target, sql.replace("#", "3"), mode="upsert")) == (0, 1, 0, 0, 1)
    assert counts(rows.deliver(target, sql.replace("#", "3"), "again", mode="sync")) == (0, 0, 1, 0, 1)
    [row] = database.sql("SELECT id, j::text, tags, nums, twice FROM film")
    assert row == (5, '{"b": 1, "b": 2}', ['a"b', None, "{x}"], [1, 3], 10)
    assert target.observe(rows.publication(sql.replace("#", "3"))).notes[1:] == (
        "computed by the table itself, not delivered: twice",
    )


# ------------------------------------------------------------------------------------------- roles


@pytest.fixture
def writer(database, postgres, rows):
    """A role under row-level security that may use the ledger."""
    rows.deliver(database.target(), A, table="other")
    database.sql(
        f"{TABLE}; ALTER TABLE film ENABLE ROW LEVEL SECURITY;"
        f"GRANT USAGE ON SCHEMA {database.schema}, osiris TO writer; GRANT ALL ON film TO writer;"
        "GRANT SELECT, INSERT ON osiris.publications TO writer;"
        "CREATE POLICY own ON film TO writer USING (id < 10) WITH CHECK (id < 10)"
    )
    return database.target(postgres.dsn("app", "writer"))


def test_a_role_under_row_security_may_write_what_its_policy_allows(database, rows, writer):
    assert counts(rows.deliver(writer, A, mode="upsert")) == (3, 0, 0, 0, 3)
    found = refusal_of(lambda: rows.deliver(writer, films((77, "Ran")), mode="upsert"))
    assert found.rule == "row-security"
    assert refusal_of(lambda: rows.deliver(writer, B, mode="sync")).rule == "row-security"
    assert database.sql("SELECT count(*) FROM film") == [(3,)]


def test_a_missing_privilege_comes_with_its_grant(database, rows, writer):
    database.sql("REVOKE UPDATE ON film FROM writer")
    found = refusal_of(lambda: rows.deliver(writer, A, mode="upsert"))
    assert found.rule == "missing-privilege"
    assert found.fix == f'GRANT UPDATE ON "{database.schema}"."film" TO "writer"'
    database.sql("GRANT UPDATE ON film TO writer; REVOKE ALL ON osiris.publications FROM writer")
    found = refusal_of(lambda: rows.deliver(writer, A, mode="upsert"))
    assert "GRANT SELECT, INSERT ON osiris.publications" in found.fix
