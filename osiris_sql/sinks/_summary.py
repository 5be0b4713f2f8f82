"""What a run did, as a table and the failures under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from osiris_sql.sinks._labels import (
    DONE,
    MARKS,
    Label,
    plural,
    published_text,
    rows_text,
    seconds_text,
    status_word,
)
from osiris_sql.support.excerpt import printable
from osiris_sql.support.rows import rows_table
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.event import StepFinished, TestFinished
from osiris_sql.types.plan import Plan, PlannedTest
from osiris_sql.types.result import RunResult

LONG = 40
"""Steps; of more than these the reused ones are only counted."""
TEST_RULE = "test-failed"
"""The rule of the diagnostics that repeat, at the step, what its failed tests already say."""
BUG_RULE = "internal-error"
"""The rule of a bug of ours; its `why` holds the traceback."""


def steps_table(result: RunResult, labels: Mapping[str, Label]) -> Table:
    """Return one row a step, in the order in which they ended."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold", ratio=None)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True, style="dim")
    tests: dict[str, list[TestFinished]] = {}
    for test in result.tests:
        tests.setdefault(test.step, []).append(test)
    for step in shown_steps(result.steps):
        label = labels.get(step.step) or Label(kind="", what="", name=step.step)
        mark, style = MARKS[step.status]
        table.add_row(
            Text(f"{mark} {status_word(label, step.status)}", style),
            label.what,
            printable(label.name),
            rows_text(step),
            _what_changed(step, tests.get(step.step, [])),
            seconds_text(step.seconds) if step.seconds else "",
        )
    return table


def shown_steps(steps: Sequence[StepFinished]) -> list[StepFinished]:
    """Return the steps worth a line: all of a short run, what was not reused of a long one."""
    return [s for s in steps if len(steps) <= LONG or s.status != "reused"]


def _what_changed(step: StepFinished, tests: Sequence[TestFinished]) -> Text:
    text = Text(published_text(step))
    if step.status in ("reused", "skipped") and not text:
        text.append(printable(step.why), "dim")
    if tests:
        text.append(", " if text else "")
        text.append_text(tests_text(tests))
    elif step.status == "failed" and step.diagnostics:
        text.append(printable(step.diagnostics[0].message.partition("\n")[0]), "red")
    return text


def tests_text(tests: Sequence[TestFinished]) -> Text:
    """Return how tests ended, `4 tests passed, 1 failed`; a reused pass is a pass."""
    counts = Counter[str]("pass" if t.status == "reused" else t.status for t in tests)
    said = [
        (f"{counts[status]} {word}", style)
        for status, word, style in (
            ("pass", "passed", ""),
            ("proved", "proved", ""),
            ("warn", "warned", "yellow"),
            ("fail", "failed", "bold red"),
            ("error", "broken", "bold red"),
        )
        if counts[status]
    ]
    text = Text(f"{'test' if len(tests) == 1 else 'tests'}: ")
    return text.append_text(Text(", ").join([Text(words, style) for words, style in said]))


def failed_tests(result: RunResult, plan: Plan) -> list[RenderableType]:
    """Return each failed or warning test: name, place of its declaration, count, first rows."""
    declared = {(step.id, test.name): test for step in plan.steps for test in getattr(step, "tests", ())}
    found = [t for t in result.tests if t.status not in ("pass", "reused", "proved")]
    folder = f".osiris/runs/{result.run_id}"
    return [
        part for test in found for part in _failed_test(test, declared.get((test.step, test.test)), folder)
    ]


_WORDS = {"warn": ("WARN", "yellow"), "error": ("BROKEN", "bold red")}


def _failed_test(test: TestFinished, declared: PlannedTest | None, folder: str) -> list[RenderableType]:
    word, style = _WORDS.get(test.status, ("FAIL", "bold red"))
    text = Text.assemble((word, style), f" {printable(test.test)}")
    if declared:
        text.append(f"  {printable(str(declared.location))}", "bold")
    if test.failures is not None:
        where = ""
        if declared:
            where = f" in {declared.node.partition(':')[2]}" + (
                f".{declared.column}" if declared.column else ""
            )
        text.append(f"\n     {plural(test.failures, 'offending row')}{printable(where)}{_limits(declared)}")
    parts: list[RenderableType] = [text]
    if test.sample:
        parts.append(
            Padding(rows_table(list(test.sample[0]), [list(r.values()) for r in test.sample]), (0, 0, 0, 5))
        )
    if test.compiled:
        parts.append(Text(f"     SQL   {folder}/{test.compiled}", "dim"))
    if test.stored:
        parts.append(Text(f"     rows  {printable(test.stored)}", "dim"))
    return parts


def _limits(declared: PlannedTest | None) -> str:
    if declared is None:
        return ""
    limit = f", of at most {declared.limit} that are looked for" if declared.limit else ""
    if (declared.error_if, declared.warn_if) == ("!= 0", "!= 0"):
        return limit
    return f"{limit} (warns if {declared.warn_if}, fails if {declared.error_if})"


def failed_steps(result: RunResult) -> list[Diagnostic]:
    """Return what the run and its steps have to say, once, without what the failed tests already said.

    Of a bug of ours only the last line of its traceback: all of it is in the run's events.
    """
    said = [d for step in result.steps for d in step.diagnostics if d.rule != TEST_RULE]
    return [
        replace(d, why=d.why.rstrip().rpartition("\n")[2]) if d.rule == BUG_RULE else d
        for d in dict.fromkeys((*said, *result.diagnostics))
    ]


def total_line(result: RunResult, labels: Mapping[str, Label], root: Path) -> Text:
    """Return the run in one line."""
    word, style = {"success": ("ok", "bold green"), "cancelled": ("interrupted", "bold yellow")}.get(
        result.status, ("failed", "bold red")
    )
    known = (labels.get(s.step) or Label(kind="", what="", name="") for s in result.steps)
    counts = Counter(status_word(label, s.status) for label, s in zip(known, result.steps, strict=True))
    order = [*DONE.values(), "built", "reused", "failed", "skipped", "cancelled"]
    said = [f"{counts[name]} {name}" for name in sorted(counts, key=order.index)]
    text = Text.assemble((word, style), f" in {seconds_text(result.seconds)}")
    if said:
        text.append(f": {', '.join(said)}")
    if result.tests:
        text.append(" · ").append_text(tests_text(result.tests))
    folder = root / ".osiris" / "runs" / result.run_id
    return text.append(f" · {folder.relative_to(root)}", "dim")
