"""Suppressions: `-- noqa: rule-name` on a line silences that rule there, in a comment of any kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from osiris_sql.lint.rule_table import rule_table
from osiris_sql.support.nearest import nearest_name
from osiris_sql.types.diagnostic import Diagnostic, Location

_COMMENT = re.compile(
    r"(?:--|/\*|\{#-?)\s*noqa\b(?::\s*([a-z][\w-]*(?:\s*,\s*[a-z][\w-]*)*))?", re.IGNORECASE
)


class Suppressions:
    """The `noqa` comments of one file; one that silences nothing is itself a finding."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._unused: dict[tuple[int, str], int] = {}
        for number, line in enumerate(text.split("\n") if "noqa" in text.lower() else (), 1):
            for comment in _COMMENT.finditer(line):
                for name in re.split(r"\s*,\s*", (comment[1] or "").lower()):
                    self._unused[number, name] = comment.start() + 1
        self._all = frozenset(self._unused)

    def silence(self, finding: Diagnostic) -> bool:
        """Say whether a comment of the file silences a finding."""
        at = finding.location
        key = (at.line or 0, finding.rule) if at and at.path == self._path else (0, "")
        self._unused.pop(key, None)
        return key in self._all

    def apply(self, findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """Return the findings that no comment silences, then the comments that silenced nothing."""
        yield from (finding for finding in findings if not self.silence(finding))
        for (line, name), column in self._unused.items():
            yield Diagnostic(
                rule="unused-noqa",
                severity="warning",
                message=f"`noqa: {name}` silences nothing" if name else "`noqa` names no rule",
                location=Location(path=self._path, line=line, column=column),
                fix=_fix(name),
            )


def _fix(name: str) -> str:
    known = rule_table()
    nearest = None if name in known else nearest_name(name, known)
    if nearest:
        return f'did you mean "{nearest}"?'
    return "remove it" if name else "write noqa: and the names of rules"
