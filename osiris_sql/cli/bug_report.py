"""A bug of ours: said in words, its traceback kept in a file without the values of secrets."""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from osiris_sql.cli import screen
from osiris_sql.cli.completion import find_root
from osiris_sql.support.secrets import Redactor, all_env_names

SECRET_WORDS = ("PASS", "SECRET", "TOKEN", "KEY", "DSN", "URL", "CREDENTIAL", "AUTH")


def report_bug(error: Exception, start: Path) -> None:
    """Say on stderr what went wrong in the project at or above `start`, and where its traceback is."""
    root = find_root(start)
    redact = Redactor(_secret_values(root, os.environ))
    text = redact("".join(traceback.format_exception(error)))
    path = _write_report(root, text)
    console = screen.err()
    console.print(f"this is a bug in osiris-sql: {type(error).__name__}", style="bold red", soft_wrap=True)
    console.print(f"  why  {text.rstrip().splitlines()[-1]}", soft_wrap=True)
    console.print(f"  fix  please report it with {path}", soft_wrap=True)


def _write_report(root: Path | None, text: str) -> Path:
    name = f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.txt"
    for folder in ([root / ".osiris"] if root else []) + [Path(tempfile.mkdtemp(prefix="osiris-sql-"))]:
        try:
            folder.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        except OSError:
            continue
        return folder / name
    raise RuntimeError("no folder can be written")


def _secret_values(root: Path | None, environ: Mapping[str, str]) -> list[str]:
    """The values of variables that the project's connections name, and of those named like secrets."""
    named: set[str] = set()
    for file in ("sources.yml", "targets.yml"):
        path = root / file if root else None
        if path and path.is_file():
            named |= set(all_env_names(path.read_text(encoding="utf-8", errors="replace")))
    named |= {name for name in environ if any(word in name.upper() for word in SECRET_WORDS)}
    return [environ[name] for name in sorted(named) if environ.get(name)]
