"""Two publications of one run open and close the same DuckDB file at any moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from osiris_sql.targets._connections import OpenConnections

TIMES = 300


def test_a_file_is_opened_while_another_thread_closes_it(tmp_path):
    connections = OpenConnections("256MB")

    def make_table(number: int) -> None:
        with connections.connected(str(tmp_path / "app.duckdb"), {}) as cursor:
            cursor.execute(f"CREATE TABLE t{number} AS SELECT 1 AS a")

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(make_table, range(TIMES)))

    with connections.connected(str(tmp_path / "app.duckdb"), {}) as cursor:
        assert len(cursor.execute("SHOW TABLES").fetchall()) == TIMES
