"""Type `files`: a folder of CSV or Parquet files, one a table."""

from osiris_sql.targets.files.target import Files

PLUGIN = Files
