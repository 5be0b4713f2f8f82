"""The SQL that makes publishing over REST atomic, for a person to read and run once."""

from importlib.resources import files

from osiris_sql.targets.supabase.ledger import LEDGER_SQL

_SQL = files("osiris_sql.targets.supabase.rest").joinpath("bootstrap.sql").read_text("utf-8")


def bootstrap_sql(schema: str) -> str:
    """Return the statements that install the functions and open one schema to them; safe to repeat."""
    name = "'" + schema.replace("'", "''") + "'"
    return _SQL.replace("{ledger}", LEDGER_SQL.strip()).replace("{schema}", name)
