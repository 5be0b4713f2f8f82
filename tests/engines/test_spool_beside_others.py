"""A spool file of a step is another connection's at once, whatever the steps beside it look at."""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import pytest

from osiris_sql.engines.duckdb.engine import DuckDBEngine
from osiris_sql.protocols import SpoolSpec
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.relation import RelationRef
from osiris_sql.types.settings import PINNED_SETTINGS

CLOCK = "2026-01-31T12:00:00+00:00"
FILM = RelationRef("main", "film")
SPOOL = SpoolSpec(kind="duckdb", projection=("n",))


@pytest.fixture
def engine(tmp_path: Path):
    opened = DuckDBEngine(tmp_path / "w.duckdb", PINNED_SETTINGS, read_only=False)
    with opened.transaction() as transaction:
        transaction.replace_table(FILM, "SELECT range AS n FROM range(3)", CLOCK)
    yield opened
    opened.close()


def test_a_query_that_lists_all_tables_keeps_nobody_from_the_spool_file(engine, tmp_path):
    spooled, looked = threading.Event(), threading.Event()

    def look() -> None:
        with engine.transaction() as beside:
            beside.replace_table(RelationRef("main", "other"), "SELECT 1 AS one", CLOCK)
            spooled.wait(60)
            beside.preview("SELECT database_name FROM duckdb_tables()", CLOCK, 10)
            looked.set()
            threading.Event().wait(0.2)  # a query that takes its time

    other = threading.Thread(target=look)
    other.start()
    with engine.transaction() as transaction:
        assert transaction.spool(FILM, SPOOL, tmp_path / "rows.duckdb") == 3
        spooled.set()
        assert looked.wait(60)
    with duckdb.connect() as target:
        target.execute(f"ATTACH '{tmp_path / 'rows.duckdb'}' AS s (READ_ONLY)")
        assert target.execute("SELECT n FROM s.main.spool ORDER BY n").fetchall() == [(0,), (1,), (2,)]
    other.join()
    assert [path.name for path in tmp_path.glob("rows*")] == ["rows.duckdb"]


def test_rows_of_a_transaction_that_failed_are_no_spool_file(engine, tmp_path):
    with pytest.raises(StepError), engine.transaction() as transaction:
        transaction.spool(FILM, SPOOL, tmp_path / "rows.duckdb")
        transaction.replace_table(RelationRef("main", "other"), "SELECT 1 / 'a' AS one", CLOCK)
    with duckdb.connect(str(tmp_path / "rows.duckdb")) as target:
        assert target.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
