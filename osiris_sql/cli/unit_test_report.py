"""How unit tests ended, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from osiris_sql.cli import screen
from osiris_sql.support import wire
from osiris_sql.support.excerpt import printable
from osiris_sql.types.manifest import UnitTestResult


def show_unit_tests(results: Sequence[UnitTestResult], *, as_json: bool) -> None:
    """Print one line a unit test, and for one that failed its place and the cells that differ.

    For machines a line is like that of an event, without number and time: it comes before the run.
    """
    for result in results:
        if as_json:
            body = {"kind": "unit_test_finished", **wire.to_data(result)}
            screen.write(wire.dump_canonical({"body": body}) + "\n")
        else:
            screen.out().print(_report(result), soft_wrap=True)


def show_failed(results: Sequence[UnitTestResult]) -> None:
    """Print how many unit tests did not pass, behind a run that speaks of its own steps alone."""
    failed = sum(result.status != "pass" for result in results)
    if failed:
        screen.out().print(Text(f"failed: {failed} of the unit tests ({len(results)})", "bold red"))


def _report(result: UnitTestResult) -> Text:
    name = printable(f"{result.model}: {result.name}")
    if result.status == "pass":
        return Text.assemble(("✓ unit test  ", "green"), name)
    word = "✗ unit test  " if result.status == "fail" else "✗ unit test is broken  "
    text = Text.assemble((word, "bold red"), name, (f"  {printable(str(result.location))}", "bold"))
    for line in result.diff.rstrip("\n").splitlines():
        text.append(f"\n     {printable(line)}")
    return text
