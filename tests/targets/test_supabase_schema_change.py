"""A model that has changed: what the plan shows is what the delivery does to the table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from targets.delivering import refusal_of

OLD = "SELECT 1::INTEGER AS id, 'x' AS title, 5::INTEGER AS n"
COLUMNS = """SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'film'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
OF_OLD = [("id", "integer"), ("title", "text"), ("n", "integer")]

CHANGES = [
    ("SELECT 1::INTEGER AS id, 'x' AS title, 5::INTEGER AS n, true AS new", "add", [("new", "boolean")]),
    ("SELECT 1::INTEGER AS id, 'x' AS title", "add", []),
    ("SELECT 1::INTEGER AS id, 'x' AS title, 5::BIGINT AS n", "add", []),
]


@pytest.mark.parametrize(("new", "change", "more"), CHANGES)
def test_a_new_column_is_added_and_nothing_else_by_itself(database, rows, new, change, more):
    rows.deliver(database.target(), OLD)
    found = database.target().observe(rows.publication(new, on_schema_change=change))
    assert len(found.ddl) == (len(more) + 1 if more else 0)  # the REST server is told
    assert found.diagnostics == ()
    assert bool(more) or "on_schema_change: sync" in found.notes[1] or "left alone: n" in found.notes[1]
    rows.deliver(database.target(), new, on_schema_change=change, mode="upsert")
    assert database.sql(COLUMNS) == [*OF_OLD, *more]


NEW = "SELECT 1::INTEGER AS id, 7::BIGINT AS n, 2.5::DECIMAL(6,2) AS price"


@pytest.mark.parametrize(
    ("change", "columns", "statements"),
    [
        ("sync", [("id", "integer"), ("n", "bigint"), ("price", "numeric(6,2)")], 4),
        ("rebuild", [("id", "integer"), ("n", "bigint"), ("price", "numeric(6,2)")], 6),
    ],
)
def test_types_and_columns_that_are_gone_on_request(database, rows, change, columns, statements):
    rows.deliver(database.target(), OLD)
    found = database.target().observe(rows.publication(NEW, on_schema_change=change))
    assert len(found.ddl) == statements
    done = rows.deliver(database.target(), NEW, on_schema_change=change, mode="replace")
    assert done.total_after == 1
    assert database.sql(COLUMNS) == columns
    assert database.sql(
        "SELECT has_table_privilege('service_role', 'film', 'INSERT'), relrowsecurity"
        " FROM pg_class WHERE oid = 'film'::regclass"
    ) == [(True, True)]
    assert database.target().observe(rows.publication(NEW, on_schema_change=change)).ddl == ()


def test_a_rebuild_that_would_lose_rows_is_refused(database, rows):
    rows.deliver(database.target(), OLD)
    found = refusal_of(
        lambda: rows.deliver(database.target(), NEW, on_schema_change="rebuild", mode="upsert")
    )
    assert found.rule == "rebuild-loses-rows"
    assert database.sql(COLUMNS) == OF_OLD


def test_a_change_whose_delivery_fails_leaves_the_table_as_it_was(database, rows):
    rows.deliver(database.target(), OLD)
    database.sql("ALTER TABLE film ADD CHECK (n < 6)")
    changed = "SELECT 1::INTEGER AS id, 'x' AS title, 9::INTEGER AS n, true AS new"
    assert refusal_of(lambda: rows.deliver(database.target(), changed)).rule == "check-violation"
    assert database.sql(COLUMNS) == OF_OLD


def test_a_table_that_somebody_else_made_is_not_altered(database, rows):
    database.sql("CREATE TABLE film (id integer PRIMARY KEY, title text)")
    publication = rows.publication(OLD, create=False, on_schema_change="sync")
    found = database.target().observe(publication)
    assert (found.ddl, [d.rule for d in found.diagnostics]) == ((), ["unknown-column"])


def test_a_table_to_be_made_is_shown_and_made_so(database, rows):
    said = {"description": "Films"}
    shown = database.target().observe(rows.publication(OLD, **said)).ddl
    table = f'"{database.schema}"."film"'
    assert shown == (
        f'CREATE TABLE {table} (\n  "id" integer NOT NULL,\n  "title" text,\n  "n" integer\n)',
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"COMMENT ON TABLE {table} IS E'Films'",
        f'ALTER TABLE {table} ADD PRIMARY KEY ("id")',
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO service_role",
        "NOTIFY pgrst, 'reload schema'",
    )
    rows.deliver(database.target(), OLD, **said)
    assert database.target().observe(rows.publication(OLD, **said)).ddl == ()


def test_a_new_description_is_shown_and_written(database, rows):
    def described(text: str):
        columns = rows.columns(OLD)
        return {"description": text, "columns": (replace(columns[0], description=f"{text} id"), *columns[1:])}

    rows.deliver(database.target(), OLD, **described("Old"))
    database.sql("REVOKE ALL ON film FROM service_role")
    found = database.target().observe(rows.publication(OLD, **described("New")))
    assert [s.split(" IS ")[-1] for s in found.ddl] == [
        "E'New'",
        "E'New id'",
        "NOTIFY pgrst, 'reload schema'",
    ]
    rows.deliver(database.target(), OLD, **described("New"))
    asked = "SELECT obj_description('film'::regclass), col_description('film'::regclass, 1)"
    assert database.sql(asked) == [("New", "New id")]
    [(granted,)] = database.sql("SELECT has_table_privilege('service_role', 'film', 'SELECT')")
    assert not granted  # what a person took back stays so
