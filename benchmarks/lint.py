"""Linting beside sqlfluff and sqruff, on the same files of thirty lines each.

All take the raw templater. We run as we come: every rule, all cores. sqlfluff runs as it comes, with every
rule on one core; with all cores; and, as sqruff does, with all cores and "like rules" alone: those that ask
what ours ask, of ambiguous queries, references, unused aliases and CTEs. No peer resolves a name over files
or knows a type.
"""

from __future__ import annotations

from benchmarks.program.place import Place, environ, osiris, plain_environ
from benchmarks.program.shape import Benchmark, Contender, Goal, Series
from benchmarks.projects.reports import report_models
from benchmarks.projects.tools import forget, write_osiris

RULES = "AL04,AL05,AL08,AM01,AM02,AM04,AM06,AM07,AM08,AM09,RF01,RF02,RF03,ST03"
SETTINGS = f"[sqlfluff]\ndialect = duckdb\ntemplater = raw\nrules = {RULES}\n"
PEERS = [
    ("sqlfluff", "", ["--rules", "all"]),
    ("sqlfluff", ", all cores", ["--processes", "0", "--rules", "all"]),
    ("sqlfluff", ", all cores, like rules", ["--processes", "0"]),
    ("sqruff", ", like rules", []),
]
SQLFLUFF = [tool + rules for tool, rules, _ in PEERS[:3]]
COMPILING = (
    "a first lint compiles: it finds every name, type and verdict over all files, a quarter of it in DuckDB's"
    " own binder; no linter of single files does. What did not change is not compiled again."
)
FINDINGS_ARE_FINE = ("sh", "-c", '"$@"; [ $? -le 1 ]', "lint")


def prepare(place: Place, size: int) -> list[Contender]:
    root = write_osiris(place.subfolder("project"), report_models(size))
    (root / ".sqlfluff").write_text(SETTINGS)
    found = [
        Contender(
            name=name,
            role="ours",
            command=[*FINDINGS_ARE_FINE, *osiris("lint")],
            folder=root,
            environ=environ(),
            before=lambda kept=kept: None if kept else forget(root, ".osiris"),  # type: ignore[misc]
        )
        for name, kept in (("osiris-sql lint", False), ("osiris-sql lint, again", True))
    ]
    return found + [
        Contender(
            name=f"{tool}{rules}",
            role="peer",
            command=[*FINDINGS_ARE_FINE, peer.program(tool), "lint", "models", *words],
            folder=root,
            environ=plain_environ(),
        )
        for tool, rules, words in PEERS
        if (peer := place.peer(tool))
    ]


def faster_than(peer: str) -> Goal:
    return Goal(
        says=f"20 × faster than {peer} at 1,000 models, nothing remembered",
        found=lambda cost: cost(peer) / cost("osiris-sql lint"),
        at_least=20,
        size=1000,
        reason=COMPILING,
    )


BENCHMARK = Benchmark(
    measures="linting a project: names, types, lineage and determinism; against linters of single files",
    data="models of 30 lines with CTEs, joins and windows",
    limit="none is known; compile.py has the parse of the same files",
    peers=("sqlfluff", "sqruff"),
    series=[
        Series(
            name="files",
            title="A project's files",
            unit="models",
            sizes=(10, 100, 1000),
            quick=5,
            prepare=prepare,
            rounds=3,
            goals=[
                *(faster_than(peer) for peer in SQLFLUFF),
                Goal(
                    says=f"20 × faster than {SQLFLUFF[-1]} at 1,000 models, nothing changed",
                    found=lambda cost: cost(SQLFLUFF[-1]) / cost("osiris-sql lint, again"),
                    at_least=20,
                    size=1000,
                ),
            ],
        )
    ],
)
