"""The SQL that makes publishing over REST atomic, for a person to read and run once."""

from collections.abc import Sequence
from importlib.resources import files

from osiris_sql.targets.supabase.ledger import LEDGER_SQL

# Counts up with each change of bootstrap.sql that an older or newer osiris-sql can't live with.
VERSION = 5
_SQL = files("osiris_sql.targets.supabase.rest").joinpath("bootstrap.sql").read_text("utf-8")


def bootstrap_sql(schemas: Sequence[str]) -> str:
    """Return the statements that install the functions and open schemas to them; safe to repeat."""
    names = ", ".join("('" + schema.replace("'", "''") + "')" for schema in schemas)
    filled = _SQL.replace("{ledger}", LEDGER_SQL.strip()).replace("{schemas}", names)
    return filled.replace("{version}", str(VERSION))
