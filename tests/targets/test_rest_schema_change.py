"""A model that has changed, over REST: the functions alter the table in the delivery's own transaction."""

from __future__ import annotations

import pytest
from targets.delivering import counts, refusal_of

OLD = "SELECT 1::INTEGER AS id, 'x' AS title, 5::INTEGER AS n"
COLUMNS = """SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'film'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
OF_OLD = [("id", "integer"), ("title", "text"), ("n", "integer")]
NEW = "SELECT 1::INTEGER AS id, 7::BIGINT AS n, 2.5::DECIMAL(6,2) AS price"


@pytest.fixture
def channel(rest_server):
    yield "rest"
    rest_server.faults.clear()


@pytest.mark.parametrize(
    ("new", "more"),
    [(f"{OLD}, true AS new", [("new", "boolean")]), ("SELECT 1::INTEGER AS id, 'x' AS title", [])],
)
def test_a_new_column_is_added_and_nothing_else_by_itself(database, rows, new, more):
    rows.deliver(database.target(), OLD)
    found = database.target().observe(rows.publication(new))
    assert any("ADD COLUMN" in statement for statement in found.ddl) == bool(more)
    assert found.diagnostics == ()
    assert counts(rows.deliver(database.target(), new, mode="upsert"))[-1] == 1
    assert database.sql(COLUMNS) == [*OF_OLD, *more]


@pytest.mark.parametrize("change", ["sync", "rebuild"])
def test_types_and_columns_that_are_gone_on_request(database, rows, change):
    rows.deliver(database.target(), OLD)
    rows.deliver(database.target(), NEW, on_schema_change=change, mode="replace")
    assert sorted(database.sql(COLUMNS)) == [("id", "integer"), ("n", "bigint"), ("price", "numeric(6,2)")]
    assert database.sql("SELECT n, price::text FROM film") == [(7, "2.50")]
    assert database.sql(
        "SELECT has_table_privilege('service_role', 'film', 'INSERT'), relrowsecurity"
        " FROM pg_class WHERE oid = 'film'::regclass"
    ) == [(True, True)]
    assert database.target().observe(rows.publication(NEW, on_schema_change=change)).ddl == ()


def test_the_same_rows_with_another_shape_are_delivered_again(database, rows):
    rows.deliver(database.target(), OLD, "same")
    done = rows.deliver(database.target(), f"{OLD}, true AS new", "same")
    assert (done.already_published, database.sql("SELECT new FROM film")) == (False, [(True,)])
    assert rows.deliver(database.target(), f"{OLD}, true AS new", "same").already_published


def test_a_table_that_somebody_else_made_is_never_altered(database, rows):
    database.sql("CREATE TABLE film (id integer PRIMARY KEY, title text, n integer)")
    found = refusal_of(lambda: rows.deliver(database.target(), f"{OLD}, true AS new"))
    assert found.rule == "unknown-column"
    assert database.sql(COLUMNS) == OF_OLD


def test_a_failed_delivery_leaves_the_old_shape(database, rows):
    rows.deliver(database.target(), OLD)
    database.sql("ALTER TABLE film ADD CHECK (n < 6)")
    new = "SELECT 1::INTEGER AS id, 'x' AS title, 9::INTEGER AS n, true AS new"
    assert refusal_of(lambda: rows.deliver(database.target(), new)).rule == "check-violation"
    assert database.sql(COLUMNS) == OF_OLD


@pytest.mark.parametrize("what", ["drop before", "drop after"])
def test_an_altering_delivery_whose_answer_is_lost_is_counted_once(database, rest_server, rows, what):
    rows.deliver(database.target(), OLD)
    rest_server.faults.add(what, path="osiris_apply")
    done = rows.deliver(database.target(), f"{OLD}, true AS new", mode="sync")
    assert (done.updated, database.sql(COLUMNS)) == (1, [*OF_OLD, ("new", "boolean")])
