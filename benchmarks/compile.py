"""Compiling beside dbt's parse, which knows no column, type, lineage or verdict; and sqlglot's parse alone.

Cold: nothing is remembered (dbt: `--no-partial-parse`). Warm: nothing has changed. Edited: one model has a
new line. Every model names its two parents by `ref()`.
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
from benchmarks.program.shape import Benchmark, BenchmarkError, Contender, Series
from benchmarks.projects.reports import report_models
from benchmarks.projects.tools import forget, write_dbt, write_osiris

PARSE = """import pathlib, re, sys, sqlglot
for path in pathlib.Path("models").glob("*.sql"):
    sqlglot.parse_one(re.sub(r"\\{\\{.*?\\}\\}", "x", path.read_text()), read="duckdb")
"""
TABLE = re.compile(r"\bfrom (r\d+|entries)\b")
EDITS = count()
SIZES = (100, 1000, 5000)


def referring_models(size: int) -> dict[str, str]:
    """Return models that name each other as dbt wants it."""
    return {name: TABLE.sub(r"from {{ ref('\1') }}", sql) for name, sql in report_models(size).items()}


def cold(place: Place, size: int) -> list[Contender]:
    found = contenders(place, size, "parse", "--no-partial-parse")
    ours = found[0].folder
    root = write_osiris(place.subfolder("parsed"), referring_models(size))
    parse = [sys.executable, "-c", PARSE]
    limit = Contender(name="sqlglot parse", role="limit", command=parse, folder=root, environ=plain_environ())
    return [replace(found[0], before=lambda: forget(ours, ".osiris")), *found[1:], limit]


def warm(place: Place, size: int) -> list[Contender]:
    found = contenders(place, size, "parse")
    for contender in found:
        run_command(contender.command, contender.folder, contender.environ)
    return found


def edited(place: Place, size: int) -> list[Contender]:
    return [replace(one, before=partial(edit, one.folder)) for one in warm(place, size)]


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
        command = [peer.program("dbt"), "--quiet", *words]
        name = f"dbt {' '.join(words)}"
        found.append(Contender(name=name, role="peer", command=command, folder=root, environ=around))
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


BENCHMARK = Benchmark(
    measures="compiling a project: names, types, lineage and determinism",
    data="models of 30 lines with CTEs, joins and windows",
    limit="sqlglot's parse of the same files, which every compiler in Python has in it",
    peers=("dbt",),
    series=[
        Series(
            name="cold",
            title="Nothing remembered",
            unit="models",
            sizes=SIZES,
            quick=10,
            prepare=cold,
            rounds=3,
            goal="at most the time of `dbt parse --no-partial-parse`, half of it if it can be",
        ),
        Series(
            name="warm",
            title="Nothing changed",
            unit="models",
            sizes=SIZES,
            quick=10,
            prepare=warm,
            goal="under a tenth of dbt's parse with nothing changed",
        ),
        Series(
            name="edited",
            title="One model edited",
            unit="models",
            sizes=SIZES,
            quick=10,
            prepare=edited,
            rounds=3,
            goal="under 300 ms beyond imports at 1,000 models",
        ),
    ],
)
