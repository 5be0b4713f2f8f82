"""What a sandbox costs beside this machine, on the tests' server of E2B's wire: no network, no VM."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from benchmarks.program.machine import ROOT
from benchmarks.program.place import Place, environ, osiris
from benchmarks.program.process import run_command
from benchmarks.program.shape import (
    Benchmark,
    BenchmarkError,
    Contender,
    Costs,
    Count,
    Figures,
    Goal,
    Series,
    exactly,
)
from benchmarks.projects.layered import layered_models
from benchmarks.projects.sandboxes import nothing_is_left, sandboxes, there
from benchmarks.projects.tools import write_osiris

RAW = """
import sys, time
from pathlib import Path
from e2b import E2B
import os
client = E2B(api_key=os.environ["E2B_API_KEY"], api_url=os.environ["E2B_API_URL"],
             sandbox_url=os.environ["E2B_SANDBOX_URL"])
box = client.Sandbox.create("osiris-test", timeout=600)
try:
    with open(sys.argv[1], "rb") as file:
        box.files.write("table.duckdb", file)
    with open(sys.argv[2], "wb") as back:
        for piece in box.files.read("table.duckdb", format="stream"):
            back.write(piece)
finally:
    box.kill()
"""
ENDLESS = (
    "select count(*)::bigint as id from range(100000) a, range(100000) b where hash(a.range, b.range) = 1\n"
)


def build(place: Place, size: int) -> list[Contender]:
    """The first build of `size` models, which carries nothing and brings nothing back."""
    given, models = there(place), layered_models(size)

    def ours(name: str, role: str, *words: str) -> Contender:
        root = write_osiris(place.subfolder(name.replace(" ", "-")), models)
        return Contender(
            name=name,
            role=role,  # type: ignore[arg-type]
            command=osiris("build", *words),
            folder=root,
            environ=given,
            before=lambda: shutil.rmtree(root / ".osiris", ignore_errors=True),
            after=lambda: nothing_is_left(place),
        )

    imports = [sys.executable, "-c", "import e2b, connectrpc, httpx"]
    return [
        ours("build --on e2b", "ours", "--on", "e2b"),
        ours("build", "limit"),
        Contender(
            name="python -c 'import e2b'", role="limit", command=imports, folder=place.folder, environ=given
        ),
    ]


def carry(place: Place, size: int) -> list[Contender]:
    """A table of `size` megabytes goes there, and a copy of it comes back into the warehouse here."""
    given = there(place)
    rows = size * 125_000
    models = {
        "base": f"select i::bigint as id, hash(i) as v from range({rows}) as r(i)\n",
        "copied": "select id, v from {{ ref('base') }}\n",
    }
    first = write_osiris(place.subfolder("first"), models)
    run_command(osiris("build", "--select", "base"), first, environ())
    shutil.rmtree(first / ".osiris" / "runs")
    table = first / ".osiris" / "dev.duckdb"

    def ours(name: str, role: str, *words: str) -> Contender:
        root = write_osiris(place.subfolder(name.replace(" ", "-")), models)

        def before() -> None:
            shutil.rmtree(root / ".osiris", ignore_errors=True)
            shutil.copytree(first / ".osiris", root / ".osiris")

        def after() -> Figures:
            with duckdb.connect(root / ".osiris" / "dev.duckdb", read_only=True) as connection:
                [(found,)] = connection.execute("SELECT count(*) FROM copied").fetchall()
            if found != rows:
                raise BenchmarkError(f"{found} of {rows} rows came back")
            return {"carried_mb": table.stat().st_size / 1e6, **nothing_is_left(place)}

        return Contender(
            name=name,
            role=role,  # type: ignore[arg-type]
            command=osiris("build", "--select", "copied", *words),
            folder=root,
            environ=given,
            before=before,
            after=after,
        )

    raw = [sys.executable, "-c", RAW, str(table), str(place.folder / "back.duckdb")]
    return [
        ours("build --on e2b --fetch", "ours", "--on", "e2b", "--fetch"),
        ours("build", "limit"),
        Contender(name="the SDK: write, read", role="limit", command=raw, folder=place.folder, environ=given),
    ]


def cancel(place: Place, size: int) -> list[Contender]:
    """From Ctrl-C in the middle of a query to the end of the command, after `size` other models."""
    given = there(place)
    root = write_osiris(place.subfolder("cancelled"), {**layered_models(size), "z_endless": ENDLESS})
    return [
        Contender(
            name="Ctrl-C, --on e2b",
            role="ours",
            command=[sys.executable, "-m", "benchmarks.e2b", str(root)],
            folder=ROOT,
            environ=given,
            before=lambda: shutil.rmtree(root / ".osiris", ignore_errors=True),
            after=lambda: {"cancelled_s": float((root / "cancelled").read_text()), **nothing_is_left(place)},
        )
    ]


def interrupt(root: Path) -> None:
    """Build in a sandbox, press Ctrl-C in the endless model, and write down how long the end took."""
    with subprocess.Popen(
        osiris("build", "--on", "e2b", "--json"), cwd=root, stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        for line in process.stdout or ():
            if '"step_started"' in line and "z_endless" in line:
                break
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        if process.wait() != 130:
            raise BenchmarkError(f"ended with {process.returncode}")
    (root / "cancelled").write_text(str(time.monotonic() - pressed))


def counts(place: Place) -> list[Count]:
    """A build there makes one sandbox, asks E2B's API for little, and leaves nothing."""
    server, root = place.servers.get(sandboxes), write_osiris(place.subfolder("counted"), layered_models(3))
    made, calls = len(server.sandboxes.every), len(server.transcript.calls)
    run_command(osiris("build", "--on", "e2b"), root, there(place))
    api = [call for call in server.transcript.calls[calls:] if "/process.Process/" not in call]
    return [
        exactly("sandboxes made by a build", len(server.sandboxes.every) - made, 1),
        exactly("sandboxes left by a build", len(server.sandboxes.running()), 0),
        Count(name="calls of a build beside commands", found=len(api), at_most=6),
    ]


