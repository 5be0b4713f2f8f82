"""The tools that benchmarks compare with, each in a virtual environment of its own at pinned versions."""

from __future__ import annotations

import subprocess
import venv
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.program.shape import BenchmarkError

FOLDER = Path(__file__).parents[1] / ".venvs"
# Each is the newest that runs beside the others here; the page names what was measured.
PINNED = {
    "dbt": ("dbt-core==1.11.16", "dbt-duckdb==1.11.1", "duckdb==2.0.0"),
    "sqlmesh": ("sqlmesh==0.236.4",),
    "sqlfluff": ("sqlfluff==4.5.0",),
    "sqruff": ("sqruff==0.44.0",),
    "dlt": (
        "dlt[duckdb,postgres]==1.31.0",
        "duckdb==2.0.0",
        "connectorx==0.4.6",
        "pyarrow==26.0.1",
        "sqlalchemy==2.1.9",
        "pymysql==1.2.4",
    ),
    "connectorx": ("connectorx==0.4.6", "pandas==3.1.1", "pyarrow==26.0.1", "duckdb==2.0.0"),
    "pandas": ("pandas==3.1.1", "pymysql==1.2.4", "duckdb==2.0.0", "supabase==2.34.1"),
    "tpch": ("duckdb==1.5.5", "duckdb-extension-tpch==1.5.5"),
    "duckdb-mysql": ("duckdb==1.5.5", "duckdb-extensions==1.5.5", "duckdb-extension-mysql-scanner==1.5.5"),
}
MARK = "installed.txt"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """An installed tool: `program("dbt")` is the path of its command."""

    name: str
    folder: Path
    versions: dict[str, str]

    @property
    def python(self) -> str:
        return self.program("python")

    def program(self, name: str) -> str:
        return str(self.folder / "bin" / name)


@dataclass(kw_only=True)
class Peers:
    """Installs a peer when it is first asked for; `missing` says why one is not there.

    Without `installs` only those are used that are there: all of them are gigabytes.
    """

    installs: bool = True

    found: dict[str, Peer] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> Peer | None:
        """Return a peer, or None if it can't be installed, which is then said in `missing`."""
        if name not in self.found and name not in self.missing:
            try:
                self.found[name] = find(name, installs=self.installs)
            except BenchmarkError as error:
                self.missing[name] = str(error)
        return self.found.get(name)


def find(name: str, *, installs: bool) -> Peer:
    """Return the peer of this name at its pinned versions; raises BenchmarkError if it can't be had."""
    folder, wanted = FOLDER / name, PINNED[name]
    mark = folder / MARK
    if not mark.exists() or mark.read_text().split("\n") != list(wanted):
        if not installs:
            raise BenchmarkError("is not installed, and CI does not install it")
        venv.create(folder, clear=True, with_pip=True)
        pip = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
        ]
        done = subprocess.run([*pip, *wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchmarkError("could not be installed: " + _last_line(done.stderr))
        mark.write_text("\n".join(wanted))
    return Peer(name=name, folder=folder, versions=dict(map(_version, wanted)))


def _version(requirement: str) -> tuple[str, str]:
    name, _, number = requirement.partition("==")
    return name.partition("[")[0], number


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if "ERROR" in line] or text.strip().splitlines()
    return lines[-1][:200] if lines else "pip said nothing"
