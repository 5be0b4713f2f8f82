"""Says what went wrong inside a template, in the file and line that its author wrote."""

import re
from collections.abc import Iterable, Mapping

from jinja2 import TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from osiris_sql.compile.jinja import MacroReturn, raising_places
from osiris_sql.compile.places import find_place
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, Location

_NO_PACKAGES = "packages are not used here: copy the macro into macros/ and call it by its own name"


def explain_syntax(
    error: TemplateSyntaxError, path: str, files: Mapping[str, str], filters: Iterable[str]
) -> Diagnostic:
    """Return the diagnostic for a template that Jinja can't read."""
    message = error.message or "the template can't be read"
    unknown = re.match(r"No (filter|test) named '(.+?)'", message)
    if unknown:
        what, name = unknown.groups()
        return Diagnostic(
            rule=f"unknown-{what}",
            message=f'there is no Jinja {what} "{name}"',
            location=find_place(files, path, error.lineno, name),
            fix=did_you_mean(name, filters) if what == "filter" else "",
        )
    tag = re.search(r"unknown tag '(.+?)'", message)
    needle = tag.group(1) if tag else None
    return Diagnostic(
        rule="template-syntax",
        message=message[0].lower() + message[1:].rstrip("."),
        location=find_place(files, path, error.lineno, needle),
    )


def explain_failure(
    error: BaseException, path: str, files: Mapping[str, str], names: Iterable[str]
) -> Diagnostic:
    """Return the diagnostic for a template that failed while it was rendered."""
    text = str(error)
    undefined = re.match(r"'([^']+)' is undefined", text)
    if isinstance(error, UndefinedError) and undefined:
        name = undefined.group(1)
        place = _blame(error, path, files, name)
        return Diagnostic(
            rule="unknown-name",
            message=f'"{name}" is not a variable, function or macro that templates know',
            location=place,
            fix=did_you_mean(name, names, _package_hint(name, place, files)),
        )
    if isinstance(error, MacroReturn):
        return Diagnostic(
            rule="wrong-call",
            message="return() stands outside of a macro",
            location=_blame(error, path, files, "return"),
        )
    rule = "unknown-name" if isinstance(error, UndefinedError) else "template-failure"
    if isinstance(error, SecurityError):
        rule = "unsafe-template"
    if isinstance(error, RecursionError):
        text = "a macro calls itself without end"
    message = text or type(error).__name__
    return Diagnostic(rule=rule, message=message, location=_blame(error, path, files, _quoted(message)))


def _blame(error: BaseException, path: str, files: Mapping[str, str], needle: str | None) -> Location:
    """Return the innermost expression that holds `needle`: a macro is not to blame for its caller's word."""
    places = [find_place(files, at, line, needle) for at, line in raising_places(error)]
    exact = (place for place in places if place.column)
    return next(exact, places[0] if places else Location(path=path))


def _quoted(message: str) -> str | None:
    names = re.findall(r"'([A-Za-z_]\w*)'", message)
    return names[0] if names else None


def _package_hint(name: str, place: Location, files: Mapping[str, str]) -> str:
    text = files.get(place.path, "").split("\n")
    line = text[place.line - 1] if place.line and place.line <= len(text) else ""
    return _NO_PACKAGES if re.search(rf"\b{re.escape(name)}\.\w+\s*\(", line) else ""
