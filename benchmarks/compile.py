"""Compiling beside dbt's parse, SQLMesh's load, and sqlglot's parse alone.

dbt's parse knows no column, type, lineage or verdict. SQLMesh's load (`info --skip-connection`) knows columns
and types. Cold: nothing is remembered (dbt: `--no-partial-parse`). Warm: nothing has changed. Edited: one
model has a new line. For ours and dbt every model names its two parents by `ref()`.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.program.place import Place, environ, osiris, plain_environ
from benchmarks.program.process import run_command
from benchmarks.program.shape import Benchmark, BenchmarkError, Contender, Costs, Goal, Series
from benchmarks.projects.reports import report_models
from benchmarks.projects.tools import (
    SQLMESH_LOAD,
    forget,
    primed,
    write_dbt,
    write_osiris,
    write_sqlmesh,
)

PARSE = """import pathlib, re, sys, sqlglot
for path in pathlib.Path("models").glob("*.sql"):
    sqlglot.parse_one(re.sub(r"\\{\\{.*?\\}\\}", "x", path.read_text()), read="duckdb")
"""
TELL_IMPORTS = """import atexit, sys
def tell():
    names = [name for name, module in sys.modules.items() if getattr(module, "__spec__", None)]
    open("imports.txt", "w").write("\\n".join(names))
atexit.register(tell)
from osiris_sql.cli import main
sys.argv = ["osiris-sql", "compile", "--json"]
main()
"""
IMPORT = """import contextlib, importlib
for name in open("imports.txt").read().split():
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
"""
TABLE = re.compile(r"\bfrom (r\d+|entries)\b")
EDITS = count()
SIZES = (100, 1000, 5000, 10_000)


def referring_models(size: int) -> dict[str, str]:
    """Return models that name each other as dbt wants it."""
    return {name: TABLE.sub(r"from {{ ref('\1') }}", sql) for name, sql in report_models(size).items()}


def cold(place: Place, size: int) -> list[Contender]:
    root = write_osiris(place.subfolder("parsed"), referring_models(size))
    parse = [sys.executable, "-c", PARSE]
    limit = Contender(name="sqlglot parse", role="limit", command=parse, folder=root, environ=plain_environ())
    found = contenders(place, size, "--no-partial-parse")
    return [*(replace(one, before=partial(forget, one.folder, ".osiris", ".cache")) for one in found), limit]


def warm(place: Place, size: int) -> list[Contender]:
    return [primed(one) for one in contenders(place, size)]


def edited(place: Place, size: int) -> list[Contender]:
    found = [primed(replace(one, before=partial(edit, one.folder))) for one in contenders(place, size)]
    ours = found[0].folder
    return [*found, imports_alone(ours)]


def imports_alone(root: Path) -> Contender:
    """What a compile after an edit imports, as the first such told."""
    tell = [sys.executable, "-c", TELL_IMPORTS]

    def before() -> None:
        if not (root / "imports.txt").exists():
            edit(root)  # without one, next to nothing is imported
            run_command(tell, root, environ())

    return Contender(
        name="imports alone",
        role="limit",
        command=[sys.executable, "-c", IMPORT],
        folder=root,
        environ=environ(),
        before=before,
    )


def contenders(place: Place, size: int, *words: str) -> list[Contender]:
    models = referring_models(size)
    ours = write_osiris(place.subfolder("osiris"), models)
    command = ["sh", "-c", '"$@" > compiled.json', "compile", *osiris("compile", "--json")]
    found = [
        Contender(
            name="osiris-sql compile",
            role="ours",
            command=command,
            folder=ours,
            environ=environ(),
            after=lambda: all_compiled(ours, len(models)),
        )
    ]
    if peer := place.peer("dbt"):
        root = write_dbt(place.subfolder("dbt"), models)
        around = plain_environ(DBT_PROFILES_DIR=str(root))
        parse = [peer.program("dbt"), "--quiet", "parse", *words]
        found.append(Contender(name="dbt parse", role="peer", command=parse, folder=root, environ=around))
    if peer := place.peer("sqlmesh"):
        root = write_sqlmesh(place.subfolder("sqlmesh"), models)
        load = [peer.program("sqlmesh"), *SQLMESH_LOAD]
        found.append(
            Contender(name="sqlmesh load", role="peer", command=load, folder=root, environ=plain_environ())
        )
    return found


def edit(root: Path) -> None:
    """Add a line to one model, another each time."""
    path = sorted((root / "models").glob("*.sql"))[-1]
    path.write_text(f"{path.read_text()}-- edit {next(EDITS)}\n")


def all_compiled(root: Path, models: int) -> dict[str, float]:
    """Return nothing to show; raises if a model has no verdict or no columns."""
    found = json.loads((root / "compiled.json").read_text())
    if len(found) != models or not all(one["verdict"] and one["columns"] for one in found):
        raise BenchmarkError(f"{len(found)} of {models} models were compiled")
    return {}


def slower_than_dbt(cost: Costs) -> float:
    return cost("osiris-sql compile") / cost("dbt parse")


BENCHMARK = Benchmark(
    measures="compiling a project: names, types, lineage and determinism",
    data="models of 30 lines with CTEs, joins and windows",
    limit="sqlglot's parse of the same files, which every compiler in Python has in it",
    peers=("dbt", "sqlmesh"),
    series=[
        Series(
            name="cold",
            title="Nothing remembered",
            unit="models",
            sizes=SIZES,
            quick=10,
            prepare=cold,
            rounds=3,
            goals=[
                Goal(
                    says="at most the time of `dbt parse --no-partial-parse`, half of it if it can be",
                    found=slower_than_dbt,
                    at_most=1.0,
                    reason="dbt finds the `ref()`s and reads no SQL; ours has DuckDB bind every model.",
                )
            ],
        ),
        Series(
            name="warm",
            title="Nothing changed",
            unit="models",
            sizes=SIZES,
            quick=10,
            prepare=warm,
            rounds=3,
            goals=[
                Goal(
                    says="under a tenth of dbt's parse with nothing changed",
                    found=slower_than_dbt,
                    at_most=0.1,
                    reason="start-up and imports are most of ours; dbt's parse of few models is short too.",
                )
            ],
        ),
        Series(
            name="edited",
            title="One model edited",
            unit="models",
            sizes=SIZES,
            quick=10,
            prepare=edited,
            rounds=3,
            goals=[
                Goal(
                    says="under 300 ms beyond imports at 1,000 models",
                    found=lambda cost: cost("osiris-sql compile") - cost("imports alone"),
                    at_most=0.3,
                    size=1000,
                    unit="s",
                    reason="DuckDB binds the model and what reads it, over views of all that they read.",
                )
            ],
        ),
    ],
)
