"""Deliveries over a real PostgreSQL: what survives, what is refused, what is tried again."""

from __future__ import annotations

import threading

import psycopg2
import pytest
from servers.cutting_proxy import cutting
from servers.postgres import PASSWORD
from targets.delivering import counts, films, quiet

from osiris_sql.types.diagnostic import CancelledError, StepError, UnreachableError

A = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
B = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"))
MODES = [("append", ("id",)), ("upsert", ("id",)), ("replace", ("id",)), ("replace", ()), ("sync", ("id",))]
TABLE = "CREATE TABLE film (id integer PRIMARY KEY, title text)"


def refusal_of(call):
    with pytest.raises(StepError) as caught:
        call()
    [found] = caught.value.diagnostics
    return found


# ------------------------------------------------------------------------------ what create makes


def test_a_made_table_is_closed_to_strangers_and_open_to_the_service(database, rows):
    rows.deliver(database.target(), A, description="Films, it's \\ true")
    [(secured, comment)] = database.sql(
        "SELECT relrowsecurity, obj_description(oid) FROM pg_class WHERE oid = 'film'::regclass"
    )
    assert (secured, comment) == (True, "Films, it's \\ true")
    rights = "has_table_privilege('{}', 'film', '{}')"
    asked = [("service_role", "INSERT"), ("service_role", "DELETE"), ("anon", "SELECT")]
    answers = ", ".join(rights.format(*pair) for pair in asked)
    assert database.sql(f"SELECT {answers}") == [(True, True, False)]
    assert database.target().observe(rows.publication(A)).schema.key == ("id",)
    nullable = "SELECT is_nullable FROM information_schema.columns WHERE table_schema = '{}' ORDER BY 1"
    assert database.sql(nullable.format(database.schema)) == [("NO",), ("YES",)]


def test_the_rest_server_is_told(database, rows):
    listener = psycopg2.connect(database.dsn)
    listener.autocommit = True
    listener.cursor().execute("LISTEN pgrst")
    rows.deliver(database.target(), A)
    listener.poll()
    assert ("pgrst", "reload schema") in {(n.channel, n.payload) for n in listener.notifies}
    listener.close()


def test_the_ledger_is_nobodys_business_but_ours(database, rows):
    rows.deliver(database.target(), A)
    for role in ("anon", "authenticated", "service_role", "writer"):
        assert database.sql(f"SELECT has_schema_privilege('{role}', 'osiris', 'USAGE')") == [(False,)]


# --------------------------------------------------------------------------------- what survives

SURROUNDINGS = """
CREATE TABLE film (id integer PRIMARY KEY, title text, seen timestamptz DEFAULT now(), n serial);
COMMENT ON TABLE film IS 'kept'; COMMENT ON COLUMN film.title IS 'kept too';
CREATE INDEX film_title ON film (title); CREATE VIEW best AS SELECT title FROM film;
ALTER TABLE film ENABLE ROW LEVEL SECURITY; CREATE POLICY readers ON film FOR SELECT TO anon USING (true);
GRANT SELECT ON film TO anon;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen = now(); RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON film FOR EACH ROW EXECUTE FUNCTION touch();
"""
SNAPSHOT = """
SELECT c.oid, c.relfilenode, c.relacl::text, c.relrowsecurity,
  obj_description(c.oid), col_description(c.oid, 2),
  (SELECT array_agg(indexrelid ORDER BY 1) FROM pg_index WHERE indrelid = c.oid),
  (SELECT array_agg(polname ORDER BY 1) FROM pg_policy WHERE polrelid = c.oid),
  (SELECT array_agg(tgname ORDER BY 1) FROM pg_trigger WHERE tgrelid = c.oid),
  (SELECT array_agg(conname ORDER BY 1) FROM pg_constraint WHERE conrelid = c.oid)
FROM pg_class c WHERE c.oid = 'film'::regclass"""


@pytest.mark.parametrize(("mode", "key"), MODES)
def test_everything_around_the_rows_survives(database, rows, mode, key):
    database.sql(SURROUNDINGS)
    rows.deliver(database.target(), A)
    before = database.sql(SNAPSHOT)
    new = films((7, "Ran"), (8, "Ikiru")) if mode == "append" else B
    rows.deliver(database.target(), new, mode=mode, key=key)
    assert database.sql(SNAPSHOT) == before
    assert {row[0] for row in database.sql("SELECT * FROM best")} == {
        row[0] for row in database.sql("SELECT title FROM film")
    }


