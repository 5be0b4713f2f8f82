"""What one render of one template finds out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from osiris_sql.compile.jinja import Missing, calling_place
from osiris_sql.compile.places import find_place
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.noun import Json
from osiris_sql.types.relation import RelationRef


class TemplateStopError(Exception):
    """Ends a render whose error is already recorded."""


class NeedsSchemaError(Exception):
    """Ends a render that asks for the columns of a node that is not compiled yet."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """A value that `config()` was given, and where."""

    value: Json
    location: Location


@dataclass(slots=True)
class Rendering:
    """A render that is running: what it renders, and what it has recorded so far.

    `unresolved` are the relations (schema, name; lower case) that were already reported as unknown; `line`
    is the one being rendered, where no code of Jinja can say it; `is_incomplete` says that a value was
    missing, `undefined` is a name that ended the render.
    """

    path: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    this: RelationRef | None = None
    incremental: bool = False
    config: dict[str, ConfigValue] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    unresolved: set[tuple[str, str]] = field(default_factory=set)
    line: int | None = None
    is_incomplete: bool = False
    undefined: str | None = None

    def place(self, needle: str | None) -> Location:
        """Return where the template expression stands that is calling us; `needle` finds the column."""
        path, line = calling_place() or (self.path, self.line)
        return find_place(self.files, path, line, needle)

    def report(self, rule: str, message: str, needle: str | None, why: str = "", fix: str = "") -> None:
        """Record an error at the expression that is calling; the render goes on."""
        place = self.place(needle)
        self.diagnostics.append(Diagnostic(rule=rule, message=message, location=place, why=why, fix=fix))

    def stop(self, rule: str, message: str, needle: str | None, why: str = "", fix: str = "") -> NoReturn:
        """End the render with an error at the expression that is calling."""
        self.report(rule, message, needle, why, fix)
        self.is_incomplete = True
        raise TemplateStopError

    def miss(self, rule: str, message: str, needle: str, fix: str) -> str:
        """Record that a value is missing and return NULL for it: the render goes on to find the next one."""
        self.report(rule, message, needle, fix=fix)
        self.is_incomplete = True
        return Missing()

    def require(self, right: bool, function: str, form: str) -> None:
        """End the render unless a function was called right."""
        if not right:
            self.stop("wrong-call", f"{function}() was called wrongly", function, fix=f"write {form}")

    def log(self, message: object = "", info: bool = False) -> str:
        """Show a message as a diagnostic of severity info, if `info` is asked for."""
        if info:
            place = self.place(None)
            self.diagnostics.append(
                Diagnostic(rule="log", message=str(message), severity="info", location=place)
            )
        return ""

    def warn(self, message: object = "") -> str:
        """Show a warning of the project's own."""
        place = self.place(None)
        self.diagnostics.append(
            Diagnostic(rule="compiler-warning", message=str(message), severity="warning", location=place)
        )
        return ""

    def refuse(self, message: object = "") -> NoReturn:
        """End the render with an error of the project's own."""
        self.stop("compiler-error", str(message), None)

    def refuse_question(self, name: str) -> NoReturn:
        """End the render because `name` would ask the database."""
        self.stop(
            "needs-connection",
            f"{name}() asks the database",
            name,
            why="templates are rendered before anything runs, without a connection",
            fix="write it as SQL (a join, a subquery), or put the values into vars of the project file",
        )
