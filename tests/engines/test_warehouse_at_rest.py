"""A warehouse whose file is as it was left is not opened to say what stands in it."""

from pathlib import Path

import duckdb
import pytest

from osiris_sql.engines.duckdb.mirror import mirror_path
from osiris_sql.engines.duckdb.warehouse import DuckDBWarehouse
from osiris_sql.types.observed import StepState
from osiris_sql.types.relation import RelationRef

ORDERS, DAILY = RelationRef(schema="main", name="Orders"), RelationRef(schema="main", name="daily")
CLOCK = "2026-01-01T00:00:00"


def state(node: str) -> StepState:
    return StepState(step=node, fingerprint=f"f-{node}", run_id="r")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A warehouse with a table and a view, each with its state, let go of."""
    path = tmp_path / "dev.duckdb"
    warehouse = DuckDBWarehouse(path, {}, read_only=False)
    with warehouse.transaction() as transaction:
        transaction.replace_table(ORDERS, "SELECT 1 AS id", CLOCK)
        transaction.replace_view(DAILY, "SELECT 2 AS id", CLOCK)
        transaction.write_state(state("model:orders"))
        transaction.write_state(state("model:daily"))
    warehouse.close()
    return path


@pytest.mark.parametrize("read_only", [True, False])
def test_what_stands_there_is_said_without_opening_it(file: Path, read_only: bool) -> None:
    before = file.read_bytes()
    with duckdb.connect(str(file)):  # DuckDB lets nobody else in
        warehouse = DuckDBWarehouse(file, {}, read_only=read_only)
        assert warehouse.read_state() == {n: state(n) for n in ("model:daily", "model:orders")}
        with warehouse.transaction() as transaction:
            assert transaction.exists(RelationRef(schema="MAIN", name="orders"))
            assert (transaction.is_table(ORDERS), transaction.is_table(DAILY)) == (True, False)
            assert not transaction.exists(RelationRef(schema="main", name="gone"))
        warehouse.close()
    assert file.read_bytes() == before


def test_it_is_opened_for_whatever_else_is_asked(file: Path) -> None:
    warehouse = DuckDBWarehouse(file, {}, read_only=False)
    with warehouse.transaction() as transaction:
        assert transaction.exists(ORDERS)
        assert transaction.replace_table(ORDERS, "SELECT 1 AS id, 2 AS more", CLOCK) == 1
        schema = transaction.schema_of(ORDERS)
        assert schema
        assert schema.names == ("id", "more")
        transaction.drop(DAILY)
        assert not transaction.exists(DAILY)
        transaction.forget("model:daily")
    with warehouse.transaction() as transaction:
        assert not transaction.exists(DAILY)
    assert list(warehouse.read_state()) == ["model:orders"]
    warehouse.close()

    again = DuckDBWarehouse(file, {}, read_only=True)
    assert list(again.read_state()) == ["model:orders"]
    with again.transaction() as transaction:
        assert not transaction.exists(DAILY)
    again.close()


def test_a_block_that_raises_rolls_back(file: Path) -> None:
    warehouse = DuckDBWarehouse(file, {}, read_only=False)
    with pytest.raises(ValueError, match="on the way"), warehouse.transaction() as transaction:
        transaction.drop(ORDERS)
        raise ValueError("on the way")
    with warehouse.transaction() as transaction:
        assert transaction.exists(ORDERS)
    warehouse.close()


def drop_by_hand(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute('DROP TABLE "Orders"')


def leave_a_log(file: Path) -> None:
    """As a process leaves it that is killed after its commit."""
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET wal_autocheckpoint = '1GB'")
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute('DROP TABLE "Orders"')
    assert Path(f"{file}.wal").exists()


def put_another_in_its_place(file: Path) -> None:
    other = file.with_name("other.duckdb")
    DuckDBWarehouse(other, {}, read_only=False).close()
    other.replace(file)


@pytest.mark.parametrize("change", [drop_by_hand, leave_a_log, put_another_in_its_place])
def test_a_file_that_somebody_changed_is_asked_itself(file: Path, change) -> None:  # type: ignore[no-untyped-def]
    change(file)
    warehouse = DuckDBWarehouse(file, {}, read_only=False)
    with warehouse.transaction() as transaction:
        assert not transaction.exists(ORDERS)
    warehouse.close()


def test_a_mirror_that_somebody_changed_is_not_believed(file: Path) -> None:
    with mirror_path(file).open("a") as mirror:
        mirror.write("{}\n")
    warehouse = DuckDBWarehouse(file, {}, read_only=True)
    assert sorted(warehouse.read_state()) == ["model:daily", "model:orders"]
    warehouse.close()


def test_notes_that_cannot_be_read_are_no_notes(file: Path) -> None:
    file.with_suffix(".rest.json").write_text("{")
    warehouse = DuckDBWarehouse(file, {}, read_only=True)
    assert sorted(warehouse.read_state()) == ["model:daily", "model:orders"]
    warehouse.close()
