"""The DuckDB engine: transactions, tables, increments, fingerprints, spool files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osiris_sql.engines.duckdb.engine import DuckDBEngine
from osiris_sql.engines.duckdb.run_clock import bind_run_clock
from osiris_sql.protocols import ArrowRows, EncodedRows, SpoolSpec
from osiris_sql.types.diagnostic import Location, StepError, UnreachableError
from osiris_sql.types.observed import StepState
from osiris_sql.types.plan import PlannedTest
from osiris_sql.types.relation import Column, RelationRef
from osiris_sql.types.settings import PINNED_SETTINGS

CLOCK = "2026-01-31T12:00:00+00:00"
FILM = RelationRef("main", "film")


@pytest.fixture
def engine(tmp_path: Path):
    opened = DuckDBEngine(tmp_path / "w.duckdb", PINNED_SETTINGS, read_only=False)
    yield opened
    opened.close()


def rows_of(engine: DuckDBEngine, relation: RelationRef) -> list[tuple]:
    with engine.transaction() as transaction:
        return transaction.preview(f"SELECT * FROM {relation.sql}", CLOCK, 1000)[1]


def build(engine: DuckDBEngine, sql: str, relation: RelationRef = FILM) -> None:
    with engine.transaction() as transaction:
        transaction.replace_table(relation, sql, CLOCK)


def quiet(rows: int, size: int) -> None:
    pass


def test_a_block_that_raises_leaves_the_old_rows(engine):
    build(engine, "SELECT 1 AS id")
    with pytest.raises(ValueError, match="stop"), engine.transaction() as transaction:
        transaction.replace_table(FILM, "SELECT 2 AS id, 3 AS more", CLOCK)
        raise ValueError("stop")
    assert rows_of(engine, FILM) == [("1",)]


def test_state_is_written_with_the_table_or_not_at_all(engine):
    state = StepState(step="model:film", fingerprint="f", run_id="r")
    with pytest.raises(StepError), engine.transaction() as transaction:
        transaction.write_state(state)
        transaction.replace_table(FILM, "SELECT 'x'::INTEGER AS id", CLOCK)
    assert engine.read_state() == {}
    with engine.transaction() as transaction:
        transaction.write_state(state)
    assert engine.read_state() == {"model:film": state}


@pytest.mark.parametrize("first", ["view", "table"])
def test_a_view_and_a_table_take_each_others_place(engine, first):
    with engine.transaction() as transaction:
        if first == "view":
            transaction.replace_view(FILM, "SELECT 1 AS id", CLOCK)
            transaction.replace_table(FILM, "SELECT 2 AS id", CLOCK)
            assert transaction.is_table(FILM)
        else:
            transaction.replace_table(FILM, "SELECT 1 AS id", CLOCK)
            transaction.replace_view(FILM, "SELECT 2 AS id", CLOCK)
            assert not transaction.is_table(FILM)
    assert rows_of(engine, FILM) == [("2",)]


@pytest.mark.parametrize(
    ("strategy", "key", "expected"),
    [
        ("append", (), [("1", "a"), ("2", "b"), ("2", "c"), ("3", "d")]),
        ("merge", ("id",), [("1", "a"), ("2", "c"), ("3", "d")]),
        ("delete+insert", ("id",), [("1", "a"), ("2", "c"), ("3", "d")]),
    ],
)
def test_increments(engine, strategy, key, expected):
    build(engine, "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) t(id, name)")
    with engine.transaction() as transaction:
        # Other column order: rows are matched by name.
        added = transaction.insert_query(
            FILM, "SELECT * FROM (VALUES ('c', 2), ('d', 3)) t(name, id)", CLOCK, strategy, key
        )
    assert added == 2
    assert rows_of(engine, FILM) == expected


def test_merge_refuses_a_key_that_occurs_twice(engine):
    build(engine, "SELECT 1 AS id, 'a' AS name")
    with pytest.raises(StepError) as raised, engine.transaction() as transaction:
        transaction.insert_query(
            FILM, "SELECT * FROM (VALUES (2, 'b'), (2, 'c')) t(id, name)", CLOCK, "merge", ("id",)
        )
    assert raised.value.diagnostics[0].rule == "key-not-unique"
    assert rows_of(engine, FILM) == [("1", "a")]


def test_arrow_rows_are_cast_to_the_asked_types(engine):
    table = pa.table({"id": ["1", "2"], "price": ["1.50", None]})
    columns = (Column(name="id", type="BIGINT"), Column(name="price", type="DECIMAL(5,2)"))
    with engine.transaction() as transaction:
        loaded = transaction.load_rows(
            FILM, columns, ArrowRows(batches=table.to_reader()), merge_key=None, progress=quiet
        )
        schema = transaction.schema_of(FILM)
    assert loaded == 2
    assert [(c.name, c.type) for c in schema.columns] == [("id", "BIGINT"), ("price", "DECIMAL(5,2)")]


def test_encoded_rows_are_decoded_by_their_select(engine):
    batches = iter([pa.record_batch({"line": ["1|a", "2|b"]}), pa.record_batch({"line": ["3|c"]})])
    lines = EncodedRows(
        batches=batches,
        schema=pa.schema([("line", pa.string())]),
        select="SELECT p[1]::INTEGER, p[2] FROM (SELECT string_split(line, '|') AS p FROM {rows})",
    )
    seen: list[tuple[int, int]] = []
    with engine.transaction() as transaction:
        columns = (Column(name="id", type="INTEGER"), Column(name="name", type="VARCHAR"))
        transaction.load_rows(
            FILM, columns, lines, merge_key=None, progress=lambda rows, size: seen.append((rows, size))
        )
    assert rows_of(engine, FILM) == [("1", "a"), ("2", "b"), ("3", "c")]
    assert [rows for rows, _ in seen] == [2, 3]
    assert 0 < seen[0][1] < seen[1][1]


def test_a_buffer_that_columns_share_is_counted_once(engine):
    shared = pa.array(["x" * 100_000], pa.string_view())
    columns = tuple(Column(name=name, type="VARCHAR") for name in "abcde")
    batch = pa.record_batch([shared] * 5, names=list("abcde"))
    rows = ArrowRows(batches=pa.RecordBatchReader.from_batches(batch.schema, [batch]))
    seen: list[int] = []
    with engine.transaction() as transaction:
        transaction.load_rows(FILM, columns, rows, merge_key=None, progress=lambda _, size: seen.append(size))
    assert 100_000 <= seen[-1] < 200_000


def test_an_error_of_the_source_surfaces_as_itself_and_nothing_is_kept(engine):
    class LinkCutError(Exception):
        pass

    def broken():
        yield pa.record_batch({"line": ["1"]})
        raise LinkCutError

    columns = (Column(name="id", type="INTEGER"),)
    lines = EncodedRows(
        batches=broken(),
        schema=pa.schema([("line", pa.string())]),
        select="SELECT line::INTEGER FROM {rows}",
    )
    with pytest.raises(LinkCutError), engine.transaction() as transaction:
        transaction.load_rows(FILM, columns, lines, merge_key=None, progress=quiet)
    with engine.transaction() as transaction:
        assert transaction.schema_of(FILM) is None


@given(rows=st.lists(st.tuples(st.integers(0, 3), st.text(max_size=2)), max_size=8), seed=st.randoms())
@settings(max_examples=25, deadline=None)
def test_a_fingerprint_is_the_identity_of_a_bag(tmp_path_factory, rows, seed):
    engine = DuckDBEngine(tmp_path_factory.mktemp("w") / "w.duckdb", {}, read_only=False)

    def fingerprint(values: list[tuple]):
        with engine.transaction() as transaction:
            columns = (Column(name="a", type="INTEGER"), Column(name="b", type="VARCHAR"))
            table = pa.table(
                {
                    "a": pa.array([v[0] for v in values], pa.int32()),
                    "b": pa.array([v[1] for v in values], pa.string()),
                }
            )
            transaction.load_rows(
                FILM, columns, ArrowRows(batches=table.to_reader()), merge_key=None, progress=quiet
            )
            return transaction.fingerprint(FILM)

    try:
        shuffled = list(rows)
        seed.shuffle(shuffled)
        assert fingerprint(rows) == fingerprint(shuffled)
        assert fingerprint(rows) != fingerprint([*rows, (9, "more")])
        if rows:
            assert fingerprint(rows) != fingerprint([*rows, rows[0]])
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT 1::INTEGER AS a", "SELECT 1::BIGINT AS a"),
        ("SELECT 1 AS a", "SELECT 1 AS b"),
        ("SELECT NULL::INTEGER[] AS a", "SELECT []::INTEGER[] AS a"),
        ("SELECT []::INTEGER[] AS a", "SELECT [NULL]::INTEGER[] AS a"),
        ("SELECT INTERVAL '1 month' AS a", "SELECT INTERVAL '30 days' AS a"),
        ("SELECT 'a'::ENUM('a', 'b') AS a", "SELECT 'b'::ENUM('b', 'a') AS a"),
    ],
)
def test_fingerprints_tell_apart_what_the_hash_alone_does_not(engine, one, other):
    found = []
    for sql in (one, other):
        build(engine, sql)
        with engine.transaction() as transaction:
            found.append(transaction.fingerprint(FILM))
    assert found[0] != found[1]


def planned_test(sql: str, limit: int | None = None) -> PlannedTest:
    return PlannedTest(
        name="t",
        test="t",
        node="model:film",
        sql=sql,
        reads=(),
        limit=limit,
        fingerprint="f",
        location=Location(path="x"),
    )


@pytest.mark.parametrize(("limit", "failures"), [(None, 5), (3, 3), (10, 5)])
def test_data_tests_count_after_their_limit_and_show_a_sample(engine, limit, failures):
    with engine.transaction() as transaction:
        outcome = transaction.run_test(planned_test("SELECT * FROM range(5) t(n)", limit), CLOCK, 2)
    assert outcome.failures == failures
    assert outcome.sample == ({"n": "0"}, {"n": "1"})


@pytest.mark.parametrize(
    ("values", "expected"),
    [("(1, 1)", (0, 0)), ("(1, 1), (1, 2)", (0, 0)), ("(1, 1), (1, 1)", (0, 1)), ("(NULL, 1)", (1, 0))],
)
def test_key_violations(engine, values, expected):
    build(engine, f"SELECT * FROM (VALUES {values}) t(a, b)")
    with engine.transaction() as transaction:
        assert transaction.key_violations(FILM, ("a", "b")) == expected


@pytest.mark.parametrize("repeats", [0, 3, 10])
def test_key_violations_of_more_rows_than_are_told_apart_at_once(engine, monkeypatch, repeats):
    monkeypatch.setattr("osiris_sql.engines.duckdb.increments.SHARE", 3)
    again = f"SELECT n FROM range({repeats}) t(n) UNION ALL SELECT n FROM range({repeats}) t(n)"
    nulls = "SELECT NULL UNION ALL SELECT n FROM range(90, 91) t(n) UNION ALL SELECT NULL"
    build(engine, f"SELECT n FROM range(10, 20) t(n) UNION ALL {again} UNION ALL {nulls}")
    with engine.transaction() as transaction:
        assert transaction.key_violations(FILM, ("n",)) == (2, repeats + 1)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("SELECT n::TINYINT AS n FROM range(-5, 100) t(n)", (0, 0)),
        ("SELECT n FROM range(-5, 100) t(n) UNION ALL SELECT 99", (0, 1)),
        ("SELECT n FROM range(100) t(n) UNION ALL SELECT NULL", (1, 0)),
        ("SELECT n FROM range(100) t(n) UNION ALL SELECT NULL UNION ALL SELECT NULL", (2, 1)),
        ("SELECT n * 1000000007 AS n FROM range(100) t(n)", (0, 0)),
        ("SELECT (18446744073709551615 - n)::UBIGINT AS n FROM range(100) t(n)", (0, 0)),
        ("SELECT n::VARCHAR AS n FROM range(100) t(n)", (0, 0)),
        ("SELECT n::DOUBLE / 2 AS n FROM range(100) t(n)", (0, 0)),
        ("SELECT NULL::BIGINT AS n WHERE false", (0, 0)),
    ],
)
def test_keys_that_are_told_by_bits_and_others_are_counted_the_same(engine, keys, expected):
    build(engine, keys)
    with engine.transaction() as transaction:
        assert transaction.key_violations(FILM, ("n",)) == expected


@pytest.mark.parametrize("ordered", [True, False])
def test_a_spool_file_has_every_row_and_in_order_if_that_matters(engine, tmp_path, ordered):
    build(engine, "SELECT * FROM range(300000) t(n)")
    spec = SpoolSpec(kind="csv", projection=('"n"',), options="HEADER false", ordered=ordered)
    with engine.transaction() as transaction:
        assert transaction.spool(FILM, spec, tmp_path / "rows.csv") == 300_000
    found = [int(line) for line in (tmp_path / "rows.csv").read_text().split()]
    assert (found if ordered else sorted(found)) == list(range(300_000))


@pytest.mark.parametrize("kind", ["csv", "parquet", "duckdb"])
def test_spool_files(engine, tmp_path, kind):
    build(engine, "SELECT * FROM range(3) t(n)")
    path = tmp_path / f"rows.{kind}"
    with engine.transaction() as transaction:
        assert transaction.spool(FILM, SpoolSpec(kind=kind, projection=('"n"',)), path) == 3
    with duckdb.connect(str(path) if kind == "duckdb" else ":memory:") as reader:
        relation = "spool" if kind == "duckdb" else f"'{path}'"
        assert reader.execute(f"SELECT sum(n) FROM {relation}").fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT $run_clock", f"SELECT TIMESTAMPTZ '{CLOCK}'"),
        ("SELECT '$run_clock', $run_clock", f"SELECT '$run_clock', TIMESTAMPTZ '{CLOCK}'"),
        ("SELECT 1 -- $run_clock", "SELECT 1 -- $run_clock"),
        ("SELECT /* $run_clock */ 1", "SELECT /* $run_clock */ 1"),
        ('SELECT "$run_clock"', 'SELECT "$run_clock"'),
        ("SELECT $$ $run_clock $$", "SELECT $$ $run_clock $$"),
        ("SELECT e'\\'$run_clock'", "SELECT e'\\'$run_clock'"),
        ("SELECT $run_clocks", "SELECT $run_clocks"),
    ],
)
def test_the_run_clock_is_bound_only_where_it_is_a_parameter(sql, expected):
    assert bind_run_clock(sql, CLOCK) == expected


def test_a_view_holds_the_clock_of_its_run(engine):
    with engine.transaction() as transaction:
        transaction.replace_view(FILM, "SELECT $run_clock::DATE AS day", CLOCK)
    assert rows_of(engine, FILM) == [("2026-01-31",)]


def test_a_warehouse_held_by_another_process_names_it(tmp_path):
    import subprocess
    import sys

    path = tmp_path / "w.duckdb"
    script = (
        f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UnreachableError) as raised:
            DuckDBEngine(path, {}, read_only=False)
        assert str(holder.pid) in raised.value.diagnostics[0].message
        holder.stdin.close()


def test_the_warehouse_opens_in_the_previous_duckdb_too(engine, tmp_path):
    build(engine, "SELECT 1 AS id")
    engine.close()
    header = (tmp_path / "w.duckdb").read_bytes()[:64]
    version = int.from_bytes(header[12:20], "little")
    assert 64 <= version <= 68
