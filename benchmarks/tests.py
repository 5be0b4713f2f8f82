"""Data tests beside `dbt test`, and beside one hand-written scan a table.

Each table has 8 tests (unique x 2, not_null x 4, accepted_values, relationships), all of which pass. dbt runs
with 4 threads, its parse cached by the warm-up. By hand: one statement a table that answers all 8 questions,
on the same file, by the same DuckDB.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.program.counting import executed
from benchmarks.program.place import Place, environ, osiris, plain_environ
from benchmarks.program.process import run_command
from benchmarks.program.shape import (
    Benchmark,
    BenchmarkError,
    Contender,
    Count,
    Figures,
    Goal,
    Series,
    exactly,
)
from benchmarks.projects.tools import dbt_seconds, last_run, write_dbt, write_osiris

MODEL = """select
  i::bigint as id,
  (i % 1000)::bigint as customer_id,
  case i % 3 when 0 then 'new' when 1 then 'paid' else 'sent' end as state,
  (i % 9973)::decimal(12, 2) as amount,
  date '2020-01-01' + (i % 1000)::integer as day,
  'c' || i as code,
  'note ' || (i % 50) as note
from range({rows}) as r(i)
"""
CUSTOMERS = "select i::bigint as id from range(1000) as r(i)\n"
TESTS = """  - name: {name}
    columns:
      - {{name: id, data_tests: [unique, not_null]}}
      - name: customer_id
        data_tests:
          - not_null
          - relationships: {{arguments: {{to: ref('customers'), field: id}}}}
      - name: state
        data_tests:
          - not_null
          - accepted_values: {{arguments: {{values: [new, paid, sent]}}}}
      - {{name: amount, data_tests: [not_null]}}
      - {{name: code, data_tests: [unique]}}
"""
BY_HAND = """SELECT count(id) - count(DISTINCT id), count(code) - count(DISTINCT code),
  count(*) - count(id), count(*) - count(customer_id), count(*) - count(state), count(*) - count(amount),
  count(*) FILTER (WHERE state NOT IN ('new', 'paid', 'sent')),
  count(*) FILTER (WHERE customer_id NOT IN (SELECT id FROM customers WHERE id IS NOT NULL))
FROM {name}"""
HAND_SCRIPT = """import duckdb, json, sys, time
began = time.perf_counter()
connection = duckdb.connect(sys.argv[1], read_only=True)
for name in sys.argv[2].split(","):
    row = connection.execute(sys.argv[3].replace("{name}", name)).fetchone()
    assert row == (0,) * 8, (name, row)
json.dump(time.perf_counter() - began, open("by_hand.json", "w"))
"""


def prepare(place: Place, tables: int, rows: int) -> list[Contender]:
    names = [f"t{number:04}" for number in range(tables)]
    ours = write_osiris(place.subfolder("osiris"), models_of(names, rows))
    declare(ours, names)
    run_command(osiris("build"), ours, environ())
    by_hand = [sys.executable, "-c", HAND_SCRIPT, str(ours / ".osiris/dev.duckdb"), ",".join(names), BY_HAND]
    found = [
        Contender(
            name="osiris-sql test",
            role="ours",
            command=osiris("test"),
            folder=ours,
            environ=environ(),
            after=lambda: all_passed(ours, 8 * tables),
        ),
        Contender(
            name="by hand",
            role="limit",
            command=by_hand,
            folder=ours,
            environ=plain_environ(),
            after=lambda: {"inside_s": json.loads((ours / "by_hand.json").read_text())},
        ),
    ]
    if peer := place.peer("dbt"):
        root = write_dbt(place.subfolder("dbt"), models_of(names, rows))
        declare(root, names)
        quiet, around = [peer.program("dbt"), "--quiet"], plain_environ(DBT_PROFILES_DIR=str(root))
        run_command([*quiet, "run"], root, around)
        found.append(
            Contender(
                name="dbt test",
                role="peer",
                command=[*quiet, "test"],
                folder=root,
                environ=around,
                after=lambda: {"inside_s": dbt_seconds(root)},
            )
        )
    return found


def models_of(names: list[str], rows: int) -> dict[str, str]:
    return {"customers": CUSTOMERS, **{name: MODEL.format(rows=rows) for name in names}}


def declare(root: Path, names: list[str]) -> None:
    """Write the tests once more for each table, in the words that both tools take."""
    declared = "".join(TESTS.format(name=name) for name in names)
    (root / "models" / "schema.yml").write_text(f"version: 2\nmodels:\n{declared}")


def all_passed(root: Path, tests: int) -> Figures:
    """Return the run's own seconds; raises if a test is missing or did not pass."""
    result = last_run(root)
    passed = sum(test["status"] == "pass" for test in result["tests"])
    if passed != tests:
        raise BenchmarkError(f"{passed} of {tests} tests passed")
    return {"inside_s": result["seconds"]}


