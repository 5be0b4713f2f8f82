"""Secrets are names until the last moment: `${NAME}` and `${NAME:-default}`, resolved and masked here."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
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
    become `Secret`. The keys were checked when the project was loaded. Raises ValueError for text
    that is not of the field's type, without showing it."""
    hints = get_type_hints(options_class)
    made: dict[str, Any] = {}
    for field in fields(options_class):
        if field.name not in values:
            continue
        value, hint = resolve(values[field.name], environ), str(hints[field.name])
        if value is not None and "Secret" in hint:
            value = Secret(str(value))
        elif isinstance(value, str):
            value = _convert(field.name, value, hint)
        elif isinstance(value, list):
            value = tuple(value)
        made[field.name] = value
    return options_class(**made)


_SWITCH = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
_CONVERSIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "int": ("a whole number", int),
    "float": ("a number", float),
    "bool": ("true or false", lambda text: _SWITCH[text.strip().lower()]),
}


def _convert(name: str, text: str, hint: str) -> Any:
    for kind, (expected, convert) in _CONVERSIONS.items():
        if hint.startswith((f"<class '{kind}'>", f"{kind} |")):
            try:
                return convert(text)
            except (ValueError, KeyError):
                raise ValueError(f'"{name}" must be {expected}') from None
    return text


def secret_values(options: Any) -> tuple[str, ...]:
    """Return the values of the `Secret` fields of filled options, for masking."""
    found = (getattr(options, field.name) for field in fields(options))
    return tuple(value.reveal() for value in found if isinstance(value, Secret) and value)


class Redactor:
    """Masks secret values in text, also where they are URL-, base64-, JSON- or SQL-encoded."""

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
        # Looking ahead finds a form also where it begins inside another one.
        self._pattern = re.compile(f"(?=({'|'.join(map(re.escape, forms))}))") if forms else None

    @property
    def knows(self) -> bool:
        """Whether there is anything to mask."""
        return self._pattern is not None

    def __call__(self, text: str) -> str:
        """Return `text` with every secret replaced by stars."""
        if self._pattern is None:
            return text
        parts, end = [], 0
        for match in self._pattern.finditer(text):
            start, stop = match.span(1)
            if start >= end:
                parts += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*parts, text[end:]])


def _encoded_forms(value: str) -> Iterable[str]:
    raw = value.encode()
    for quoted in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield quoted
        yield re.sub("%..", lambda m: m[0].lower(), quoted)
    yield from (value, value.replace("'", "''"), repr(value)[1:-1])
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # Inside a longer text the value may start at any of three offsets of the encoding.
        for shift in range(3):
            text = encode(b"\0" * shift + raw).decode()
            core = text[(0, 2, 3)[shift] :].rstrip("=")
            yield core[:-1] if len(raw) % 3 or shift else core
