"""The findings of lint on the screen, and the files that a person named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from osiris_sql.cli import screen
from osiris_sql.cli.lint_formats import FORMATS
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError
from osiris_sql.types.project import Project


def paths_in_project(paths: Sequence[Path], root: Path) -> list[str]:
    """Return paths, given relative to where the person stands, relative to the project's root.

    Raises ProjectError for those that do not exist or lie outside.
    """
    inside, wrong = [], []
    for path in paths:
        full = path.resolve()
        if full.exists() and full.is_relative_to(root):
            inside.append(full.relative_to(root).as_posix())
        else:
            what = "is outside the project" if full.exists() else "does not exist"
            wrong.append(Diagnostic(rule="unknown-path", message=f"{path} {what}", why=f"project: {root}"))
    if wrong:
        raise ProjectError(*wrong)
    return inside


def models_alone(project: Project, paths: Sequence[str]) -> set[str] | None:
    """Return the models that some files are, or None if one is another file or a folder, or none is named.

    What is said of models alone needs nothing else to be compiled.
    """
    nodes = {model.path: model.node for model in project.models}
    return {nodes[path] for path in paths} if paths and all(path in nodes for path in paths) else None


def show_findings(findings: Sequence[Diagnostic], root: Path, output: str) -> None:
    """Print findings to stdout in a format, and to stderr how many there are."""
    if output in FORMATS:
        text = FORMATS[output](findings)
        screen.write(f"{text}\n" if text else "")
    elif findings:
        from osiris_sql.support.excerpt import diagnostics_text  # machines need no rich

        secret = {_line(f) for f in findings if f.rule == "secret-in-sql"}
        shown = [_without_line(f) if _line(f) in secret else f for f in findings]
        screen.print_text(diagnostics_text(shown, root))
    counts = Counter(finding.severity for finding in findings)
    said = [
        f"{counts[s]} {s}{'s' if counts[s] > 1 else ''}" for s in ("error", "warning", "info") if counts[s]
    ]
    if output == "text":
        screen.err().print(", ".join(said) or "no findings", style="bold" if said else "green")


def _line(finding: Diagnostic) -> tuple[str, int | None] | None:
    return (finding.location.path, finding.location.line) if finding.location else None


def _without_line(finding: Diagnostic) -> Diagnostic:
    """Return a finding whose line is said, but not shown: there is a secret in it."""
    at = finding.location
    if at is None or at.line is None:
        return finding
    message = f"{finding.message}, in line {at.line}"
    return replace(finding, message=message, location=Location(path=at.path))
