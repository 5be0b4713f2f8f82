"""A private PostgreSQL made like Supabase's: its roles, timeouts, default grants and event triggers."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from servers.ports import free_port

VERSIONS = Path("/usr/lib/postgresql")
PASSWORD = "a-Secret_9f2c"
BOOTSTRAP = f"""
CREATE ROLE postgres LOGIN PASSWORD '{PASSWORD}' NOSUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS;
CREATE ROLE anon NOLOGIN NOINHERIT;
CREATE ROLE authenticated NOLOGIN NOINHERIT;
CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS;
CREATE ROLE authenticator LOGIN NOINHERIT PASSWORD '{PASSWORD}';
CREATE ROLE writer LOGIN PASSWORD '{PASSWORD}';
GRANT anon, authenticated, service_role TO authenticator;
GRANT anon, authenticated, service_role, pg_monitor, pg_read_all_data, pg_signal_backend TO postgres;
ALTER ROLE authenticator SET statement_timeout = '8s';
ALTER ROLE authenticator SET lock_timeout = '8s';
ALTER ROLE anon SET statement_timeout = '3s';
ALTER ROLE authenticated SET statement_timeout = '8s';
"""
DATABASE = """
ALTER DATABASE {name} SET statement_timeout = '2min';
\\connect {name}
GRANT ALL ON SCHEMA public TO postgres;
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role, writer;
GRANT CREATE ON DATABASE {name} TO postgres;
CREATE SCHEMA extensions;
CREATE FUNCTION extensions.pgrst_ddl_watch() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE cmd record;
BEGIN
  FOR cmd IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
    IF cmd.command_tag IN ('CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE TABLE', 'ALTER TABLE', 'CREATE VIEW',
        'ALTER VIEW', 'CREATE FUNCTION', 'ALTER FUNCTION', 'CREATE TYPE', 'ALTER TYPE', 'COMMENT')
       AND cmd.schema_name IS DISTINCT FROM 'pg_temp' THEN
      NOTIFY pgrst, 'reload schema';
    END IF;
  END LOOP;
END $$;
CREATE FUNCTION extensions.pgrst_drop_watch() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE obj record;
BEGIN
  FOR obj IN SELECT * FROM pg_event_trigger_dropped_objects() LOOP
    IF obj.object_type IN ('schema', 'table', 'view', 'function', 'type') AND NOT obj.is_temporary THEN
      NOTIFY pgrst, 'reload schema';
    END IF;
  END LOOP;
END $$;
CREATE EVENT TRIGGER pgrst_ddl_watch ON ddl_command_end EXECUTE FUNCTION extensions.pgrst_ddl_watch();
CREATE EVENT TRIGGER pgrst_drop_watch ON sql_drop EXECUTE FUNCTION extensions.pgrst_drop_watch();
"""
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 40
shared_buffers = 32MB
autovacuum = off
"""


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A running server; each test asks for a database of its own."""

    port: int
    folder: Path

    def dsn(self, database: str = "app", user: str = "postgres", port: int | None = None) -> str:
        return f"postgresql://{user}:{PASSWORD}@127.0.0.1:{port or self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Make an empty Supabase-like database and return its connection string for `postgres`."""
        self.run_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE);\nCREATE DATABASE {name};")
        self.run_sql(DATABASE.format(name=name))
        return self.dsn(name)

    def run_sql(self, sql: str, database: str = "template1") -> str:
        """Run SQL as the superuser and return what psql printed."""
        command = [_binary("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d"]
        address = f"postgresql://supabase_admin:{PASSWORD}@127.0.0.1:{self.port}/{database}"
        done = subprocess.run([*command, address], input=sql, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _binary(name: str) -> str:
    found = sorted(VERSIONS.glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name) or name


def installed() -> bool:
    """Whether PostgreSQL's server programs are there."""
    return Path(_binary("initdb")).exists()


def plain_user() -> str | None:
    """Return whom to run servers as: None is ourselves; servers refuse to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


@contextmanager
def server_folder() -> Iterator[Path]:
    """Open a temporary folder that belongs to the servers' user."""
    with tempfile.TemporaryDirectory(prefix="osiris-") as name:
        user = plain_user()
        if user:
            entry = pwd.getpwnam(user)
            os.chown(name, entry.pw_uid, entry.pw_gid)
        yield Path(name)


def run_as_user(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, user=plain_user(), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server in a temporary folder on a free port; it is always stopped."""
    with server_folder() as folder:
        data, port = folder / "data", free_port()
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        run_as_user(
            [
                *(_binary("initdb"), "-D", str(data), "-U", "supabase_admin", "-A", "scram-sha-256"),
                *(f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            folder,
        )
        with (data / "postgresql.conf").open("a") as file:
            file.write(f"{CONFIGURATION}port = {port}\n")
        control = [_binary("pg_ctl"), "-D", str(data), "-w", "-t", "60"]
        run_quietly([*control, "-l", str(folder / "log"), "start"], folder)
        try:
            server = PostgresServer(port=port, folder=folder)
            server.run_sql(BOOTSTRAP)
            yield server
        finally:
            run_quietly([*control, "-m", "immediate", "stop"], folder)


def run_quietly(command: list[str], folder: Path) -> None:
    # The server inherits the pipes of pg_ctl, so reading them to their end would wait for ever.
    null = subprocess.DEVNULL
    subprocess.run(command, user=plain_user(), cwd=folder, stdin=null, stdout=null, stderr=null, check=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A Supabase-like PostgreSQL for the whole test run."""
    if not installed():
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    with running_postgres() as server:
        yield server
