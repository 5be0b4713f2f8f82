"""Servers that tests ask for by name; each starts when the first test needs it."""

from servers.mariadb import mariadb  # noqa: F401
from servers.pgbouncer import pooler  # noqa: F401
from servers.postgres import postgres  # noqa: F401
