"""Suppressions: `-- noqa: rule-name` on a line silences that rule there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from osiris_sql.types.diagnostic import Diagnostic, Location

_COMMENT = re.compile(r"--\s*noqa:\s*([a-z][a-z0-9-]*(?:\s*,\s*[a-z][a-z0-9-]*)*)")


class Suppressions:
    """The `noqa` comments of one file; one that silences nothing is itself a finding."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._unused: dict[tuple[int, str], int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            for comment in _COMMENT.finditer(line):
                for name in re.split(r"\s*,\s*", comment[1]):
                    self._unused[number, name] = comment.start() + 1
        self._all = frozenset(self._unused)

    def apply(self, findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """Return the findings that no comment silences, then the comments that silenced nothing."""
        for finding in findings:
            line = finding.location.line if finding.location else None
            if line is None or (line, finding.rule) not in self._all:
                yield finding
            else:
                self._unused.pop((line, finding.rule), None)
        for (line, name), column in self._unused.items():
            yield Diagnostic(
                rule="unused-noqa",
                severity="warning",
                message=f"`noqa: {name}` silences nothing",
                location=Location(path=self._path, line=line, column=column),
                fix="remove it",
            )
