"""A command whose options of many values take them as dbt does: `--select a b --exclude c`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand

from osiris_sql.cli.defaults import take_defaults

MANY = ("--select", "-s", "--exclude")


class SelectingCommand(TyperCommand):
    """Reads every word after `--select`, up to the next option, as one more selection."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, which take their defaults as they stand."""
        return take_defaults(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse with the option repeated in front of each of its words."""
        taken = {name for parameter in self.params for name in parameter.opts}
        return super().parse_args(ctx, repeat_options(args, [name for name in MANY if name in taken]))


def repeat_options(args: Sequence[str], many: Sequence[str]) -> list[str]:
    """Return `args` with each option of `many` repeated in front of its second and further words."""
    repeated: list[str] = []
    option, words = "", 0
    for place, arg in enumerate(args):
        if arg == "--":
            return [*repeated, *args[place:]]
        if arg.startswith("-") and arg != "-":
            option, words = (arg if arg in many else ""), 0
        elif option:
            words += 1
            if words > 1:
                repeated.append(option)
        repeated.append(arg)
    return repeated
