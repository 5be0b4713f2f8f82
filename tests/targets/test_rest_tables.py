"""REST without osiris-sql's functions: what is safe is done, the rest is refused with its cure."""

from __future__ import annotations

import itertools

import pytest
from targets.delivering import counts, films, refusal_of
from targets.plain_tables import TABLE, make_table, running_plain
from targets.supabase_table import Database

from osiris_sql.types.diagnostic import StepError, UnreachableError

A = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
B = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"))
_names = itertools.count()


class Plain:
    """Tables of `public` behind an API without functions; each test has one of its own."""

    def __init__(self, database: Database, server, table: str) -> None:
        self.database, self.server, self.table = database, server, table

    def make(self, ddl: str = TABLE) -> None:
        make_table(self.database, self.server, self.table, ddl)

    def target(self, **options):
        return self.database.target(**options)

    def rows(self) -> list[tuple]:
        return self.database.sql(f"SELECT id, title FROM {self.table} ORDER BY 1")


@pytest.fixture(scope="module")
def api(postgres):
    with running_plain(postgres, "plain") as (database, server):
        database.sql("CREATE SCHEMA hidden")
        yield database, server


@pytest.fixture
def plain(api):
    database, server = api
    server.faults.clear()
    return Plain(database, server, f"film{next(_names)}")


def deliver(plain, rows, sql, *, options=(), **more):
    return rows.deliver(plain.target(**dict(options)), sql, table=plain.table, **more)


def test_one_request_is_atomic_and_counted(plain, rows):
    plain.make()
    assert counts(deliver(plain, rows, A, mode="upsert")) == (3, 0, 0, 0, 3)
    assert counts(deliver(plain, rows, B, mode="upsert")) == (1, 2, 0, 0, 4)
    assert counts(deliver(plain, rows, films((4, "no"), (5, "Ran")), mode="append")) == (1, 0, 1, 0, 5)
    assert plain.rows() == [(1, "Alien"), (2, "Heat!"), (3, "Fargo"), (4, "Brazil"), (5, "Ran")]


@pytest.mark.parametrize("mode", ["sync", "replace"])
def test_sync_in_several_requests_where_that_is_accepted(plain, rows, mode):
    plain.make()
    options = {"atomic": False}
    assert counts(deliver(plain, rows, A, mode=mode, options=options)) == (3, 0, 0, 0, 3)
    assert counts(deliver(plain, rows, B, mode=mode, options=options)) == (1, 2, 0, 1, 3)
    assert plain.rows() == [(1, "Alien"), (2, "Heat!"), (4, "Brazil")]


def test_more_rows_than_a_page_and_a_composite_key(plain, rows):
    plain.make(
        "CREATE TABLE {0} (a int, b text, n int, PRIMARY KEY (a, b)); GRANT ALL ON {0} TO service_role"
    )
    many = "SELECT (i // 7)::INTEGER AS a, 'x\",(' || i AS b, i::INTEGER AS n FROM range({}) AS r(i)"
    options = {"atomic": False}
    more = {"mode": "sync", "key": ("a", "b"), "options": options}
    assert counts(deliver(plain, rows, many.format(2500), **more)) == (2500, 0, 0, 0, 2500)
    assert counts(deliver(plain, rows, many.format(1400), **more)) == (0, 1400, 0, 1100, 1400)


REFUSED = [
    ({"mode": "replace", "key": ()}, {}, "needs-functions"),
    ({"mode": "append", "key": (), "append_all": True}, {}, "needs-functions"),
    ({"mode": "sync"}, {}, "not-atomic"),
]


@pytest.mark.parametrize(("more", "options", "rule"), REFUSED)
def test_what_can_not_be_safe_is_refused_when_observed_and_when_published(plain, rows, more, options, rule):
    plain.make()
    publication = rows.publication(A, table=plain.table, **more)
    assert rule in [d.rule for d in plain.target(**options).observe(publication).diagnostics]
    with pytest.raises(StepError) as caught:
        deliver(plain, rows, A, options=options, **more)
    assert "doctor --bootstrap" in caught.value.diagnostics[0].fix
    assert plain.rows() == []


def test_more_than_one_request_is_refused_unless_accepted(plain, rows):
    plain.make()
    many = "SELECT i::INTEGER AS id, 'x' AS title FROM range(1001) AS r(i)"
    assert refusal_of(lambda: deliver(plain, rows, many, mode="upsert")).rule == "not-atomic"
    assert plain.rows() == []
    assert deliver(plain, rows, many, mode="upsert", options={"atomic": False}).inserted == 1001