def counts(place: Place) -> list[Count]:
    """The 8 tests of a table are one statement; of a larger table it is first looked what costs less."""
    names = ["t0000", "t0001", "t0002"]
    asked = {}
    for rows in (100, 200_000):
        root = write_osiris(place.subfolder(f"counted-{rows}"), models_of(names, rows))
        declare(root, names)
        run_command(osiris("build"), root, environ())
        statements = executed(place, root, "test")
        asked[rows] = sum(any(f'"{name}"' in statement for name in names) for statement in statements)
    return [
        exactly("statements that ask three tables 24 questions", asked[100], 3),
        Count(name="the same of tables of 200,000 rows", found=asked[200_000], at_least=3, at_most=18),
    ]


OF_TEXTS = (
    "nearly all that is left is to unpack a million texts a table and to compare each with the one before: 20"
    " of about 26 ms of processor. Both cores are busy from the first scan to the last; a fifth is start-up."
)
OF_WORDS = (
    "a table of 100 rows has its answers at once; what is left is to write down and to tell eight answers a"
    " table, which nobody does by hand."
)


def faster_than_dbt(size: int, unit: str, reason: str = "") -> Goal:
    return Goal(
        says=f"10 × faster than `dbt test` at {size:,} {unit}",
        found=lambda cost: cost("dbt test") / cost("osiris-sql test"),
        at_least=10,
        size=size,
        reason=reason,
    )


def close_to_by_hand(size: int, unit: str, reason: str = "") -> Goal:
    return Goal(
        says=f"within 1.5 × of a scan by hand, start-up and compiling left out, at {size:,} {unit}",
        found=lambda cost: cost("osiris-sql test", "inside_s") / cost("by hand", "inside_s"),
        at_most=1.5,
        size=size,
        reason=reason,
    )


BENCHMARK = Benchmark(
    measures="data tests, eight a table",
    data="wide: 50 tables of 7 columns; many: tables of 100 rows",
    limit="one hand-written statement a table, on the same file",
    peers=("dbt",),
    counts=counts,
    notes="`inside` leaves out start-up, and parsing or compiling: the tool's own account of its run.",
    series=[
        Series(
            name="wide",
            title="400 tests of 50 tables",
            unit="rows a table",
            sizes=(10_000, 100_000, 1_000_000),
            quick=1000,
            prepare=lambda place, rows: prepare(place, 3 if place.quick else 50, rows),
            rounds=3,
            goals=[
                faster_than_dbt(1_000_000, "rows a table", OF_TEXTS),
                close_to_by_hand(1_000_000, "rows a table"),
            ],
        ),
        Series(
            name="many",
            title="Tables of 100 rows",
            unit="tables",
            sizes=(10, 100, 1000),
            quick=5,
            prepare=lambda place, tables: prepare(place, tables, 100),
            rounds=3,
            goals=[faster_than_dbt(1000, "tables"), close_to_by_hand(1000, "tables", OF_WORDS)],
        ),
    ],
)
