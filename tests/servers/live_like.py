"""Runs a command as if there were a real Supabase project: the variables of one name servers of this machine.

In `tests`: python -m servers.live_like pytest -m live targets
"""

import os
import subprocess
import sys

from servers.postgres import running_postgres
from servers.postgrest.server import SECRET_KEY, running_postgrest

SCHEMA = "osiris_live"


def main(command: list[str]) -> int:
    """Return the exit code of the command."""
    with running_postgres() as server:
        dsn = server.create_database("live")
        schemas = ("public", "graphql_public", SCHEMA)
        with running_postgrest(server.dsn("live", user="authenticator"), schemas=schemas) as api:
            project = {"DSN": dsn, "SCHEMA": SCHEMA, "URL": api.url, "KEY": SECRET_KEY}
            named = {f"OSIRIS_LIVE_SUPABASE_{name}": value for name, value in project.items()}
            return subprocess.run(command, env={**os.environ, **named}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
