"""Secrets are names until the last moment: `${NAME}` and `${NAME:-default}`, resolved and masked here."""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, get_type_hints
from urllib.parse import quote, quote_plus

from osiris_sql.types.secret import Secret

PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
MASK = "***"


def env_names(value: object) -> tuple[str, ...]:
    """Return the variables that a value needs (those without a default), sorted."""
    return tuple(sorted(name for name, default in _placeholders(value) if default is None))


def all_env_names(value: object) -> tuple[str, ...]:
    """Return every variable that a value names, with a default or without, sorted."""
    return tuple(sorted({name for name, _ in _placeholders(value)}))


def _placeholders(value: object) -> set[tuple[str, str | None]]:
    if isinstance(value, str):
        return {(m[1], m[2]) for m in PLACEHOLDER.finditer(value)}
    if isinstance(value, Mapping):
        return set().union(*(_placeholders(v) for v in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(_placeholders(v) for v in value))
    return set()


def resolve(value: Any, environ: Mapping[str, str]) -> Any:
    """Return `value` with every placeholder replaced; raises KeyError of the first missing name."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda m: _lookup(m[1], m[2], environ), value)
    if isinstance(value, Mapping):
        return {k: resolve(v, environ) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(v, environ) for v in value]
    return value


def _lookup(name: str, default: str | None, environ: Mapping[str, str]) -> str:
    found = environ.get(name)
    if found:
        return found
    if default is None:
        raise KeyError(name)
    return default


def make_options(options_class: type, values: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    """Return `options_class` filled with resolved values: text becomes the field's type, secrets
    become `Secret`. The keys were checked when the project was loaded."""
    hints = get_type_hints(options_class)
    made: dict[str, Any] = {}
    for field in fields(options_class):
        if field.name not in values:
            continue
        value, hint = resolve(values[field.name], environ), str(hints[field.name])
        if value is not None and "Secret" in hint:
            value = Secret(str(value))
        elif isinstance(value, str) and hint.startswith(("<class 'int'>", "int |")):
            value = int(value)
        elif isinstance(value, str) and hint.startswith(("<class 'float'>", "float |")):
            value = float(value)
        elif isinstance(value, str) and hint.startswith(("<class 'bool'>", "bool |")):
            value = value.strip().lower() in {"1", "true", "yes", "on"}
        elif isinstance(value, list):
            value = tuple(value)
        made[field.name] = value
    return options_class(**made)


def secret_values(options: Any) -> tuple[str, ...]:
    """Return the values of the `Secret` fields of filled options, for masking."""
    found = (getattr(options, field.name) for field in fields(options))
    return tuple(value.reveal() for value in found if isinstance(value, Secret) and value)


class Redactor:
    """Masks secret values in text, also where they are URL- or base64-encoded."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._pattern: re.Pattern[str] | None = None
        self._forms: set[str] = set()
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Mask these values too; those under 4 characters can't be told from ordinary text."""
        for value in values:
            if len(value) >= 4:
                self._forms |= set(_encoded_forms(value))
        forms = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    def __call__(self, text: str) -> str:
        """Return `text` with every secret replaced by stars."""
        return self._pattern.sub(MASK, text) if self._pattern else text


def _encoded_forms(value: str) -> Iterable[str]:
    raw = value.encode()
    yield from (value, quote(value, safe=""), quote(value), quote_plus(value))
    yield repr(value)[1:-1]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # Inside a longer text the value may start at any of three offsets of the encoding.
        for shift in range(3):
            text = encode(b"\0" * shift + raw).decode()
            core = text[(0, 2, 3)[shift] :].rstrip("=")
            yield core[:-1] if len(raw) % 3 or shift else core
