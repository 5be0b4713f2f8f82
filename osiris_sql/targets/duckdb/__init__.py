"""Type `duckdb`: tables of a DuckDB database file."""

from osiris_sql.targets.duckdb.target import DuckDBFile

PLUGIN = DuckDBFile
