"""Puts the commands together: every file of `commands/` is one, named after it."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from osiris_sql.cli import commands
from osiris_sql.cli.defaults import take_defaults
from osiris_sql.cli.failures import guard
from osiris_sql.cli.front import EXIT_CODES, PANELS, first_page, version_line
from osiris_sql.cli.selecting import SelectingCommand

SHORT = {"help_option_names": ["-h", "--help"]}


class Program(TyperGroup):
    """The program, whose help is the first page."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, which take their defaults as they stand."""
        return take_defaults(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the first page."""
        formatter.write(first_page())


def make_app(asked: str = "") -> typer.Typer:
    """Return the program with every command there is, grouped in the help as in `PANELS`.

    Where `asked` names a command only that one is loaded: the others would cost more than most do.
    """
    app = typer.Typer(
        name="osiris-sql",
        rich_markup_mode="rich",
        context_settings=SHORT,
        pretty_exceptions_enable=False,
        cls=Program,
    )
    app.callback()(_program)
    for module in sorted(_modules(asked), key=lambda m: (PANELS.index(m.PANEL), m.PLACE)):
        name = module.__name__.rpartition(".")[2]
        app.command(
            name,
            cls=SelectingCommand,
            help=_help(module),
            epilog=EXIT_CODES,
            rich_help_panel=module.PANEL,
            context_settings=SHORT,
        )(guard(module.command))
    return app


def _modules(asked: str) -> list[ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    wanted = [asked] if asked in names else names
    return [import_module(f"{commands.__name__}.{name}") for name in wanted]


def _help(module: ModuleType) -> str:
    """The docstring with each paragraph on one line, to be wrapped to the terminal, and the examples."""
    paragraphs = (" ".join(text.split()) for text in module.command.__doc__.split("\n\n"))
    examples = (f"  [cyan]{line}[/cyan]" for line in module.EXAMPLES)
    return "\n\n".join([*paragraphs, "\n".join(["[bold]Examples[/bold]", *examples])])


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(version_line())
        raise typer.Exit


def _program(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """What is asked of the program itself."""
