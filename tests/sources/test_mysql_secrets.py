"""A password stands in no list of processes while rows are read: not of this process, nor of its children."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from run.projects import write_files
from servers.mariadb import MariaDb
from servers.tcp_proxy import tcp_proxy

pytestmark = pytest.mark.servers

PASSWORD = "only%for+our:eyes"
MARK = "what-everybody-may-see"
HALF = 2_000_000
SOURCES = """
version: 1
connections:
  shop: {{ type: mysql, host: 127.0.0.1, port: {port}, database: listed, user: listed, password: "${{PW}}" }}
sources: [{{ name: shop, tables: [{{ name: orders }}] }}]
"""


@pytest.mark.parametrize(("launcher", "processes"), [("local", 1), ("child", 2)])
def test_no_process_shows_the_password_while_rows_are_read(mariadb, tmp_path, launcher, processes):
    fill(mariadb)
    (tmp_path / "secrets.env").write_text(f"PW={PASSWORD}\n")
    with tcp_proxy(mariadb.port) as proxy:
        files = {"osiris-sql.toml": 'name = "shop"\n', "sources.yml": SOURCES.format(port=proxy.port)}
        write_files(tmp_path / "shop", {**files, "models/seen.sql": "SELECT * FROM shop.orders"})
        assert started(tmp_path, "discover").wait(60) == 0
        proxy.heal()
        proxy.stall_after(HALF)
        build = started(tmp_path, "build", "--on", launcher)
        while proxy.passed("down") < HALF and build.poll() is None:
            threading.Event().wait(0.01)
        shown = dict(tree_of(build.pid))
        proxy.heal()
        assert build.wait(60) == 0
    assert len(shown) >= processes
    assert [number for number, text in shown.items() if PASSWORD in text] == []
    assert MARK in shown[build.pid]  # it would be seen


def fill(server: MariaDb) -> None:
    server.create_database("listed")
    server.create_user("listed", PASSWORD, "SELECT ON listed.*")
    server.execute(
        "CREATE OR REPLACE TABLE orders (id INT PRIMARY KEY, note VARCHAR(99))",
        "INSERT INTO orders SELECT seq, REPEAT('x', 99) FROM seq_1_to_50000",
        database="listed",
    )


def started(root: Path, *words: str) -> subprocess.Popen[bytes]:
    """The program, as people start it; its password is in a file."""
    program = [sys.executable, "-c", "from osiris_sql.cli import main; main()"]
    command = [*program, *words, "--env-file", str(root / "secrets.env")]
    environ = {name: value for name, value in os.environ.items() if name != "PW"} | {"MARK": MARK}
    return subprocess.Popen(command, cwd=root / "shop", env=environ, stdout=subprocess.DEVNULL)


def tree_of(process: int) -> Iterator[tuple[int, str]]:
    """A process and those below it, with what anybody of its user can list of each: its words and its
    environment."""
    place = Path(f"/proc/{process}")
    parts = (place / name for name in ("cmdline", "environ"))
    yield process, " ".join(part.read_text(errors="replace") for part in parts)
    for children in place.glob("task/*/children"):
        for child in children.read_text().split():
            yield from tree_of(int(child))
