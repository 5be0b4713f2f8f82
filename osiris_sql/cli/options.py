"""The options that commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osiris_sql.cli.completion import complete_environment, complete_node

_PROJECT = "Project"
_NODES = "Selection"

Env = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="NAME",
        help="Environment, such as dev or prod; default: default_env of the project.",
        autocompletion=complete_environment,
        rich_help_panel=_PROJECT,
    ),
]
ProjectDir = Annotated[
    Path | None,
    typer.Option(
        "--project-dir",
        metavar="FOLDER",
        help="A folder of the project; default: this one, or the nearest above that has one.",
        file_okay=False,
        rich_help_panel=_PROJECT,
    ),
]
Vars = Annotated[
    str | None,
    typer.Option(
        "--vars",
        metavar="YAML",
        help="Values for var(), as a YAML or JSON mapping: '{first_year: 1990}'.",
        rich_help_panel=_PROJECT,
    ),
]
EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env-file",
        metavar="FILE",
        help="Read environment variables from FILE (NAME=value lines); those already set win.",
        dir_okay=False,
        rich_help_panel=_PROJECT,
    ),
]
Select = Annotated[
    list[str] | None,
    typer.Option(
        "--select",
        "-s",
        metavar="NODES",
        help="What to take: orders, +orders+, tag:daily, path:models/marts, source:shop, target:app; "
        "words add up, commas intersect. Default: all.",
        autocompletion=complete_node,
        rich_help_panel=_NODES,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="NODES",
        help="What to leave out, in the same words.",
        autocompletion=complete_node,
        rich_help_panel=_NODES,
    ),
]
State = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="RUN|FILE",
        help="What state: and result: compare with: a run's id or a plan file. Default: the last build.",
        rich_help_panel=_NODES,
    ),
]
Defer = Annotated[
    str | None,
    typer.Option(
        "--defer",
        metavar="ENV",
        help="Read what is neither selected nor built here from the warehouse of ENV, which stays as it is.",
        autocompletion=complete_environment,
        rich_help_panel=_NODES,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print JSON for machines to stdout.", rich_help_panel="Output")
]
JUnit = Annotated[
    Path | None,
    typer.Option(
        "--junit",
        metavar="FILE",
        help="Write how tests ended to FILE, as JUnit XML.",
        dir_okay=False,
        rich_help_panel="Output",
    ),
]
WarnError = Annotated[bool, typer.Option("--warn-error", help="A data test fails where it would only warn.")]
On = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="LAUNCHER",
        help="Where it runs: local (this process), child (a process of its own) or e2b (a sandbox).",
    ),
]
Fetch = Annotated[
    bool,
    typer.Option(
        "--fetch", help="With --on e2b: bring the built tables and their state back to this warehouse."
    ),
]
Detach = Annotated[
    bool,
    typer.Option("--detach", help="With --on e2b: let it go on there; runs attach RUN comes back to it."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="The run clock, that now() and current_date mean: 2026-01-31 or 2026-01-31T12:00:00+00:00.",
    ),
]
EventTimeStart = Annotated[
    str | None,
    typer.Option(
        "--event-time-start",
        metavar="TIME",
        help="Build the batches of microbatch models again from this time on, whatever is there.",
    ),
]
EventTimeEnd = Annotated[
    str | None, typer.Option("--event-time-end", metavar="TIME", help="Only batches before this time.")
]