def test_a_missing_table_prints_the_statements_that_make_it(plain, rows):
    found = refusal_of(lambda: deliver(plain, rows, A, mode="upsert"))
    assert found.rule == "unknown-table"
    plain.make(found.fix.partition("\n")[2])
    assert deliver(plain, rows, A, mode="upsert").inserted == 3
    [(secured,)] = plain.database.sql(f"SELECT relrowsecurity FROM pg_class WHERE relname = '{plain.table}'")
    assert secured


@pytest.mark.parametrize(
    ("ddl", "rule", "words"),
    [
        ("CREATE TABLE {0} (id int PRIMARY KEY, title text)", "missing-privilege", "GRANT SELECT, INSERT"),
        (
            "CREATE TABLE {0} (id int PRIMARY KEY); GRANT ALL ON {0} TO service_role",
            "unknown-column",
            'ADD COLUMN "title" text;',
        ),
    ],
)
def test_a_table_that_does_not_fit(plain, rows, ddl, rule, words):
    plain.make(ddl)
    found = refusal_of(lambda: deliver(plain, rows, A, mode="upsert"))
    assert (found.rule, words in found.fix) == (rule, True)


def test_a_schema_that_is_not_exposed_names_those_that_are(plain, rows):
    found = refusal_of(lambda: deliver(plain, rows, A, mode="upsert", options={"schema": "hidden"}))
    assert found.rule == "unexposed-schema"
    assert "public, graphql_public" in found.why


@pytest.mark.parametrize("mode", ["upsert", "sync", "append"])
def test_a_trigger_that_swallows_rows_is_found_out(plain, rows, mode):
    plain.make()
    plain.database.sql(
        "CREATE OR REPLACE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        f"CREATE TRIGGER swallow BEFORE INSERT ON {plain.table} FOR EACH ROW EXECUTE FUNCTION swallow()"
    )
    found = refusal_of(lambda: deliver(plain, rows, A, mode=mode, options={"atomic": False}))
    assert found.rule == "rows-not-written"


def test_too_many_deletions_are_refused_before_anything_is_written(plain, rows):
    plain.make()
    deliver(plain, rows, A, mode="upsert")
    nearly_all = films((1, "new"), (9, "new"))
    found = refusal_of(
        lambda: deliver(plain, rows, nearly_all, mode="sync", max_deleted=0.1, options={"atomic": False})
    )
    assert found.rule == "too-many-deleted"
    assert plain.rows() == [(1, "Alien"), (2, "Heat"), (3, "Fargo")]


FAULTS = ["drop before", "drop after", "429", "502", "503", "504", "PGRST002", "PGRST003"]


@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_fault_that_passes_is_tried_again(plain, rows, what, method):
    plain.make()
    deliver(plain, rows, A, mode="upsert")
    plain.server.faults.add(what, method=method, path=plain.table)
    done = deliver(plain, rows, B, mode="sync", options={"atomic": False})
    assert (done.total_after, plain.rows()) == (3, [(1, "Alien"), (2, "Heat!"), (4, "Brazil")])


def test_a_wrong_key_is_named_without_being_shown(plain, rows):
    with pytest.raises(UnreachableError) as caught:
        plain.target(secret_key="sb_secret_wrong_7781").observe(rows.publication(A, table=plain.table))
    [found] = caught.value.diagnostics
    assert found.rule == "login-refused"
    assert "7781" not in str(found)


ROUNDED = [
    ("numeric(6,2)", "1.25::DECIMAL(9,3)", "1.255::DECIMAL(9,3)"),
    ("real", "0.5::DOUBLE", "0.123456789012::DOUBLE"),
    ("timestamp(0)", "TIMESTAMP '2026-01-31 12:00:00'", "TIMESTAMP '2026-01-31 12:00:00.6'"),
    ("timestamptz", "TIMESTAMPTZ '2026-01-31 12:00:00.123456+00'", None),
    ("timestamp", "TIMESTAMP '20000-01-31 12:00:00'", None),
    ("double precision", "'NaN'::DOUBLE", None),
    ("double precision", "'-inf'::DOUBLE", None),
    ("numeric", "12345678901234567890.123456789::DECIMAL(38,9)", None),
]


@pytest.mark.parametrize(("type_", "fits", "rounded"), ROUNDED)
def test_a_value_that_the_table_rounds_is_no_success(plain, rows, type_, fits, rounded):
    plain.make(f"CREATE TABLE {{0}} (id int PRIMARY KEY, v {type_}); GRANT ALL ON {{0}} TO service_role")
    assert deliver(plain, rows, f"SELECT 1::INTEGER AS id, {fits} AS v", mode="upsert").total_after == 1
    if rounded:
        found = refusal_of(
            lambda: deliver(plain, rows, f"SELECT 1::INTEGER AS id, {rounded} AS v", mode="upsert")
        )
        assert (found.rule, "v: " in found.message) == ("value-does-not-fit", True)
