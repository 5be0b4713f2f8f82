"""Relations that travel as a warehouse of their own arrive with every type, value and view as they were."""

import duckdb
import pytest

from osiris_sql.engines.duckdb.engine import DuckDBEngine
from osiris_sql.types.diagnostic import OsirisError
from osiris_sql.types.observed import StepState
from osiris_sql.types.relation import RelationRef

TYPES = (
    "170141183460469231731687303715884105727::HUGEINT",
    "340282366920938463463374607431768211455::UHUGEINT",
    "'123456789012345678901234567890123456789012345'::BIGNUM",
    "'10110'::BIT",
    "INTERVAL '1 month 2 days 3 microseconds'",
    "union_value(a := 1)",
    "'b'::ENUM('a', 'b')",
    "'{\"a\": [1]}'::JSON",
    "1.50::DECIMAL(38, 7)",
    "'\\x00\\xFF'::BLOB",
    "'12:00:00+01:30'::TIMETZ",
    "TIMESTAMP_NS '2020-01-01 00:00:00.123456789'",
    "'2020-01-01 00:00:00'::TIMESTAMP_S",
    "TIMESTAMPTZ '2020-01-01 00:00:00+05'",
    "MAP {'a': [1, NULL]}",
    "[1, 2]::INTEGER[2]",
    "{'a': {'b': 'Č🎬'}}",
    "'infinity'::DOUBLE",
    "'nan'::FLOAT",
    "'infinity'::DATE",
    "'0f8b5a3c-0000-4000-8000-00000000000a'::UUID",
)
CLOCK = "2026-01-01T00:00:00+00:00"
TABLE, FIRST, SECOND = RelationRef("shop", "every type"), RelationRef("main", "b"), RelationRef("main", "a")


def state(node, run_id="r1"):
    return StepState(step=node, fingerprint="f", run_id=run_id)


@pytest.fixture
def here(tmp_path):
    columns = ", ".join(f"{value} AS c{number}" for number, value in enumerate(TYPES))
    nulls = ", ".join("NULL" for _ in TYPES)
    engine = DuckDBEngine(tmp_path / "here.duckdb", {}, read_only=False)
    with engine.transaction() as transaction:
        transaction.replace_table(TABLE, f"SELECT {columns} UNION ALL SELECT {nulls}", CLOCK)
        transaction.replace_view(FIRST, f"SELECT c0 FROM {TABLE.sql}", CLOCK)
        transaction.replace_view(SECOND, "SELECT * FROM main.b", CLOCK)
        transaction.replace_table(RelationRef("main", "stays"), "SELECT 1 AS id", CLOCK)
    engine.close()
    return tmp_path / "here.duckdb"


def pack(here, path, *relations, states=()):
    engine = DuckDBEngine(here, {}, read_only=True)
    engine.write_parcel(path, relations, states)
    engine.close()


def look(file, relation):
    with duckdb.connect(file, read_only=True) as connection:
        values = connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {relation.sql} ORDER BY 1").fetchall()
        return connection.execute(f"DESCRIBE {relation.sql}").fetchall(), values


def test_every_type_and_view_arrives_and_nothing_else(here, tmp_path):
    parcel, there = tmp_path / "parcel.duckdb", tmp_path / "there.duckdb"
    pack(here, parcel, TABLE, FIRST, SECOND, RelationRef("main", "nowhere"), states=[state("model:a")])
    engine = DuckDBEngine(there, {}, read_only=False)
    with engine.transaction() as transaction:
        transaction.replace_table(FIRST, "SELECT 'old' AS c0", CLOCK)
        transaction.write_state(state("model:a", "r0"))
    with engine.transaction() as transaction:
        transaction.take_parcel(parcel)
    assert engine.read_state() == {"model:a": state("model:a")}
    with engine.transaction() as transaction:
        assert transaction.is_table(TABLE)
        assert not transaction.is_table(FIRST)
        assert not transaction.exists(RelationRef("main", "stays"))
    engine.close()
    for relation in (TABLE, FIRST, SECOND):
        assert look(here, relation) == look(parcel, relation) == look(there, relation)
    assert engine.read_mirror(there) == {"model:a": state("model:a")}


def test_a_view_may_go_without_the_rows_that_it_reads(here, tmp_path):
    parcel = tmp_path / "parcel.duckdb"
    engine = DuckDBEngine(here, {}, read_only=True)
    engine.write_parcel(parcel, [SECOND], [], empty=[FIRST])
    engine.close()
    columns, rows = look(parcel, SECOND)
    assert columns == look(here, SECOND)[0]
    assert rows == []


def test_a_parcel_that_breaks_in_the_middle_changes_nothing(here, tmp_path):
    parcel = tmp_path / "parcel.duckdb"
    pack(here, parcel, RelationRef("main", "stays"), states=[state("model:stays")])
    with duckdb.connect(parcel) as connection:
        connection.execute("CREATE OR REPLACE TABLE stays AS SELECT 2 AS id")
        connection.execute("UPDATE osiris.state SET record = '{'")
    engine = DuckDBEngine(here, {}, read_only=False)
    with pytest.raises((OsirisError, ValueError)), engine.transaction() as transaction:
        transaction.take_parcel(parcel)
    assert engine.read_state() == {}
    engine.close()
    assert look(here, RelationRef("main", "stays"))[1] == [("1",)]


def test_sizes_are_those_of_tables_that_are_there(here):
    engine = DuckDBEngine(here, {}, read_only=True)
    sizes = engine.stored_bytes([TABLE, FIRST, RelationRef("main", "nowhere")])
    engine.close()
    assert sizes[FIRST] == 0
    assert sizes[TABLE] >= 262_144
    assert len(sizes) == 2
