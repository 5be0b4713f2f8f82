"""The border for machines: nouns as canonical JSON and back."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


_adapters: dict[Any, TypeAdapter[Any]] = {}

_latest: tuple[object, str] = None, ""

# json.dumps makes an encoder for each call that asks for anything but its defaults.
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def _adapter(cls: Any) -> TypeAdapter[Any]:
    if cls not in _adapters:
        # Imported here: plain data needs none of it.
        from pydantic import TypeAdapter

        _adapters[cls] = TypeAdapter(cls)
    return _adapters[cls]


def to_json(noun: object) -> str:
    """Return a noun as canonical JSON on one line: sorted keys, ASCII, the same bytes everywhere."""
    return dump_canonical(_adapter(type(noun)).dump_python(noun, mode="json"))


def to_bytes(noun: object) -> bytes:
    """Return a noun as JSON several times faster, its mappings in their own order: for files only we read."""
    return _adapter(type(noun)).dump_json(noun)


def dump_canonical(value: object) -> str:
    """Return plain data as canonical JSON on one line."""
    return _ENCODER.encode(value)


def to_document(noun: object) -> str:
    """Return a noun as canonical JSON for a file that people read too: a line a field, and a line for each
    entry of a field; newline at the end."""
    global _latest
    # A plan is written, hashed and sent along: the last noun asked for is asked for again.
    latest = _latest
    if latest[0] is not noun:
        latest = _latest = noun, dump_lines(to_data(noun), 2) + "\n"
    return latest[1]


def dump_lines(value: Any, levels: int, indent: str = " ") -> str:
    """Return plain data as canonical JSON with a line for each entry down to so many levels."""
    # json's own indentation is written in Python and ten times slower: seconds for a large plan.
    if not levels or not value or not isinstance(value, dict | list):
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
    return _adapter(type(noun)).dump_python(noun, mode="json")


def from_json(cls: type[T], text: str | bytes) -> T:
    """Return the noun that `text` holds; raises pydantic's ValidationError if it does not fit."""
    made: T = _adapter(cls).validate_json(text)
    return made


def digest(value: object) -> str:
    """Return the sha256 of plain data or of a noun, in canonical JSON."""
    return hashlib.sha256(dump_canonical(to_data(value)).encode()).hexdigest()


def json_schema(cls: Any) -> dict[str, Any]:
    """Return the JSON Schema of a type."""
    return _adapter(cls).json_schema()
