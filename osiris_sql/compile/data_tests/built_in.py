"""The generic tests that come with the tool: one file each in `osiris_sql/data_tests`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from osiris_sql.types.manifest import TestShape
from osiris_sql.types.noun import Json

PREFIXES = ("dbt", "dbt_utils", "dbt_expectations")
"""Packages of dbt whose tests are meant where one is named with its package."""

_FOLDER = files("osiris_sql") / "data_tests"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ENVIRONMENT = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a generic test; one without `default` is required."""

    name: str
    type: str
    about: str
    required: bool
    default: Json = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """Rows, as a SELECT, on which a test was tried with these arguments."""

    rows: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A generic test as its file says it: of the arguments in `any_of`, at least one must be given.

    With a `shape` it can run in one scan with others, but not if one of `alone_with` is given. Its SQL
    then sets `offends`: at `rows` and `values` the condition of an offending row (at `values` each value
    counts once), at `aggregate` that of the relation as a whole, with `kept` behind each aggregate; at
    `key` it sets `key`, of which no two rows may have the same. At `rows` it may set `count`, an aggregate
    that tells how many offend for less than a filter does.
    """

    name: str
    description: str
    arguments: Mapping[str, Argument]
    any_of: tuple[str, ...]
    bad: tuple[Example, ...]
    good: tuple[Example, ...]
    template: Template
    shape: TestShape | None = None
    alone_with: tuple[str, ...] = ()


@cache
def built_in_names() -> Mapping[str, str]:
    """Return the name that stands for each known name: its own, or that of another package of dbt."""
    names = sorted(file.name.removesuffix(".sql") for file in _FOLDER.iterdir() if file.name.endswith(".sql"))
    aliases = {alias: name for name in names for alias in _read(name)[0].get("aliases", ())}
    return {**aliases, **{name: name for name in names}}


@cache
def load_built_in(name: str) -> BuiltIn:
    """Return a generic test by its own name."""
    header, sql = _read(name)
    return BuiltIn(
        name=name,
        description=header["description"],
        arguments={key: _argument(key, spec) for key, spec in header["arguments"].items()},
        any_of=tuple(header.get("any_of", ())),
        bad=tuple(Example(**example) for example in header["bad"]),
        good=tuple(Example(**example) for example in header["good"]),
        template=_ENVIRONMENT.from_string(sql),
        shape=header.get("shape"),
        alone_with=tuple(header.get("alone_with", ())),
    )


@cache
def _read(name: str) -> tuple[dict[str, Any], str]:
    """Return the header of a file, which is YAML in comments, and the SQL below it."""
    header, _, sql = (_FOLDER / f"{name}.sql").read_text("utf-8").partition("\n\n")
    text = "\n".join(line.removeprefix("-- ") for line in header.split("\n"))
    return yaml.load(text, Loader=_LOADER), sql  # noqa: S506 (both loaders are safe)


def _argument(name: str, spec: Mapping[str, Any]) -> Argument:
    default = spec.get("default")
    about, choices = spec.get("about", ""), tuple(spec.get("choices", ()))
    return Argument(name, spec["type"], about, "default" not in spec, default, choices)
