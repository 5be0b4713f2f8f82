"""The page of the rules, made of their docstrings; `python -m osiris_sql.lint.page` prints it."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from types import ModuleType
from typing import cast

from osiris_sql.lint.rule_table import rule_table

_HEAD = """# Lint rules

<!-- Made from the docstrings of osiris_sql/lint/rules by `python -m osiris_sql.lint.page`. -->

    osiris-sql lint [PATHS] [--fix | --diff] [--format text|json|sarif|github]

needs no connection. Exit code 1 if there is an error or a warning; findings of severity `info` are only
shown. With files as arguments (as pre-commit gives them) only these are linted, and only they and what they
read are compiled. A rule that can't be sure is silent.

`--fix` mends what it can without changing what a query means. It edits the author's text, where that is
no product of a template, compiles the result, and keeps an edit only if columns, types, configuration and
verdict are the same; then again until nothing more is found. Line ends, comments about what stays, links
and permissions are kept. `--diff` shows it and writes nothing.

`-- noqa: rule-name, other-rule` at the end of a line silences rules there (`/* noqa: … */` and
`{# noqa: … #}` do too; in a file of macros it silences what stands in that line of it). One that silences
nothing, or names no rule, is a finding itself. A rule that there is not is told here, too:

    [tool.osiris-sql.lint]
    ignore = ["missing-description"]

    [tool.osiris-sql.lint.per_folder]
    "models/staging" = ["missing-test"]

    [tool.osiris-sql.lint.severity]
    "union-distinct" = "info"

What the compiler calls unsafe (the rules marked *determinism*) still stops a build where lint is told to be
silent; `config(determinism='declared', reason='…')` takes it on.

| rule | finds | severity | `--fix` |
|---|---|---|---|
"""


@dataclass(frozen=True)
class RulePage:
    """A rule as its docstring says it: `bad` and `good` are SQL, or YAML of a published model."""

    name: str
    what: str
    why: str
    bad: str
    good: str
    severity: str
    is_mended: bool
    is_verdict: bool


def read_page(name: str) -> RulePage:
    """Return the page of a rule; raises ValueError if its docstring lacks a part."""
    module = cast("ModuleType", rule_table()[name])
    text = inspect.getdoc(module) or ""
    found = re.fullmatch(r"(.+?)\n\nWhy: (.+?)\n\nBad:\n(.+?)\n\nGood:\n(.+?)", text, re.DOTALL)
    if found is None:
        raise ValueError(f"{name}: the docstring is not What, Why:, Bad:, Good:")
    what, why, bad, good = (inspect.cleandoc(part) for part in found.groups())
    return RulePage(
        name=name,
        what=what,
        why=" ".join(why.split()),
        bad=bad,
        good=good,
        severity=module.SEVERITY,
        is_mended=hasattr(module, "Edit"),
        is_verdict=getattr(module, "IS_VERDICT", False),
    )


def make_page() -> str:
    """Return the page of all rules, as Markdown."""
    pages = [read_page(name) for name in rule_table()]
    return _HEAD + "\n".join(_row(page) for page in pages) + "\n" + "".join(_section(page) for page in pages)


def _row(page: RulePage) -> str:
    kind = " (*determinism*)" if page.is_verdict else ""
    mended = "yes" if page.is_mended else ""
    return f"| [{page.name}](#{page.name}) | {page.what.rstrip('.')}{kind} | {page.severity} | {mended} |"


def _section(page: RulePage) -> str:
    language = "sql" if page.bad.startswith(("select", "with", "from")) else "yaml"
    why = page.why[0].upper() + page.why[1:]
    return (
        f"\n## {page.name}\n\n{page.what} {why}\n\n"
        f"Bad:\n\n```{language}\n{page.bad}\n```\n\nGood:\n\n```{language}\n{page.good}\n```\n"
    )


if __name__ == "__main__":
    import sys

    sys.stdout.write(make_page())
