"""Finds what is built in or installed: one file a kind, or an entry point of somebody's package."""

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any, Literal

from osiris_sql.types.diagnostic import Diagnostic, ProjectError

Kind = Literal["sources", "engines", "targets", "launchers", "sinks"]


@cache
def plugin_names(kind: Kind) -> tuple[str, ...]:
    """Return the names of a kind, sorted, importing none of them."""
    return tuple(sorted({*_built_in(kind), *(point.name for point in _entry_points(kind))}))


@cache
def load_plugin(kind: Kind, name: str) -> Any:
    """Return the class called `name` of a kind; raises ProjectError that lists what there is.

    A built-in one comes first: what somebody installs can't take its place, and nobody looks for it.
    """
    if name in _built_in(kind):
        return import_module(f"osiris_sql.{kind}.{name}").PLUGIN
    for point in _entry_points(kind):
        if point.name == name:
            return _load_entry_point(point)
    raise ProjectError(
        Diagnostic(
            rule="unknown-type",
            message=f'there is no {kind[:-1]} of type "{name}"',
            why=f"installed: {', '.join(plugin_names(kind))}",
        )
    )


def _built_in(kind: Kind) -> set[str]:
    package = import_module(f"osiris_sql.{kind}")
    return {m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")}


def _load_entry_point(point: Any) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise ProjectError(
            Diagnostic(
                rule="broken-plugin",
                message=f'the plugin "{point.name}" can\'t be loaded: {error}',
                why=f"it is {point.value} of an installed package",
            )
        ) from error


def _entry_points(kind: Kind) -> tuple[Any, ...]:
    from importlib.metadata import entry_points  # what is built in needs none of it

    return tuple(entry_points(group=f"osiris_sql.{kind}"))
