"""The engine `duckdb`: computes in a DuckDB file, which is the warehouse and its state in one."""

from osiris_sql.engines.duckdb.warehouse import DuckDBWarehouse

PLUGIN = DuckDBWarehouse
