"""What it costs that numbers are the same anywhere: the rewritten query beside the plain one.

Ours is the SQL that `osiris-sql` really runs for a model, taken from its plan; the limit is the model as it
was written. Both are run by the same DuckDB on the same table, into a table in memory.
"""

from __future__ import annotations

import json
import sys
from functools import partial

from benchmarks.program.place import Place, environ, osiris, plain_environ
from benchmarks.program.process import run_command
from benchmarks.program.shape import Benchmark, BenchmarkError, Contender, Count, Series, exactly
from benchmarks.projects.tools import last_folder, write_osiris

FACTS = """select
  i::bigint as id,
  (hash(i) % 1000)::integer as customer_id,
  (hash(i + 13) % 100000)::double / 7 as amount,
  'word ' || (hash(i + 5) % 300) as word,
  date '2020-01-01' + (hash(i + 3) % 1500)::integer as day
from range({rows}) as r(i)
"""
QUERIES = {
    "sums": "select customer_id, sum(amount) as total, avg(amount) as mean from facts group by customer_id",
    "texts": "select customer_id, string_agg(word, ',') as words from facts group by customer_id",
    "windows": "select id, customer_id, row_number() over (partition by customer_id order by day) as place"
    " from facts",
    "top": "select * from facts order by amount desc limit 100",
    "proved": "select customer_id, count(*) as orders, max(day) as last_day from facts group by customer_id",
}
TITLES = {
    "sums": "Sums and means of DOUBLE, added in one order",
    "texts": "Texts joined in one order",
    "windows": "Windows with ties broken",
    "top": "LIMIT with ties broken",
    "proved": "A query that needs no rewrite",
}
SCRIPT = """import duckdb, json, sys, time
with duckdb.connect() as connection:
    connection.execute("ATTACH 'facts.duckdb' AS kept (READ_ONLY)")
    connection.execute("SET search_path = 'kept.main,memory.main'")
    began = time.perf_counter()
    connection.execute("CREATE TABLE memory.main.out AS " + open(sys.argv[1]).read())
    print(json.dumps(time.perf_counter() - began), file=open("seconds.json", "w"))
"""
MAKE_FACTS = (
    "import duckdb, sys; duckdb.connect('facts.duckdb').execute('CREATE TABLE facts AS ' + sys.argv[1])"
)


def prepare(query: str, place: Place, rows: int) -> list[Contender]:
    written = QUERIES[query]
    root = place.subfolder("script")
    run_command([sys.executable, "-c", MAKE_FACTS, FACTS.format(rows=rows)], root, plain_environ())
    (root / "script.py").write_text(SCRIPT)
    (root / "written.sql").write_text(written)
    (root / "run.sql").write_text(planned(place, query))
    names = {"as osiris-sql runs it": "run.sql", "as it was written": "written.sql"}
    return [
        Contender(
            name=name,
            role="limit" if file == "written.sql" else "ours",
            command=[sys.executable, "script.py", file],
            folder=root,
            environ=plain_environ(),
            after=lambda: {"inside_s": json.loads((root / "seconds.json").read_text())},
        )
        for name, file in names.items()
    ]


def planned(place: Place, query: str) -> str:
    """Return the SQL that a build of ours runs for this query."""
    models = {"facts": FACTS.format(rows=10), "asked": QUERIES[query] + "\n"}
    root = write_osiris(place.subfolder(f"project-{query}"), models)
    run_command(osiris("build"), root, environ())
    steps = json.loads((last_folder(root) / "plan.json").read_text())["steps"]
    found: str = next(step["sql"] for step in steps if step["id"] == "materialize.asked")
    if (found.strip() == QUERIES[query]) != (query == "proved"):
        raise BenchmarkError(f"{query}: what is rewritten has changed: {found}")
    return found


def counts(place: Place) -> list[Count]:
    """Of five queries the four are rewritten that have to be."""
    changed = [planned(place, query).strip() != written for query, written in QUERIES.items()]
    return [exactly("queries of five that are rewritten", sum(changed), 4)]


BENCHMARK = Benchmark(
    measures="the cost of rewrites that make a query give the same rows anywhere",
    data="facts with 1,000 customers, a DOUBLE with fractions, texts and days",
    limit="the query as it was written, whose rows may differ from run to run",
    counts=counts,
    notes="`inside` is the query alone, without Python's and DuckDB's start.",
    series=[
        Series(
            name=query,
            title=title,
            unit="rows",
            sizes=(100_000, 1_000_000, 10_000_000),
            quick=1000,
            prepare=partial(prepare, query),
            rounds=3,
        )
        for query, title in TITLES.items()
    ],
)
