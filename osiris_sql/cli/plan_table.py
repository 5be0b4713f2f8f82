"""A plan for people: each step, what is likely to happen to it and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from osiris_sql.cli.extract_query import extract_query
from osiris_sql.support.excerpt import printable
from osiris_sql.support.secrets import env_names
from osiris_sql.types.plan import Check, Extract, Materialize, Plan, Publish, Step

SETTLED = {"null": "becomes NULL", "text": "is counted, all of it stays text"}
MARKS = {"run": ("+", "green"), "reuse": ("=", "dim"), "run if inputs change": ("~", "yellow")}


def plan_table(plan: Plan) -> Table:
    """Return one row a step: decision, what it is, name, why, and what a publication will do."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    table.add_column()
    for step in plan.steps:
        mark, style = MARKS[step.decision]
        words = Text(printable(step.why), "dim" if step.decision == "reuse" else "")
        if details := _details(step):
            details = printable(details, keep="\n")
            words.append(f"\n{details}", "dim")
        table.add_row(Text(f"{mark} {step.decision}", style), _what(step), _name(step), words)
    return table


def _what(step: Step) -> str:
    if isinstance(step, Extract) and step.node.startswith("seed:"):
        return "seed"
    return step.materialized if isinstance(step, Materialize) else step.kind


def _name(step: Step) -> str:
    return printable(step.node.partition(":")[2])


def _details(step: Step) -> str:
    match step:
        case Publish():
            key = f" by {', '.join(step.key)}" if step.key else ""
            table = f"{step.schema}.{step.table}" if step.schema else step.table
            made = ", made if it is not there" if step.create else ""
            new = ", what was added since the last delivery" if step.series else ""
            said = f"{step.mode}{key}{new}: {step.relation.name} to {step.connection} {table}{made}"
            tests = [f"{_tests(step).removeprefix(', ')} on what arrives"] if step.tests else []
            return "\n".join([said, *step.notes, *tests, *(f"{statement};" for statement in step.ddl)])
        case Extract():
            if step.node.startswith("seed:"):
                return f"{step.location.path}, {len(step.columns)} columns{_tests(step)}"
            most = f", at most {step.max_rows} rows" if step.max_rows else ""
            scan = ", then all keys for deleted rows" if step.scan_deletes else ""
            said = (
                f"{step.mode}, {len(step.columns)} columns from {step.connection}{most}{scan}{_tests(step)}"
            )
            over = [step.reading] if step.reading else []
            settled = [f"{p.column}: what is no {p.type} {SETTLED[p.action]}" for p in step.policies]
            return "\n".join([said, extract_query(step), *over, *settled])
        case Check():
            return ", ".join(test.name for test in step.tests) + _scans(step)
        case Materialize():
            return "\n".join(filter(None, [step.impact, _tests(step).removeprefix(", ")]))
        case _:
            return ""


def _tests(step: Extract | Materialize | Publish) -> str:
    count = len(step.tests)
    return f", {count} data test{'' if count == 1 else 's'}{_scans(step)}" if count else ""


def _scans(step: Extract | Materialize | Publish | Check) -> str:
    """Say which tests run together, those of one relation that one scan can tell, and which need not."""
    proved = sum(test.proof is not None for test in step.tests)
    sizes = Counter(test.relation for test in step.tests if test.measure and not test.proof).values()
    together = [size for size in sizes if size > 1]
    said = []
    if together:
        scans = "one scan" if len(together) == 1 else f"{len(together)} scans"
        said.append(f"{'all' if sum(together) == len(step.tests) else sum(together)} in {scans}")
    if proved:
        said.append(f"{proved} proved by the SQL")
    return f" ({', '.join(said)})" if said else ""


def plan_totals(plan: Plan) -> Text:
    """Return the plan in one line."""
    counts = Counter[str](step.decision for step in plan.steps)
    said = [f"{counts[decision]} {decision}" for decision in MARKS if counts[decision]]
    steps = f"{len(plan.steps)} step{'' if len(plan.steps) == 1 else 's'}"
    text = Text.assemble((steps, "bold"), f": {', '.join(said)}" if said else "")
    return text.append(f" · {plan.env} · {plan.warehouse} · run clock {plan.run_clock}", "dim")


def carried_relations(plan: Plan) -> Text | None:
    """Return what of the warehouse goes along to another machine, or None of nothing."""
    said = [f"{printable(node.partition(':')[2])} ({_size(size)})" for node, size in plan.carried.items()]
    return Text(f"carried into the sandbox: {', '.join(said)}") if said else None


def _size(stored: int) -> str:
    """A view has no rows of its own."""
    return f"{stored >> 20:,} MB" if stored >> 20 else "under 1 MB" if stored else "view"


def needed_names(plan: Plan, environ: Mapping[str, str]) -> Text | None:
    """Return the variables that a run will need and which of them are not set, or None of none."""
    needed = sorted({name for connection in plan.connections for name in env_names(connection.options)})
    if not needed:
        return None
    said = [(name, "") if environ.get(name) else (f"{name} (not set)", "yellow") for name in needed]
    return Text("a run needs: ").append_text(Text(", ").join([Text(*one) for one in said]))


def leftover_relations(plan: Plan) -> Text | None:
    """Return which relations the project no longer has, or None of none."""
    if not plan.leftovers:
        return None
    names = ", ".join(printable(node.partition(":")[2]) for node in plan.leftovers)
    said = f"no longer in the project, still in the warehouse: {names} (osiris-sql clean --dropped)"
    return Text(said, "yellow")
