"""Nouns as the plainest JSON: their fields by position, for files that only this very program reads back.

Several times faster than the wire, which checks what it reads and names each field.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")
Turn = Callable[[Any], Any]

_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)


def pack(noun: object) -> bytes:
    """Return a noun as JSON on one line; raises TypeError if it holds what JSON can't, such as a date."""
    kind: Any = type(noun)
    return _ENCODER.encode(_writer(kind)(noun)).encode()


def unpack(cls: type[T], data: bytes) -> T:
    """Return the noun that `pack` wrote."""
    kind: Any = cls
    with no_collection():
        made: T = _reader(kind)(json.loads(data))
    return made


def recall(cls: type[T], text: str) -> T:
    """Return the noun that `wire.to_json` wrote, some fields of which may not have been there then: taken at
    its word, and without pydantic."""
    kind: Any = cls
    made: T = _named_reader(kind)(json.loads(text))
    return made


@contextmanager
def no_collection() -> Iterator[None]:
    """Look for no garbage among thousands of objects that are made now and all stay: that would take as long
    as to make them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            # Together they make everything old, which a quick look leaves alone.
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def _same(value: Any) -> Any:
    return value


@cache
def _writer(hint: Any) -> Turn:
    """Return what makes plain data of a value of this type."""
    if not is_dataclass(hint):
        return _inside(hint, _writer, list)
    names, turns = _fields(hint, _writer)
    get = attrgetter(*names, "__class__")  # with a second name even the row of a single field is a tuple

    def write(noun: Any) -> list[Any]:
        row = list(get(noun)[:-1])
        for place, turn in turns:
            row[place] = turn(row[place])
        return row

    return write


@cache
def _reader(hint: Any) -> Turn:
    """Return what makes a value of this type of plain data."""
    if _is_named_tuple(hint):
        return lambda row: hint(*row)
    if not is_dataclass(hint):
        return _inside(hint, _reader, tuple)
    names, turns = _fields(hint, _reader)
    noun: Any = hint
    new = object.__new__
    # Each field is put into its slot: the noun's own way, as it is frozen, takes twice as long.
    puts = [getattr(noun, name).__set__ for name in names]

    def read(row: list[Any]) -> Any:
        for place, turn in turns:
            row[place] = turn(row[place])
        made = new(noun)
        for put, value in zip(puts, row, strict=True):
            put(made, value)
        return made

    return read


@cache
def _named_reader(hint: Any) -> Turn:
    """Return what makes a value of this type of plain data in which fields have names."""
    if _is_named_tuple(hint):
        return lambda row: hint(*row)
    if not is_dataclass(hint):
        return _inside(hint, _named_reader, tuple)
    names, turns = _fields(hint, _named_reader)
    named = [(names[place], turn) for place, turn in turns]
    noun: Any = hint

    def read(row: dict[str, Any]) -> Any:
        for name, turn in named:
            if name in row:
                row[name] = turn(row[name])
        return noun(**row)

    return read


def _is_named_tuple(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, tuple) and hint is not tuple


def _fields(noun: Any, make: Callable[[Any], Turn]) -> tuple[list[str], list[tuple[int, Turn]]]:
    """Return the fields of a noun, and what turns those that are not plain."""
    names, hints = [field.name for field in fields(noun)], get_type_hints(noun)
    turns = ((place, make(hints[name])) for place, name in enumerate(names))
    return names, [(place, turn) for place, turn in turns if turn is not _same]


def _inside(hint: Any, make: Callable[[Any], Turn], sequence: type) -> Turn:
    """Return what turns the values in a sequence, in a mapping or of one of several types."""
    kind, inner = get_origin(hint), get_args(hint)
    if kind is tuple:
        turn = make(inner[0])
        return sequence if turn is _same else lambda values: sequence([turn(value) for value in values])
    if kind is Mapping:
        turn = make(inner[1])
        return _same if turn is _same else lambda values: {key: turn(value) for key, value in values.items()}
    turns = [turn for turn in map(make, inner) if turn is not _same]
    if not turns:
        return _same
    [turn] = turns
    return lambda value: value if value is None or isinstance(value, str) else turn(value)