def test_rows_that_are_equal_are_not_written(database, rows):
    rows.deliver(database.target(), A)
    before = dict(database.sql("SELECT id, ctid::text || xmin::text || xmax::text FROM film"))
    done = rows.deliver(database.target(), films((1, "Alien"), (2, "Heat!"), (3, "Fargo")), mode="sync")
    after = dict(database.sql("SELECT id, ctid::text || xmin::text || xmax::text FROM film"))
    assert counts(done) == (0, 1, 2, 0, 3)
    assert {n for n in before if before[n] != after[n]} == {2}


# ---------------------------------------------------------------- zero rows after success: never


@pytest.mark.parametrize(("mode", "key"), [*MODES, ("append", ())])
@pytest.mark.parametrize("event", ["INSERT", "UPDATE", "DELETE"])
def test_a_trigger_that_swallows_rows_is_found_out(database, rows, mode, key, event):
    database.sql(TABLE if key else "CREATE TABLE film (id integer, title text)")
    rows.deliver(database.target(), A, key=key)
    before = database.sql("SELECT * FROM film ORDER BY 1")
    database.sql(
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        f"CREATE TRIGGER swallow BEFORE {event} ON film FOR EACH ROW EXECUTE FUNCTION swallow()"
    )
    writes = {"append": ("INSERT",), "upsert": ("INSERT", "UPDATE")}.get(mode, ("INSERT", "DELETE"))
    touched = event in writes or (event == "UPDATE" and key and mode != "append")
    more = {"mode": mode, "key": key, "append_all": not key}
    if not touched:
        assert rows.deliver(database.target(), B, **more).sent == 3
        return
    found = refusal_of(lambda: rows.deliver(database.target(), B, **more))
    assert found.rule == "rows-not-written"
    assert "swallow" in found.why
    assert database.sql("SELECT * FROM film ORDER BY 1") == before
    assert database.target().observe(rows.publication(A)).notes == ("row triggers: swallow",)


# ------------------------------------------------------------------------------------ constraints

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
    if rule == "value-does-not-fit":
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


# --------------------------------------------------------------------------- the table's own shape

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
    assert target.observe(rows.publication(sql.replace("#", "3"))).notes == (
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


# ------------------------------------------------------------------------------ faults and retries

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}'"


@pytest.mark.parametrize("moment", ["sending", "applying", "reading back"])
@pytest.mark.parametrize(("mode", "key"), MODES)
def test_a_killed_backend_is_tried_again_and_writes_once(database, rows, mode, key, moment):
    rows.deliver(database.target(), films((1, "Alien"), (2, "Heat")), key=key)
    target = database.target(application_name=f"victim {database.schema}")
    publication = rows.publication(B, mode=mode, key=key)
    load, said = rows.load(target, publication, B), []

    def progress(count: int, message: str) -> None:
        if message.startswith(moment) and moment not in said:
            said.append(moment)
            database.sql(KILL.format(f"victim {database.schema}"))
        said.append(message)

    done = target.publish(publication, load, progress)
    assert (done.sent, done.already_published) == (3, False)
    assert len([m for m in said if "trying again" in m]) == (0 if moment == "reading back" else 1)
    assert database.sql(
        f"SELECT count(*) FROM osiris.publications WHERE target LIKE '%{database.schema}%'"
    ) == [(2,)]
    assert (4, "Brazil") in database.sql("SELECT id, title FROM film")


@pytest.mark.parametrize(("word", "tries"), [(b"COMMIT\0", 1), (b"ANALYZE", 1), (b'INSERT INTO "', 1)])
def test_a_line_cut_before_the_answer_leaves_the_rows_once(database, postgres, rows, word, tries):
    settings = {"mode": "append", "key": (), "append_all": True}
    rows.deliver(database.target(), A, "first", **settings)
    with cutting(postgres.port, word) as proxy:
        target = database.target(postgres.dsn("app", port=proxy.port) + "?sslmode=disable")
        publication, said = rows.publication(B, **settings), []
        load = rows.load(target, publication, B, "second")
        done = target.publish(publication, load, lambda count, message: said.append(message))
        assert proxy.cuts == 2
    assert len([m for m in said if "trying again" in m]) == tries
    assert (done.inserted, done.total_after, done.already_published) == (3, 6, False)
    assert database.sql("SELECT count(*) FROM film") == [(6,)]


