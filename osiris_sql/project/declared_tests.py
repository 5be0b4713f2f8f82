"""Data tests as YAML declares them: a name or a mapping, in both of dbt's styles."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from osiris_sql.project.check import check_shape
from osiris_sql.project.mismatch import kind_of, unknown_key
from osiris_sql.project.shape import Names, Report, Shape
from osiris_sql.support.yamlfile import KeyPath, YamlFile
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.noun import Json
from osiris_sql.types.project import DataTest

_LONGEST_NAME = 63


def _check_threshold(text: str) -> str:
    if not re.fullmatch(r"\s*(!=|<>|=|==|<|<=|>|>=)\s*\d+\s*", text):
        raise ValueError('must compare a count, such as "> 10"')
    return text


Threshold = Annotated[str, AfterValidator(_check_threshold)]
Severity = Annotated[
    Literal["error", "warn"], BeforeValidator(lambda v: v.lower() if isinstance(v, str) else v)
]


class DataTestConfigShape(Shape):
    """The configuration of a data test."""

    severity: Severity | None = None
    where: str | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    warn_if: Threshold | None = None
    error_if: Threshold | None = None
    store_failures: bool | None = None
    tags: Names | None = None
    enabled: bool | None = None
    meta: dict[str, Any] | None = None


_CONFIG_KEYS = frozenset(DataTestConfigShape.model_fields)
_OWN_KEYS = frozenset({"name", "description", "config", "arguments"})

DeclaredTests = Annotated[
    list[Any],
    WithJsonSchema(
        {
            "type": "array",
            "items": {
                "anyOf": [
                    {"type": "string"},
                    {"type": "object", "minProperties": 1},
                ]
            },
        }
    ),
]
"""The list under `data_tests`, as it stands in the file."""


@dataclass(frozen=True)
class Subject:
    """What tests are declared on: a node, perhaps one of its columns."""

    node: str
    column: str | None = None


def read_data_tests(
    entries: list[Any], path: KeyPath, subject: Subject, file: YamlFile, report: Report
) -> list[DataTest]:
    """Return the sound data tests of the list at `path`."""
    found = (_read_test(entry, (*path, index), subject, file, report) for index, entry in enumerate(entries))
    return [test for test in found if test]


def _read_test(
    entry: Any, path: KeyPath, subject: Subject, file: YamlFile, report: Report
) -> DataTest | None:
    if isinstance(entry, str):
        return _make_test(entry, {}, path, subject, file, report)
    if not isinstance(entry, dict) or not entry:
        message = f"a data test must be a name or a mapping, not {kind_of(entry)}"
        report(Diagnostic(rule="wrong-type", message=message, location=file.at(path)))
        return None
    if "test_name" in entry:
        name = entry["test_name"]
        return _make_test(str(name), _without(entry, "test_name"), path, subject, file, report)
    name, body = next(iter(entry.items()))
    if len(entry) > 1 or not isinstance(body, dict | None):
        report(
            Diagnostic(
                rule="wrong-type",
                message="a data test must be a mapping with one key, its name",
                location=file.at((*path, name), key=True),
                fix=f"write its arguments indented below {name}:",
            )
        )
        return None
    return _make_test(name, body or {}, (*path, name), subject, file, report)


def _make_test(
    test: str, body: Mapping[str, Any], path: KeyPath, subject: Subject, file: YamlFile, report: Report
) -> DataTest | None:
    arguments = _read_arguments(body, path, file, report)
    config = _read_config(body, path, file, report)
    for key in ("name", "description"):
        if body.get(key) is not None and not isinstance(body[key], str):
            message = f'"{key}" must be text, not {kind_of(body[key])}'
            report(Diagnostic(rule="wrong-type", message=message, location=file.at((*path, key))))
            return None
    if arguments is None or config is None:
        return None
    return DataTest(
        name=body.get("name") or generic_name(test, subject, arguments),
        kind="generic",
        test=test,
        node=subject.node,
        column=subject.column,
        arguments=arguments,
        config=config,
        description=body.get("description") or "",
        location=file.at(path, key=True),
    )


def _read_arguments(
    body: Mapping[str, Any], path: KeyPath, file: YamlFile, report: Report
) -> dict[str, Json] | None:
    inline = {key: value for key, value in body.items() if key not in _OWN_KEYS | _CONFIG_KEYS}
    if "arguments" not in body:
        return inline
    for key in inline:
        report(unknown_key(key, [*_OWN_KEYS, *_CONFIG_KEYS], file.at((*path, key), key=True)))
    arguments = body["arguments"]
    if isinstance(arguments, dict):
        return None if inline else arguments
    message = f'"arguments" must be a mapping, not {kind_of(arguments)}'
    report(Diagnostic(rule="wrong-type", message=message, location=file.at((*path, "arguments"))))
    return None


def _read_config(
    body: Mapping[str, Any], path: KeyPath, file: YamlFile, report: Report
) -> dict[str, Json] | None:
    """Return the configuration: what stands under `config:`, over what stands beside the arguments."""
    beside = {key: value for key, value in body.items() if key in _CONFIG_KEYS}
    below = body.get("config") or {}
    checked = [
        check_shape(DataTestConfigShape, beside, file.at, report, path),
        check_shape(DataTestConfigShape, below, file.at, report, (*path, "config")),
    ]
    if any(part.broken or part.value is None for part in checked):
        return None
    return {
        key: value
        for part in checked
        if part.value
        for key, value in part.value.model_dump(exclude_unset=True).items()
    }


def _without(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != key}


def generic_name(test: str, subject: Subject, arguments: Mapping[str, Json]) -> str:
    """Return dbt's name of a generic test: test, relation and arguments, hashed where it is long."""
    kind, _, relation = subject.node.partition(":")
    owner = relation.replace(".", "_")
    start = f"{kind}_{test}_{owner}" if kind in ("source", "target") else f"{test}_{owner}"
    values = {**arguments, **({"column_name": subject.column} if subject.column else {})}
    parts = [part for _, value in sorted(values.items()) for part in _flat(value)]
    name = f"{start}_" + "__".join(re.sub(r"[^0-9a-zA-Z_]+", "_", part) for part in parts)
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{start[:30]}_{hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()}"


def _flat(value: Json) -> list[str]:
    if isinstance(value, dict):
        return [str(item) for item in value.values()]
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
