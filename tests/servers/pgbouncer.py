"""A private PgBouncer before the private PostgreSQL: in transaction mode, as `SESSION` in session mode."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from servers.ports import free_port
from servers.postgres import PASSWORD, PostgresServer, plain_user, server_folder

SESSION = "app_in_sessions"
"""The name by which the database `app` is reached in session mode."""

# Two backends, so that clients really share them; `options=` is refused as on Supabase's poolers.
CONFIGURATION = """
[databases]
{session} = host=127.0.0.1 port={server} dbname=app pool_mode=session
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = 2
max_client_conn = 50
auth_type = trust
auth_file = {folder}/users
logfile = {folder}/log
pidfile = {folder}/pid
"""


@dataclass(frozen=True, kw_only=True)
class Pooler:
    """A running pooler; `dsn` leads through it."""

    port: int
    server: PostgresServer

    def dsn(self, database: str, user: str = "postgres") -> str:
        return self.server.dsn(database, user, self.port)


@contextmanager
def running_pgbouncer(server: PostgresServer) -> Iterator[Pooler]:
    """Start a pooler on a free port; it is always stopped."""
    binary = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    with server_folder() as folder:
        port = free_port()
        text = CONFIGURATION.format(session=SESSION, server=server.port, port=port, folder=folder)
        (folder / "users").write_text(f'"postgres" "{PASSWORD}"\n"writer" "{PASSWORD}"\n')
        (folder / "pgbouncer.ini").write_text(text)
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(
            [binary, "-q", str(folder / "pgbouncer.ini")],
            user=plain_user(),
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
        )
        try:
            _wait_for(port, process, folder)
            yield Pooler(port=port, server=server)
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, (folder / "log").read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("pgbouncer does not listen")


@pytest.fixture(scope="session")
def pooler(postgres: PostgresServer) -> Iterator[Pooler]:
    """A transaction pooler in front of the private PostgreSQL."""
    if not (shutil.which("pgbouncer") or Path("/usr/sbin/pgbouncer").exists()):
        pytest.skip("PgBouncer is not installed (apt-get install pgbouncer)")
    with running_pgbouncer(postgres) as made:
        yield made
