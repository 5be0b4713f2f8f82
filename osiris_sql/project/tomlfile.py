"""TOML as plain data, with the likely line and column of its keys."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from osiris_sql.support.yamlfile import KeyPath
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError

_KEY = r'(?:[A-Za-z0-9_-]+|"[^"]*"|\'[^\']*\')'
_HEADER = re.compile(rf"\s*\[\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*\]")
_ENTRY = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=\s*")


@dataclass(frozen=True)
class TomlFile:
    """A TOML file as plain data; `places` maps the path of a key to line, column and the value's column."""

    path: str
    data: dict[str, Any]
    places: dict[KeyPath, tuple[int, int, int]]
    prefix: KeyPath = ()

    def at(self, path: KeyPath, *, key: bool = False) -> Location:
        """Return where the key or value at `path` (under `prefix`) seems to be: tomllib does not say."""
        wanted = self.prefix + path
        for size in range(len(wanted), 0, -1):
            if wanted[:size] in self.places:
                line, column, value_column = self.places[wanted[:size]]
                on_value = not key and size == len(wanted)
                return Location(path=self.path, line=line, column=value_column if on_value else column)
        return Location(path=self.path, line=1, column=1)


def read_toml(text: str, path: str) -> TomlFile:
    """Return the data of a TOML file, dates as text; raises ProjectError at the place of a syntax error."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(_syntax_error(str(error), text, path)) from None
    return TomlFile(path, _plain(data), _find_places(text))


def _syntax_error(message: str, text: str, path: str) -> Diagnostic:
    found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    written = text.rstrip("\r\n")
    end = written.count("\n") + 1, len(written) - written.rfind("\n")
    line, column = (int(found[1]), int(found[2])) if found else end
    return Diagnostic(
        rule="toml-syntax",
        message=re.sub(r" \(at .*\)$", "", message),
        location=Location(path=path, line=line, column=column),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime | time) else value


def _find_places(text: str) -> dict[KeyPath, tuple[int, int, int]]:
    places: dict[KeyPath, tuple[int, int, int]] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            column = header.start(1) + 1
            for size in range(len(table)):
                places.setdefault(table[: size + 1], (number, column, column))
        elif entry := _ENTRY.match(line):
            place = (number, entry.start(1) + 1, entry.end() + 1)
            places.setdefault(table + _parts(entry[1]), place)
    return places


def _parts(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))
