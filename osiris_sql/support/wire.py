"""The border for machines: nouns as canonical JSON and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


_adapters: dict[Any, TypeAdapter[Any]] = {}

_latest: tuple[object, str] = None, ""


def _adapter(cls: Any) -> TypeAdapter[Any]:
    if cls not in _adapters:
        # Imported here: what only writes needs none of it.
        from pydantic import TypeAdapter

        _adapters[cls] = TypeAdapter(cls)
    return _adapters[cls]


def to_json(noun: object) -> str:
    """Return a noun as canonical JSON on one line: sorted keys, ASCII, the same bytes everywhere."""
    return dump_canonical(noun)


def dump_canonical(value: object) -> str:
    """Return a noun or plain data as canonical JSON on one line."""
    return _ENCODER.encode(value)


def to_document(noun: object) -> str:
    """Return a noun as canonical JSON for a file that people read too: a line a field, and a line for each
    entry of a field; newline at the end."""
    global _latest
    # A plan is written, hashed and sent along: the last noun asked for is asked for again.
    latest = _latest
    if latest[0] is not noun:
        latest = _latest = noun, dump_lines(noun, 2) + "\n"
    return latest[1]


def dump_lines(value: Any, levels: int, indent: str = " ") -> str:
    """Return a noun or plain data as canonical JSON with a line for each entry down to so many levels."""
    # json's own indentation is written in Python and ten times slower: seconds for a large plan.
    if is_dataclass(value):
        value = _fields(value)
    if not levels or not value or not isinstance(value, dict | list | tuple):
        return dump_canonical(value)
    below, deeper = levels - 1, f"{indent} "
    if isinstance(value, dict):
        entries = [f"{dump_canonical(k)}: {dump_lines(value[k], below, deeper)}" for k in sorted(value)]
    else:
        entries = [dump_lines(item, below, deeper) for item in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n{indent}" + f",\n{indent}".join(entries) + f"\n{indent[1:]}{last}"


def to_data(noun: object) -> Any:
    """Return a noun as plain JSON data."""
    match noun:
        case str() | int() | float() | None:
            return noun
        case list() | tuple():
            return [to_data(each) for each in noun]
        case dict():
            return {name: to_data(each) for name, each in noun.items()}
    return to_data(_fields(noun))


def _fields(noun: Any) -> Any:
    """Return what JSON does not know as what it does: a noun as its fields, as they are."""
    if not is_dataclass(noun):
        return _adapter(Any).dump_python(noun, mode="json")  # what a person may write, such as a date
    kind: Any = type(noun)
    names, values = _getter(kind)
    return dict(zip(names, values(noun), strict=False))


@cache
def _getter(kind: Any) -> tuple[list[str], Callable[[Any], tuple[Any, ...]]]:
    names = [field.name for field in fields(kind)]
    return names, attrgetter(*names, "__class__")  # with a second name even a single field gives a tuple


# json.dumps makes an encoder for each call that asks for anything but its defaults.
_ENCODER = json.JSONEncoder(
    sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False, default=_fields
)


def from_json(cls: type[T], text: str | bytes) -> T:
    """Return the noun that `text` holds; raises pydantic's ValidationError if it does not fit."""
    made: T = _adapter(cls).validate_json(text)
    return made


def digest(value: object) -> str:
    """Return the sha256 of plain data or of a noun, in canonical JSON."""
    return hashlib.sha256(dump_canonical(value).encode()).hexdigest()


def json_schema(cls: Any) -> dict[str, Any]:
    """Return the JSON Schema of a type."""
    return _adapter(cls).json_schema()
