"""What a person hands to a command besides names: variables and environment files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osiris_sql.types.diagnostic import Diagnostic, ProjectError

if TYPE_CHECKING:
    from osiris_sql.types.manifest import Manifest
    from osiris_sql.types.project import Project

_LINE = re.compile(r"^(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)$")


def open_project(
    env: str | None, project_dir: Path | None, variables: str | None, env_file: Path | None
) -> Project:
    """Return the project that the common options mean, with the environment file's variables set."""
    from osiris_sql import api

    read_env_file(env_file)
    return api.load_project(project_dir or Path(), env=env, vars=read_vars(variables))


def compile_sound(project: Project) -> Manifest:
    """Return the compiled project; raises ProjectError with every error that loading and compiling found."""
    from osiris_sql import api

    manifest: Manifest = api.compile_project(project)
    errors = tuple(d for d in manifest.diagnostics if d.severity == "error")
    if errors:
        raise ProjectError(*errors)
    return manifest


def read_vars(text: str | None) -> dict[str, Any]:
    """Return the mapping that `--vars` holds; raises ProjectError if it is none."""
    if text is None:
        return {}
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _bad_vars(text, str(error)) from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise _bad_vars(text, "it is not a mapping of names to values")
    return found


def _bad_vars(text: str, why: str) -> ProjectError:
    diagnostic = Diagnostic(
        rule="bad-vars", message=f"--vars can't be read: {text}", why=why, fix="--vars '{first_year: 1990}'"
    )
    return ProjectError(diagnostic)


def read_env_file(path: Path | None) -> None:
    """Set the variables of a file for this process, where they are not set already.

    Lines are NAME=value, perhaps after `export`; quotes round a value are taken off; # begins a comment.
    Raises ProjectError that lists every line which is none of it, and never shows a value.
    """
    if path is None:
        return
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f"the environment file {path} can't be read: {reason}"
        raise ProjectError(Diagnostic(rule="unreadable-file", message=message)) from None
    wrong = []
    for number, line in enumerate(map(str.strip, lines), start=1):
        matched = _LINE.match(line)
        if matched:
            if not os.environ.get(matched["name"]):
                os.environ[matched["name"]] = _unquoted(matched["value"])
        elif line and not line.startswith("#"):
            wrong.append(_bad_line(path, number))
    if wrong:
        raise ProjectError(*wrong)


def _unquoted(value: str) -> str:
    quote = value[:1]
    if quote in ("'", '"') and (end := value.find(quote, 1)) > 0:
        return value[1:end]
    return re.split(r"\s+#", value, maxsplit=1)[0].strip()


def _bad_line(path: Path, number: int) -> Diagnostic:
    return Diagnostic(
        rule="bad-env-line",
        message="this line is not NAME=value",
        why=f"line {number} of {path}",
        fix="one variable a line; a comment begins with #",
    )
