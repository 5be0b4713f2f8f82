"""Findings of lint for people, editors and code hosts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import osiris_sql
from osiris_sql.support import wire
from osiris_sql.types.diagnostic import Diagnostic

_SARIF_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def as_json(findings: Sequence[Diagnostic]) -> str:
    """Return findings as a JSON list of diagnostics."""
    return json.dumps([wire.to_data(finding) for finding in findings], ensure_ascii=False, indent=2)


def as_sarif(findings: Sequence[Diagnostic]) -> str:
    """Return findings as SARIF 2.1.0, which code hosts and editors read."""
    rules = sorted({finding.rule for finding in findings})
    driver = {
        "name": "osiris-sql",
        "version": osiris_sql.__version__,
        "rules": [{"id": rule} for rule in rules],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(finding, rules) for finding in findings],
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2)


def _sarif_result(finding: Diagnostic, rules: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": _SARIF_LEVELS[finding.severity],
        "message": {"text": _sentences(finding)},
    }
    at = finding.location
    if at:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(Path(at.path).as_posix())}}
        if at.line:
            place["region"] = {"startLine": at.line}
            if at.column:
                place["region"] |= {"startColumn": at.column, "endColumn": at.column + at.length}
        result["locations"] = [{"physicalLocation": place}]
    return result


def as_github(findings: Sequence[Diagnostic]) -> str:
    """Return findings as GitHub's workflow commands, which become annotations of a pull request."""
    return "\n".join(_github_line(finding) for finding in findings)


def _github_line(finding: Diagnostic) -> str:
    properties = {"title": f"osiris-sql {finding.rule}"}
    if at := finding.location:
        properties |= {"file": at.path}
        if at.line:
            properties |= {"line": str(at.line)}
        if at.line and at.column:
            properties |= {"col": str(at.column), "endColumn": str(at.column + at.length)}
    said = ",".join(f"{key}={_escape(value, ':,')}" for key, value in properties.items())
    return f"::{_GITHUB_LEVELS[finding.severity]} {said}::{_escape(_sentences(finding))}"


def _escape(text: str, also: str = "") -> str:
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _sentences(finding: Diagnostic) -> str:
    return "\n".join(part for part in (finding.message, finding.why, finding.fix) if part)


FORMATS: Mapping[str, Callable[[Sequence[Diagnostic]], str]] = {
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
