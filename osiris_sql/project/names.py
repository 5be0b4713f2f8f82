"""Names: what they may look like, that each is taken once, and that a reference finds one."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from osiris_sql.project.shape import Report
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, Location

NAME_PATTERN = r"^\w[\w-]*$"


def is_name(text: str) -> bool:
    """Say whether `text` is letters, digits, `_` and `-` only: it must fit in a node's id."""
    return text[:1] not in ("", "-") and all(c.isalnum() or c in "_-" for c in text)


def _check_name(text: str) -> str:
    if not is_name(text):
        raise ValueError("must hold only letters, digits, _ and -")
    return text


Name = Annotated[
    str, AfterValidator(_check_name), WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})
]
"""The name of something of the project."""


class Taken:
    """Remembers which names are taken, and where; names are compared without case, as DuckDB does."""

    def __init__(self, what: str, report: Report) -> None:
        self._what = what
        self._report = report
        self._places: dict[str, Location] = {}

    def take(self, name: str, location: Location, fix: str = "") -> bool:
        """Return whether the name was free; report both places if it was not."""
        first = self._places.setdefault(name.lower(), location)
        if first is location:
            return True
        self._report(
            Diagnostic(
                rule="duplicate-name",
                message=f'there are two {self._what} named "{name}"',
                location=location,
                why=f"the other one: {first}",
                fix=fix,
            )
        )
        return False


def unknown_name(what: str, name: str, known: Iterable[str], location: Location) -> Diagnostic:
    """Return the diagnostic of a reference to a `what` (such as `model`) that does not exist."""
    names = sorted(known)
    why = "" if names else f"the project has no {what} at all"
    return Diagnostic(
        rule=f"unknown-{what.replace(' ', '-')}",
        message=f'there is no {what} "{name}"',
        location=location,
        why=why,
        fix=did_you_mean(name, names),
    )
