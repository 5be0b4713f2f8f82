"""What the engine knows of its warehouse without asking, over commits and rollbacks."""

from __future__ import annotations

import duckdb
import pytest

from osiris_sql.engines.duckdb.catalog import AboutTable, Catalog
from osiris_sql.engines.duckdb.warehouse import DuckDBWarehouse
from osiris_sql.types.observed import StepState
from osiris_sql.types.relation import Column, RelationRef, TableSchema
from osiris_sql.types.settings import PINNED_SETTINGS

CLOCK = "2026-01-31T12:00:00+00:00"
WEIRD = RelationRef("main", "We\"ird 'näme'")
VIEW = RelationRef("shop", "view")


@pytest.fixture(params=["same", "opened again"])
def engines(request, tmp_path):
    """Returns the engine of the next moment: the one held open, or the warehouse opened again."""
    held: list[DuckDBWarehouse] = []

    def engine() -> DuckDBWarehouse:
        if request.param == "opened again" and held:
            held.pop().close()
        if not held:
            held.append(DuckDBWarehouse(tmp_path / "w.duckdb", PINNED_SETTINGS, read_only=False))
        return held[0]

    yield engine
    held[0].close()


def types_of(engine: DuckDBWarehouse, relation: RelationRef) -> list[str] | None:
    with engine.transaction() as transaction:
        schema = transaction.schema_of(relation)
        assert transaction.exists(relation) == (schema is not None)
        return [c.type for c in schema.columns] if schema else None


def test_columns_of_tables_and_views(engines):
    assert types_of(engines(), WEIRD) is None
    sql = "SELECT 1::DECIMAL(9,2) AS a, 'x'::ENUM('x', 'y') AS e, {'q r': 1} AS s, [1] AS l"
    types = ["DECIMAL(9,2)", "ENUM('x', 'y')", 'STRUCT("q r" INTEGER)', "INTEGER[]"]
    with engines().transaction() as transaction:
        transaction.replace_table(WEIRD, sql, CLOCK)
        transaction.replace_view(VIEW, f"SELECT * FROM {WEIRD.sql}", CLOCK)
    assert types_of(engines(), WEIRD) == types_of(engines(), VIEW) == types


def test_a_table_becomes_a_view_and_goes(engines):
    with engines().transaction() as transaction:
        transaction.replace_table(VIEW, "SELECT 1 AS id", CLOCK)
        assert transaction.is_table(VIEW)
    with engines().transaction() as transaction:
        transaction.replace_view(VIEW, "SELECT 'x' AS id", CLOCK)
        assert not transaction.is_table(VIEW)
    assert types_of(engines(), VIEW) == ["VARCHAR"]
    with engines().transaction() as transaction:
        transaction.drop(RelationRef("SHOP", "VIEW"))
    assert types_of(engines(), VIEW) is None


def test_a_rollback_forgets(engines):
    with pytest.raises(ZeroDivisionError), engines().transaction() as transaction:
        transaction.replace_table(WEIRD, "SELECT 1 AS id", CLOCK)
        transaction.write_state(StepState(step="model:x", fingerprint="f", run_id="r"))
        raise ZeroDivisionError
    assert types_of(engines(), WEIRD) is None
    for fingerprint in ("one", "two"):
        with engines().transaction() as transaction:
            transaction.write_state(StepState(step="model:x", fingerprint="before", run_id="r"))
            transaction.write_state(StepState(step="model:x", fingerprint=fingerprint, run_id="r"))
        assert {n: s.fingerprint for n, s in engines().read_state().items()} == {"model:x": fingerprint}


@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_forgotten_is_remembered_anew(engines, at_once):
    anew = StepState(step="model:x", fingerprint="anew", run_id="r")
    with engines().transaction() as transaction:
        transaction.write_state(StepState(step="model:x", fingerprint="before", run_id="r"))
    with engines().transaction() as transaction:
        transaction.forget("model:x")
        if at_once:
            transaction.write_state(anew)
    if not at_once:
        assert engines().read_state() == {}
        with engines().transaction() as transaction:
            transaction.write_state(anew)
    assert engines().read_state() == {"model:x": anew}


def test_reshape(engines):
    with engines().transaction() as transaction:
        transaction.replace_table(WEIRD, "SELECT 1 AS id, 'x' AS gone", CLOCK)
    wanted = TableSchema(columns=(Column(name="new", type="DATE"), Column(name="id", type="VARCHAR")))
    with engines().transaction() as transaction:
        transaction.reshape(WEIRD, wanted)
        assert transaction.schema_of(WEIRD) == wanted
        assert transaction.preview(f"SELECT * FROM {WEIRD.sql}", CLOCK, 9)[1] == [(None, "1")]


def test_it_is_known_which_tables_may_have_a_collation(tmp_path):
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("CREATE TABLE Plain AS SELECT 'collated' AS k")
        connection.execute("CREATE TABLE Folded (k VARCHAR COLLATE nocase)")
        connection.execute("CREATE VIEW seen AS SELECT 1 AS k")
        catalog = Catalog(connection)
    plain, folded = RelationRef("main", "plain"), RelationRef("main", "folded")
    assert catalog.about(plain, {}) == AboutTable(rows=1, may_collate=False)
    assert catalog.about(folded, {}) == AboutTable(rows=0, may_collate=True)
    assert catalog.about(plain, {("main", "plain"): "table"}) is None