def more(cost: Costs, contender: str) -> float:
    """Return what a table of the larger size takes beyond one of a megabyte."""
    return cost(contender) - cost(contender, size=1)


BENCHMARK = Benchmark(
    measures="what a build in a sandbox costs beside the same build here; carrying a table; Ctrl-C",
    data="layered models; a table of random 64-bit numbers, which no compression makes smaller",
    limit="the same build here; the SDK's own upload and download of the same file",
    series=[
        Series(
            name="build",
            title="A first build, which carries nothing",
            unit="models",
            sizes=(3, 30, 100),
            quick=3,
            prepare=build,
            goals=[
                Goal(
                    says="less than 3 s over the build here and the import of the SDK",
                    found=lambda cost: (
                        cost("build --on e2b") - cost("build") - cost("python -c 'import e2b'")
                    ),
                    at_most=3,
                    unit="s",
                )
            ],
        ),
        Series(
            name="carry",
            title="A table out, and its copy back into the warehouse",
            unit="MB",
            sizes=(1, 10, 50),
            quick=1,
            prepare=carry,
            goals=[
                Goal(
                    says="beyond the smallest size, at least half as fast as the SDK alone at 50 MB",
                    found=lambda cost: (
                        more(cost, "the SDK: write, read") / more(cost, "build --on e2b --fetch")
                    ),
                    at_least=0.5,
                    size=50,
                    reason="DuckDB copies the table four times: whole into a file that goes along, by the"
                    " model, into the file that comes back, and into the warehouse in one transaction.",
                )
            ],
        ),
        Series(
            name="cancel",
            title="Ctrl-C in the middle of a query",
            unit="models",
            sizes=(1, 3, 10),
            quick=1,
            prepare=cancel,
            goals=[
                Goal(
                    says="cancelled within 2 s",
                    found=lambda cost: cost("Ctrl-C, --on e2b", "cancelled_s"),
                    at_most=2,
                    unit="s",
                )
            ],
        ),
    ],
    counts=counts,
    notes="The tests' server runs real processes on this machine: what is measured is ours, not E2B's.",
)

if __name__ == "__main__":
    interrupt(Path(sys.argv[1]))
