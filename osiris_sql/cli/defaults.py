"""Options that nobody gave: their defaults are our own, and need no check.

Typer has pydantic check each value, a default too, and to load pydantic takes a quarter of a command that has
nothing to do.
"""

from __future__ import annotations

from functools import partial
from typing import Any


def take_defaults(parameters: list[Any]) -> list[Any]:
    """Return the parameters, each of which from now on takes its default as it stands."""
    for parameter in parameters:
        vars(parameter).setdefault("process_value", partial(_process_value, parameter))
    return parameters


def _process_value(parameter: Any, ctx: Any, value: Any) -> Any:
    if ctx.get_parameter_source(parameter.name).name == "DEFAULT" and not parameter.required:
        return value
    return type(parameter).process_value(parameter, ctx, value)
