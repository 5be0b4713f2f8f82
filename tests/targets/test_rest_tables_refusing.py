"""What a plain table refuses over REST: the first row is named, and looking for it keeps no row."""

from __future__ import annotations

import itertools

import pytest
from targets.delivering import films, refusal_of
from targets.plain_tables import make_table, running_plain
from targets.test_offending_rows import KEEPING, OLD

_names = itertools.count()
ACT = (
    "CREATE OR REPLACE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS"
    " $$BEGIN IF NEW.title = 'Brazil' THEN RAISE EXCEPTION 'not that one'; END IF; RETURN NEW; END$$;"
)
FOR_EACH = "FOR EACH ROW EXECUTE FUNCTION act()"
REFUSING = [
    ("ALTER TABLE {0} ADD CONSTRAINT tidy CHECK (title <> 'Brazil')", "check-violation"),
    ("ALTER TABLE {0} ALTER title TYPE varchar(5)", "value-does-not-fit"),
    (f"{ACT} CREATE TRIGGER acting BEFORE INSERT ON {{0}} {FOR_EACH}", "raised-in-database"),
    (f"{ACT} CREATE CONSTRAINT TRIGGER acting AFTER INSERT ON {{0}} {FOR_EACH}", "raised-in-database"),
    (
        "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY most ON {0} USING (true) WITH CHECK (title <> 'Brazil')",
        "row-security",
    ),
]


@pytest.fixture(scope="module")
def api(postgres):
    with running_plain(postgres, "plain_refusing") as made:
        postgres.run_sql("ALTER ROLE service_role NOBYPASSRLS")  # as a key of another role would have it
        yield made
        postgres.run_sql("ALTER ROLE service_role BYPASSRLS")


@pytest.fixture
def table(api):
    name = f"film{next(_names)}"
    make_table(*api, name)
    return name


@pytest.mark.parametrize("good", [0, 1, 2, 1500])
@pytest.mark.parametrize("mode", ["upsert", "append"])
@pytest.mark.parametrize(("ddl", "rule"), REFUSING)
def test_the_first_row_that_is_refused_is_named_and_none_of_its_request_is_kept(
    api, table, rows, ddl, rule, mode, good
):
    database, _ = api
    database.sql(ddl.format(table))
    sql = (
        f"SELECT i::INTEGER AS id, 'good' AS title FROM range({good}) AS r(i) UNION ALL"
        " SELECT i::INTEGER, CASE WHEN i % 2 = 0 THEN 'Brazil' ELSE 'fine' END FROM range(5000, 5009) AS r(i)"
    )
    target = database.target(atomic=good < 1000)
    found = refusal_of(lambda: rows.deliver(target, f"{sql} ORDER BY id", mode=mode, table=table))
    assert (found.rule, found.why.partition(";")[0]) == (rule, "the row with id = 5000")
    assert database.sql(f"SELECT count(*) FROM {table}") == [(good // 1000 * 1000,)]
    told = "rows of earlier requests were written" if good > 1000 else "nothing was changed"
    assert found.message.endswith(told)


def test_an_append_looks_among_the_rows_that_are_new(api, table, rows):
    database, _ = api
    rows.deliver(database.target(), OLD, mode="append", table=table)
    database.sql(f"ALTER TABLE {table} ADD CHECK (title <> 'Brazil')")
    new = films((1, "Brazil"), (2, "Heat"), (4, "M"), (5, "Brazil"), (6, "Ran"))
    found = refusal_of(lambda: rows.deliver(database.target(), new, mode="append", table=table))
    assert (found.rule, found.why.partition(";")[0]) == ("check-violation", "the row with id = 5")
    assert database.sql(f"SELECT id FROM {table} ORDER BY 1") == [(1,), (2,), (3,)]


def test_a_row_that_is_not_let_go_is_named(api, table, rows):
    database, _ = api
    target = database.target(atomic=False)
    rows.deliver(target, OLD, mode="upsert", table=table)
    database.sql(KEEPING.format("TRIGGER keeping BEFORE DELETE", table, ""))
    new = films((1, "Alien"), (4, "Brazil"))
    found = refusal_of(lambda: rows.deliver(target, new, mode="sync", table=table, max_deleted=1.0))
    assert (found.rule, found.why.partition(";")[0]) == (
        "raised-in-database",
        "the row to be deleted with id = 3",
    )
    assert found.message.endswith("rows of earlier requests were written")
    assert database.sql(f"SELECT id FROM {table} ORDER BY 1") == [(1,), (2,), (3,), (4,)]


@pytest.mark.parametrize("atomic", [True, False])
def test_a_request_that_is_too_large_is_not_halved_where_it_must_be_one(api, table, rows, atomic):
    database, server = api
    server.knobs.max_body = 20_000
    many = "SELECT i::INTEGER AS id, repeat('x', 50) AS title FROM range(900) AS r(i)"
    try:
        if atomic:
            found = refusal_of(lambda: rows.deliver(database.target(), many, mode="upsert", table=table))
            assert found.rule == "not-atomic"
        else:
            assert (
                rows.deliver(database.target(atomic=False), many, mode="upsert", table=table).inserted == 900
            )
    finally:
        server.knobs.max_body = None
    assert database.sql(f"SELECT count(*) FROM {table}") == [(0 if atomic else 900,)]
