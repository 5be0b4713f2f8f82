"""What the shell offers after Tab: names read from folders and settings, nothing compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

_PREFIX = re.compile(r"^(@|\d*\+)")
METHODS = ("tag:", "path:", "source:", "target:", "config.materialized:", "test_type:")


def complete_node(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Yield selections that begin with `incomplete`; graph operators in front are kept."""
    matched = _PREFIX.match(incomplete)
    operator = matched[0] if matched else ""
    wanted = incomplete[len(operator) :]
    yield from (operator + name for name in _models(_root(ctx)) if name.startswith(wanted))
    if wanted:
        yield from (operator + method for method in METHODS if method.startswith(wanted))


def complete_model(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Yield the names of models that begin with `incomplete`."""
    yield from (name for name in _models(_root(ctx)) if name.startswith(incomplete))


def complete_environment(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Yield the declared environments that begin with `incomplete`."""
    root = _root(ctx)
    declared = read_settings(root).get("environments", ["dev"]) if root else []
    yield from (str(name) for name in declared if str(name).startswith(incomplete))


def find_root(start: Path) -> Path | None:
    """Return the folder at or above `start` that holds a project's settings, or None."""
    here = start.resolve()
    return next((folder for folder in (here, *here.parents) if read_settings(folder)), None)


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what the settings file of a folder says; a broken one says nothing here, and all when it is
    loaded."""
    import tomllib

    for name, keys in (("osiris-sql.toml", ()), ("pyproject.toml", ("tool", "osiris-sql"))):
        try:
            found = tomllib.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for key in keys:
            found = found.get(key, {})
        if found:
            return found
    return {}


def _root(ctx: typer.Context) -> Path | None:
    return find_root(ctx.params.get("project_dir") or Path())


def _models(root: Path | None) -> list[str]:
    return sorted(path.stem for path in (root / "models").rglob("*.sql")) if root else []
