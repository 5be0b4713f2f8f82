"""What the figures were measured on, and how quiet it was."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("osiris-sql", "duckdb", "sqlglot", "pyarrow", "pymysql", "psycopg2-binary")
SERVERS = {
    "MariaDB": ("mariadbd", "--version"),
    "PostgreSQL": ("psql", "--version"),
    "PgBouncer": ("pgbouncer", "--version"),
}
LOOK_SECONDS = 0.5


def machine_facts() -> dict[str, object]:
    """Return cores, memory, system and versions; no name and no path of the machine."""
    return {
        "processor": _first(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text()),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in OURS},
        "servers": {name: found for name, command in SERVERS.items() if (found := _number(_said(command)))},
    }


def commit() -> str:
    """Return the commit of the tree, with a plus if the product has edits on top of it."""
    name = _said(("git", "rev-parse", "--short", "HEAD"))
    return name + ("+" if _said(("git", "status", "--porcelain", "osiris_sql")) else "")


def busy_cores() -> float:
    """Return how many cores were at work during a moment in which nothing of ours ran."""
    before = _ticks()
    time.sleep(LOOK_SECONDS)
    after = _ticks()
    return (after - before) / os.sysconf("SC_CLK_TCK") / LOOK_SECONDS


def _ticks() -> int:
    """User, nice, system, irq, softirq and steal: all but idle and waiting for a disk."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    return sum(int(word) for place, word in enumerate(words) if place not in (3, 4))


def _said(command: tuple[str, ...]) -> str:
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    try:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip().split("\n")[0].strip()


def _number(text: str) -> str:
    """Return the first version in a line, as of `mariadbd  Ver 10.11.19-MariaDB …`."""
    return found[0] if (found := re.search(r"\d+\.\d+(\.\d+)?", text)) else ""


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1].strip() if found else "unknown"
