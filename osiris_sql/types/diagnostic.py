"""What went wrong, said to the person at the keyboard: where, what, why, and how to fix it."""

from typing import Literal

from osiris_sql.types.noun import noun

Severity = Literal["error", "warning", "info"]


@noun
class Location:
    """A place in a file of the project; `path` is relative to its root, line and column count from 1."""

    path: str
    line: int | None = None
    column: int | None = None
    length: int = 1

    def __str__(self) -> str:
        parts = [self.path, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


@noun
class Diagnostic:
    """One finding: `message` says what, `why` gives the facts behind it, `fix` the next thing to do."""

    rule: str
    message: str
    severity: Severity = "error"
    location: Location | None = None
    why: str = ""
    fix: str = ""


class OsirisError(Exception):
    """A failure that a person can act on; never shown with a traceback.

    `exit_code` is what the command line ends with; subclasses differ by what the person can do.
    """

    exit_code = 1

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("\n".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics


class ProjectError(OsirisError):
    """The project's files or the call are wrong: edit them (exit code 2)."""

    exit_code = 2


class UnreachableError(OsirisError):
    """A server, a warehouse or a sandbox can't be reached, or refuses us (exit code 3)."""

    exit_code = 3


class StepError(OsirisError):
    """A step failed while it ran: the data or the other side said no (exit code 1)."""


class UnaskedError(StepError):
    """The database could not answer the query of a data test, or one that asks several at once."""


class CancelledError(OsirisError):
    """The person pressed Ctrl-C (exit code 130)."""

    exit_code = 130