def test_a_table_locked_by_somebody_is_waited_for_and_tried_again(database, rows):
    rows.deliver(database.target(), A)
    other = psycopg2.connect(database.dsn)
    other.cursor().execute(f"LOCK TABLE {database.schema}.film IN ROW EXCLUSIVE MODE")
    target, publication = database.target(lock_timeout=1), rows.publication(B, mode="sync")

    def progress(count: int, message: str) -> None:
        if "trying again" in message:
            other.rollback()

    done = target.publish(publication, rows.load(target, publication, B), progress)
    other.close()
    assert counts(done) == (1, 1, 1, 1, 3)


def test_two_publishers_at_once_on_a_fresh_database(postgres, rows):
    from targets.supabase_table import Database

    fresh = Database(postgres.create_database("fresh"), "own")
    targets = [fresh.target() for _ in range(4)]
    loads = []
    for number, target in enumerate(targets):
        sql = films(*((n, f"{number}") for n in range(50)))
        publication = rows.publication(sql, mode="sync")
        loads.append((target, publication, rows.load(target, publication, sql, f"load {number}")))
    done, failed = [], []

    def run(target, publication, load) -> None:
        try:
            done.append(target.publish(publication, load, quiet))
        except Exception as error:  # noqa: BLE001 (a thread's error is shown by the assertion)
            failed.append(error)

    threads = [threading.Thread(target=run, args=load) for load in loads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(d.inserted for d in done) == [0, 0, 0, 50]
    assert len(fresh.sql("SELECT DISTINCT title FROM film")) == 1
    assert fresh.sql("SELECT count(*) FROM osiris.publications") == [(4,)]


def test_interrupt_leaves_the_table_as_it_was(database, rows):
    rows.deliver(database.target(), A)
    target, publication = database.target(), rows.publication(B, mode="sync")
    load = rows.load(target, publication, B)
    with pytest.raises(CancelledError):
        target.publish(publication, load, lambda count, message: target.interrupt())
    assert database.sql("SELECT id FROM film ORDER BY 1") == [(1,), (2,), (3,)]


def test_a_setting_of_one_delivery_does_not_leak_through_the_pooler(pooler, app_dsn, database, rows):
    target = database.target(pooler.dsn("app"))
    rows.deliver(target, A)
    connection = psycopg2.connect(pooler.dsn("app"))
    cursor = connection.cursor()
    cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
    assert cursor.fetchone() == ("2min", "0")
    cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
    assert cursor.fetchone() == (0,)
    connection.close()


REFUSED = [
    ("postgresql://postgres:{p}@127.0.0.1:{port}/nope", "unknown-database"),
    ("postgresql://postgres:wrong-Pass1@127.0.0.1:{port}/app", "login-refused"),
    ("postgresql://postgres:{p}@127.0.0.1:1/app", "unreachable"),
    ("postgresql://postgres:{p}@127.0.0.1:{port}/app?sslmode=require", "no-tls"),
]


@pytest.mark.parametrize(("dsn", "rule"), REFUSED)
def test_a_server_that_does_not_answer_is_named_without_its_secrets(database, postgres, rows, dsn, rule):
    target = database.target(dsn.format(p=PASSWORD, port=postgres.port))
    for call in (target.probe, lambda: target.observe(rows.publication(A))):
        with pytest.raises(UnreachableError) as caught:
            call()
        [found] = caught.value.diagnostics
        assert found.rule == rule
        assert "127.0.0.1" in found.message
        assert not any(secret in str(found) for secret in (PASSWORD, "wrong-Pass1"))


def test_startup_options_are_refused_by_the_pooler_in_plain_words(pooler, database):
    target = database.target(pooler.dsn("app") + "?options=-cstatement_timeout%3D0")
    with pytest.raises(UnreachableError) as caught:
        target.probe()
    assert caught.value.diagnostics[0].rule == "options-through-pooler"
