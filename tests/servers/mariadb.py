"""A private MariaDB for tests: started from Debian's mariadbd in a temporary folder, always stopped."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
import pytest
from servers.ports import free_port

ROOT_PASSWORD = "root:of@the/test%server"
START_SECONDS = 60.0
PORT_ATTEMPTS = 3
CANNOT_CONNECT = 2003


@dataclass(kw_only=True)
class MariaDb:
    """A running server; `root_password` belongs to `root`, who may do everything."""

    folder: Path
    port: int
    extra: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    root_password: str = ROOT_PASSWORD
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def connect(self, database: str | None = None, **options: Any) -> pymysql.Connection[Any]:
        """Return a connection as root, in autocommit unless `options` say otherwise."""
        given = {"user": "root", "password": self.root_password, "charset": "utf8mb4", "autocommit": True}
        return pymysql.connect(
            host=self.host, port=self.port, database=database, connect_timeout=10, **(given | options)
        )

    def execute(self, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run statements as root and return the rows of the last one."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def create_database(self, name: str) -> str:
        """Make an empty database of this name, dropping one that is there; returns the name."""
        quoted = "`" + name.replace("`", "``") + "`"
        self.execute(f"DROP DATABASE IF EXISTS {quoted}", f"CREATE DATABASE {quoted} CHARACTER SET utf8mb4")
        return name

    def create_user(self, name: str, password: str, *grants: str) -> str:
        """Make a user with grants such as ``SELECT ON `shop`.*``; returns the name."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("CREATE OR REPLACE USER %s@'%%' IDENTIFIED BY %s", (name, password))
                for grant in grants:
                    cursor.execute(f"GRANT {grant} TO %s@'%%'", (name,))
        finally:
            connection.close()
        return name

    def start(self) -> None:
        """Start the server and wait until it answers; a port that was taken is replaced by another."""
        for attempt in range(1, PORT_ATTEMPTS + 1):
            self.process = _spawn(_server_command(self), self.folder / "error.log")
            if _wait_until_ready(self):
                return
            self.stop()
            if attempt < PORT_ATTEMPTS and "already in use" in self.log():
                self.port = free_port()
                continue
            raise RuntimeError(f"mariadbd did not start:\n{self.log()[-2000:]}")

    def stop(self) -> None:
        """Stop the server at once; its data need not survive."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def log(self) -> str:
        """Return what the server wrote to its error log."""
        return (self.folder / "error.log").read_text(errors="replace")


@contextmanager
def mariadb_server(*extra: str) -> Iterator[MariaDb]:
    """Run a server of one's own with these extra command line options."""
    folder = Path(tempfile.mkdtemp(prefix="osiris-mariadb-"))
    server = MariaDb(folder=folder, port=free_port(), extra=extra)
    try:
        _install(server)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """One server for the whole test session; each test makes databases of its own."""
    with mariadb_server("--log-bin=binlog", "--server-id=7") as server:
        yield server


def _install(server: MariaDb) -> None:
    account = _server_account()
    if account:
        shutil.chown(server.folder, account, account)
    server.folder.chmod(0o755)
    for folder in (server.folder / "data", server.folder / "tmp"):
        folder.mkdir()
        if account:
            shutil.chown(folder, account, account)
    command = [
        "mariadb-install-db",
        "--no-defaults",
        f"--datadir={server.folder / 'data'}",
        f"--tmpdir={server.folder / 'tmp'}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-log-file-size=8M",
        *([f"--user={account}"] if account else []),
    ]
    done = subprocess.run(command, capture_output=True, check=False, env=_environment())
    if done.returncode:
        raise RuntimeError((done.stdout + done.stderr).decode(errors="replace"))
    first = server.folder / "first.sql"
    first.write_text(
        f"CREATE OR REPLACE USER root@'{server.host}' IDENTIFIED BY '{server.root_password}';\n"
        f"GRANT ALL ON *.* TO root@'{server.host}' WITH GRANT OPTION;\n"
    )
    first.chmod(0o644)


def _server_command(server: MariaDb) -> list[str]:
    return [
        shutil.which("mariadbd", path=_environment()["PATH"]) or "mariadbd",
        "--no-defaults",
        f"--datadir={server.folder / 'data'}",
        # A server that starts removes the temporary tables of others from a folder that they share.
        f"--tmpdir={server.folder / 'tmp'}",
        f"--socket={server.folder / 'sock'}",
        f"--pid-file={server.folder / 'pid'}",
        f"--port={server.port}",
        f"--bind-address={server.host}",
        f"--init-file={server.folder / 'first.sql'}",
        "--skip-name-resolve=ON",
        "--character-set-server=utf8mb4",
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=8M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-flush-method=nosync",
        "--innodb-doublewrite=0",
        "--performance-schema=OFF",
        *server.extra,
    ]


def _spawn(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    account = _server_account()
    become = [f"--reuid={account}", f"--regid={account}", "--init-groups"] if account else []
    # The kernel kills the server when the thread that started it ends, also if the tests crash.
    guard = ["setpriv", "--pdeathsig", "KILL", *become]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*guard, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(),
            start_new_session=True,
        )


def _wait_until_ready(server: MariaDb) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.process is not None
        if server.process.poll() is not None:
            return False
        try:
            server.connect().close()
        except pymysql.OperationalError as error:
            if error.args[0] != CANNOT_CONNECT:
                raise
            time.sleep(0.05)
        else:
            return True
    return False


def _server_account() -> str | None:
    """The user to run as: mariadbd refuses root."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam("mysql").pw_name


def _environment() -> dict[str, str]:
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return {"PATH": path, "LC_ALL": "C.UTF-8", "HOME": tempfile.gettempdir()}
