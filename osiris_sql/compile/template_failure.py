"""Says what went wrong inside a template, in the file and line that its author wrote."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from jinja2 import Environment, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError

from osiris_sql.compile.jinja import MacroReturn, raising_places
from osiris_sql.compile.places import find_place, place_at
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, Location

# Jinja's own words
_REFUSED = re.compile(r"macro '(?P<name>\w+)' (?P<what>takes .+)")
_MISSING = re.compile(r"parameter '(?P<name>\w+)' was not provided")
_UNCLOSED = re.compile(r"The innermost block that needs to be closed is '(\w+)'")
_NO_LOADER = "no loader for this environment"
_MACRO = re.compile(r"\{%[-+]?\s*macro\s+(?P<name>\w+)\s*\((?P<arguments>.*?)\)\s*[-+]?%\}", re.DOTALL)
_NO_PACKAGES = "packages are not used here: copy the macro into macros/ and call it by its own name"


def unknown_filters(environment: Environment, path: str, files: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield an error for each filter and each test of a template, which Jinja can read, that there is not."""
    known = {"filter": environment.filters, "test": environment.tests}
    for node in environment.parse(files[path]).find_all((nodes.Filter, nodes.Test)):
        what = type(node).__name__.lower()
        if node.name not in known[what]:
            yield Diagnostic(
                rule=f"unknown-{what}",
                message=f'there is no Jinja {what} "{node.name}"',
                location=find_place(files, path, node.lineno, node.name),
                fix=did_you_mean(node.name, known[what]),
            )


def explain_syntax(error: TemplateSyntaxError, path: str, files: Mapping[str, str]) -> Diagnostic:
    """Return the diagnostic for a template that Jinja can't read."""
    message = error.message or "the template can't be read"
    unclosed = _UNCLOSED.search(message)
    if unclosed:
        return Diagnostic(
            rule="template-syntax",
            message=f"this {unclosed[1]} is not closed",
            location=_unclosed_place(files, path, unclosed[1], error.lineno),
            fix=f"close it: {{% end{unclosed[1]} %}}",
        )
    tag = re.search(r"unknown tag '(.+?)'", message)
    needle = tag.group(1) if tag else None
    return Diagnostic(
        rule="template-syntax",
        message=message[0].lower() + message[1:].rstrip("."),
        location=find_place(files, path, error.lineno, needle),
    )


def undefined_name(error: BaseException) -> str | None:
    """Return the name that nothing defines, if that is what a template failed of."""
    undefined = re.match(r"'([^']+)' is undefined", str(error))
    return undefined[1] if undefined and isinstance(error, UndefinedError) else None


def is_sure(found: Diagnostic, name: str | None, files: Mapping[str, str]) -> bool:
    """Say whether a failure is one even where values are missing; a name may be set by what was left out."""
    is_set = name and any(re.search(rf"\bset\s+{re.escape(name)}\b", text) for text in files.values())
    return found.rule == "wrong-call" or (name is not None and not is_set)


def explain_failure(
    error: BaseException, path: str, files: Mapping[str, str], names: Iterable[str]
) -> Diagnostic:
    """Return the diagnostic for a template that failed while it was rendered."""
    text, name = str(error), undefined_name(error)
    if name is not None:
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
    if _NO_LOADER in text:
        return Diagnostic(
            rule="template-failure",
            message="a template may not read other files, by include, import or extends",
            location=_blame(error, path, files, None),
            fix="write a macro into macros/, which every template knows",
        )
    refused, missing = _REFUSED.match(text), _MISSING.match(text)
    if refused:
        place = _blame(error, path, files, refused["name"])
        return _wrong_call(refused["name"], refused["what"], place, files)
    callee = _callee(error, missing["name"], files) if missing else None
    if missing and callee is not None:
        return _wrong_call(callee[0], f'needs the argument "{missing["name"]}"', callee[1], files)
    rule = "unknown-name" if isinstance(error, UndefinedError) else "template-failure"
    if isinstance(error, SecurityError):
        rule = "unsafe-template"
    if isinstance(error, RecursionError):
        text = "a macro calls itself without end"
    message = text or type(error).__name__
    return Diagnostic(rule=rule, message=message, location=_blame(error, path, files, _quoted(message)))


def _unclosed_place(files: Mapping[str, str], path: str, block: str, line: int) -> Location:
    """Return where the innermost block of a kind begins that has no end."""
    text = files.get(path, "")
    begun: list[int] = []
    for tag in re.finditer(rf"\{{%[-+]?\s*(end)?{block}\b", text):
        if not tag[1]:
            begun.append(tag.start())
        elif begun:
            begun.pop()
    return place_at(path, text, begun[-1], 2) if begun else find_place(files, path, line, None)


def _wrong_call(name: str, what: str, place: Location, files: Mapping[str, str]) -> Diagnostic:
    """Return the diagnostic for a macro that is called with arguments that it does not take."""
    written = ((path, macro) for path, text in files.items() for macro in _MACRO.finditer(text))
    signature = next(
        (f"{m['name']}({m['arguments']}), in {path}" for path, m in written if m["name"] == name), ""
    )
    return Diagnostic(
        rule="wrong-call",
        message=f"{name}() {what}",
        location=place,
        why=f"it is {' '.join(signature.split())}" if signature else "",
        fix="give each argument that has no default, and no others",
    )


def _callee(error: BaseException, argument: str, files: Mapping[str, str]) -> tuple[str, Location] | None:
    """Return the macro that lacks an argument, and where it is called."""
    places = raising_places(error)
    for (path, line), (caller, calling) in pairwise(places):
        lines = files.get(path, "").split("\n")
        before = [*_MACRO.finditer("\n".join(lines[:line]))]
        if before and re.search(rf"\b{argument}\b", before[-1]["arguments"]):
            name = before[-1]["name"]
            return name, find_place(files, caller, calling, name)
    return None


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
