"""A place where data does not fit its shape, said in the words of somebody who writes YAML."""

import re
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from osiris_sql.project.shape import Locate, Placed, Shape
from osiris_sql.support.nearest import did_you_mean, nearest_name
from osiris_sql.support.yamlfile import KeyPath
from osiris_sql.types.diagnostic import Diagnostic, Location


class Mismatch:
    """One error of pydantic, brought back to the place in the file that it is about."""

    def __init__(self, shape: type[Shape], placed: Any, root: KeyPath, error: dict[str, Any]) -> None:
        self.error = error
        self.shape = shape
        self.missing = error["type"] == "missing"
        there, absent = (error["loc"][:-1], error["loc"][-1:]) if self.missing else (error["loc"], ())
        self.steps = list(_walk(placed, there))
        self.path: KeyPath = (*self._original(root), *absent)

    def _original(self, root: KeyPath) -> KeyPath:
        path = root
        for container, step, value in self.steps:
            path = (*(container.path if isinstance(container, Placed) else path), step)
            path = value.path if isinstance(value, Placed) else path
        return path

    @property
    def victim(self) -> tuple[Any, str | int] | None:
        """The container and the key or index in it to cut; None is the whole."""
        return self.steps[-1][:2] if self.steps else None

    @property
    def unknown(self) -> bool:
        """Whether it is a key that the shape does not have."""
        return bool(self.error["type"] == "extra_forbidden")

    @property
    def allowed(self) -> list[str]:
        """The keys that the shape has in that place."""
        return _allowed_keys(self.shape, self.error["loc"][:-1])

    @property
    def meant(self) -> KeyPath | None:
        """The path of the key that a misspelt one was probably meant to be."""
        found = nearest_name(str(self.path[-1]), self.allowed) if self.unknown else None
        return (*self.path[:-1], found) if found else None

    def diagnostic(self, locate: Locate) -> Diagnostic:
        """Return it as a diagnostic at its place."""
        if self.unknown:
            return unknown_key(str(self.path[-1]), self.allowed, locate(self.path, key=True))
        if self.missing:
            return missing_key(str(self.path[-1]), locate(self.path[:-1]))
        message, fix = wording(self.error)
        rule = "wrong-type" if self.error["type"] in _EXPECTED else "invalid-value"
        return Diagnostic(
            rule=rule, message=f"{_subject(self.path)} {message}", location=locate(self.path), fix=fix
        )


def unknown_key(name: str, allowed: list[str], location: Location) -> Diagnostic:
    """Return the diagnostic of a key that nothing reads."""
    return Diagnostic(
        rule="unknown-key",
        message=f'unknown key "{name}"',
        location=location,
        why=f"known here: {', '.join(sorted(allowed))}",
        fix=did_you_mean(name, allowed),
    )


def missing_key(name: str, location: Location, why: str = "") -> Diagnostic:
    """Return the diagnostic of a key that must be there."""
    return Diagnostic(rule="missing-key", message=f'"{name}" is missing', location=location, why=why)


def _subject(path: KeyPath) -> str:
    names = [step for step in path if isinstance(step, str)]
    if not names:
        return "the file"
    return f'an entry of "{names[-1]}"' if isinstance(path[-1], int) else f'"{names[-1]}"'


def _walk(value: Any, steps: tuple[str | int, ...]) -> Iterator[tuple[Any, str | int, Any]]:
    for step in steps:
        if isinstance(value, dict) and step in value:
            inner = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            inner = value[step]
        else:
            return
        yield value, step, inner
        value = inner


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def wording(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a value must be, and a fix, from an error of pydantic; the value itself is not shown."""
    kind, given, facts = error["type"], error["input"], error.get("ctx", {})
    if kind in _EXPECTED:
        quotes = kind == "string_type" and isinstance(given, bool | int | float)
        fix = "put it in quotes" if quotes else ""
        return f"must be {_EXPECTED[kind]}, not {kind_of(given)}", fix
    if kind == "literal_error":
        allowed = str(facts["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        return f"must be one of: {', '.join(allowed)}", did_you_mean(str(given), allowed)
    if kind == "value_error":
        return str(facts["error"]), ""
    message = re.sub(r"^\w+ should (be )?", r"must \1", error["msg"])
    return message.partition(" after validation")[0], ""


def kind_of(value: object) -> str:
    """Return what a value is, in the words of somebody who writes YAML."""
    words: list[tuple[Any, str]] = [
        (bool, "true or false"),
        (int | float, "a number"),
        (str, "text"),
        (list, "a list"),
        (dict, "a mapping"),
        (NoneType, "empty"),
    ]
    return next((word for kind, word in words if isinstance(value, kind)), "a date or time")


def _allowed_keys(shape: Any, steps: tuple[str | int, ...]) -> list[str]:
    for step in steps:
        shape = _strip(shape)
        if isinstance(shape, type) and issubclass(shape, Shape):
            fields = {field.alias or name: field for name, field in shape.model_fields.items()}
            shape = fields[str(step)].annotation
        else:
            shape = get_args(shape)[-1]
    return sorted(field.alias or name for name, field in _strip(shape).model_fields.items())


def _strip(hint: Any) -> Any:
    """Return a type without `Annotated` and `| None`."""
    if get_origin(hint) is Annotated:
        return _strip(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return _strip(next(arg for arg in get_args(hint) if arg is not NoneType))
    return hint
