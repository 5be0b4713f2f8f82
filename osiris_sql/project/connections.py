"""Connections: the mapping of one environment is chosen, all of them are checked."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, get_type_hints

from pydantic import TypeAdapter, ValidationError

from osiris_sql.project.mismatch import missing_key, unknown_key, wording
from osiris_sql.project.shape import Report
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.support.plugins import load_plugin, plugin_names
from osiris_sql.support.secrets import PLACEHOLDER, all_env_names
from osiris_sql.support.yamlfile import KeyPath, YamlFile
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.project import Connection

Role = Literal["sources", "targets"]
_URL_PASSWORD = re.compile(r"://[^/@\s]*?:([^/@\s]+)@")


def read_connections(
    declared: Mapping[str, Mapping[str, Any]],
    role: Role,
    file: YamlFile,
    environments: Sequence[str],
    env: str,
    report: Report,
) -> list[Connection]:
    """Return the sound connections of `env`; every environment's are checked."""
    found = []
    for name, mapping in declared.items():
        path: KeyPath = ("connections", name)
        if not isinstance(mapping.get("type"), Mapping) and "type" in mapping:
            per_env = dict.fromkeys(environments, (path, mapping))
            sound = _check_connection(role, path, mapping, file, report)
        else:
            per_env = _per_environment(path, mapping, file, environments, report)
            checks = {e: _check_connection(role, p, m, file, report) for e, (p, m) in per_env.items()}
            sound = checks.get(env, False)
        if sound and env in per_env:
            place, options = per_env[env]
            given = {key: value for key, value in options.items() if key != "type" and value is not None}
            location = file.at(place, key=True)
            found.append(
                Connection(
                    name=name,
                    type=options["type"],
                    role="source" if role == "sources" else "target",
                    options=given,
                    location=location,
                )
            )
    return found


def _per_environment(
    path: KeyPath, mapping: Mapping[str, Any], file: YamlFile, environments: Sequence[str], report: Report
) -> dict[str, tuple[KeyPath, Mapping[str, Any]]]:
    """Return path and options by environment of a connection that has one mapping for each."""
    usable: dict[str, tuple[KeyPath, Mapping[str, Any]]] = {}
    for key, options in mapping.items():
        place = (*path, key)
        if key in environments and isinstance(options, Mapping):
            usable[key] = (place, options)
        else:
            report(_no_environment(key, environments, file, place))
    missing = [env for env in environments if env not in mapping]
    if missing:
        report(
            Diagnostic(
                rule="missing-environment",
                message=f'connection "{path[-1]}" says nothing for environment {", ".join(missing)}',
                location=file.at(path, key=True),
                why=f"environments: {', '.join(environments)}",
                fix="add a mapping for it, or write one mapping with a type for all",
            )
        )
    return usable


def _no_environment(key: str, environments: Sequence[str], file: YamlFile, path: KeyPath) -> Diagnostic:
    if key in environments:
        what = "must be a mapping with a type"
        return Diagnostic(rule="wrong-type", message=f'"{key}" {what}', location=file.at(path))
    return Diagnostic(
        rule="unknown-environment",
        message=f'"{key}" is not an environment of this project',
        location=file.at(path, key=True),
        why=f"a connection has a type, or a mapping for each of: {', '.join(environments)}",
        fix=did_you_mean(key, [*environments, "type"]),
    )


def _check_connection(
    role: Role, path: KeyPath, options: Mapping[str, Any], file: YamlFile, report: Report
) -> bool:
    """Report what is wrong with one connection and say whether it can be used."""
    found: list[Diagnostic] = []
    if "type" not in options:
        why = f"types: {', '.join(plugin_names(role))}"
        found.append(missing_key("type", file.at(path, key=True), why))
    elif plugin := _load_type(role, str(options["type"]), file, path, found.append):
        _check_options(plugin.Options, path, options, file, found.append)
    for diagnostic in found:
        report(diagnostic)
    return not found


def _load_type(role: Role, name: str, file: YamlFile, path: KeyPath, report: Report) -> Any:
    try:
        return load_plugin(role, name)
    except ProjectError as error:
        place = file.at((*path, "type"))
        for found in error.diagnostics:
            fix = found.fix or did_you_mean(name, plugin_names(role))
            report(Diagnostic(rule=found.rule, message=found.message, location=place, why=found.why, fix=fix))
        return None


def _check_options(
    options_class: type, path: KeyPath, options: Mapping[str, Any], file: YamlFile, report: Report
) -> None:
    hints = get_type_hints(options_class)
    known = {field.name: field for field in fields(options_class)}
    for key, value in options.items():
        place = (*path, key)
        if key == "type" or value is None:
            continue
        if key not in known:
            report(unknown_key(key, [*known, "type"], file.at(place, key=True)))
        elif problem := _option_problem(key, value, hints[key]):
            rule, message, fix = problem
            report(Diagnostic(rule=rule, message=message, location=file.at(place), fix=fix))
    for name, field in known.items():
        if _is_required(field) and options.get(name) is None:
            report(
                missing_key(name, file.at(path, key=True), f"a connection of type {options['type']} needs it")
            )


def _is_required(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _option_problem(name: str, value: Any, hint: Any) -> tuple[str, str, str] | None:
    """Return rule, message and fix of a value that does not fit; the value itself is never shown."""
    if is_secret(hint) and _holds_plain_secret(value):
        fix = f'write the name of an environment variable: {name}: "${{{name.upper()}}}"'
        return "plain-secret", f'"{name}" is a secret, and stands here as plain text', fix
    if isinstance(value, str) and any(_plain_password(m[1]) for m in _URL_PASSWORD.finditer(value)):
        return "plain-secret", f'"{name}" holds a password as plain text', 'write "${NAME}" in its place'
    if is_secret(hint) or all_env_names(value):
        return None
    try:
        TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        wanted, fix = wording(dict(error.errors(include_url=False)[0]))
        return "wrong-type", f'"{name}" {wanted}', fix
    return None


def is_secret(hint: Any) -> bool:
    """Say whether a field of this type holds a secret."""
    return "Secret" in str(hint)


def _holds_plain_secret(value: object) -> bool:
    if not isinstance(value, str):
        return True
    has_default = any(match[2] for match in PLACEHOLDER.finditer(value))
    return has_default or bool(value and not PLACEHOLDER.search(value))


def _plain_password(text: str) -> bool:
    return bool(PLACEHOLDER.sub("", text)) or any(m[2] for m in PLACEHOLDER.finditer(text))
