"""What a request's address and `Prefer` header ask for, as SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from servers.postgrest.answer import RestError

_OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_RESERVED = {"select", "order", "limit", "offset", "columns", "on_conflict"}
_PREFERENCES = ("resolution", "missing", "return", "count", "handling", "max-affected")
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[^",()]+|[(),]')


@dataclass(frozen=True)
class Prefer:
    """Preferences that are known, and the words of those that are not."""

    known: dict[str, str]
    unknown: tuple[str, ...] = ()

    def applied(self, *names: str) -> dict[str, str]:
        words = [f"{n}={self.known[n]}" for n in _PREFERENCES if n in names and n in self.known]
        return {"Preference-Applied": ", ".join(words)} if words else {}

    @property
    def counted(self) -> bool:
        return self.known.get("count") == "exact"


def read_prefer(headers: list[str]) -> Prefer:
    known, unknown = {}, []
    for word in (w.strip() for header in headers for w in header.split(",")):
        name, _, value = word.partition("=")
        if name in _PREFERENCES:
            known[name] = value
        elif word:
            unknown.append(word)
    prefer = Prefer(known, tuple(unknown))
    if known.get("handling") == "strict" and unknown:
        details = f"Invalid preferences: {', '.join(unknown)}"
        raise RestError(400, "PGRST122", "Invalid preferences given with handling=strict", details)
    return prefer


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def unquote(word: str) -> str:
    """Return a name or value without the quotes that PostgREST understands."""
    word = word.strip()
    if len(word) > 1 and word[0] == word[-1] == '"':
        return re.sub(r"\\(.)", r"\1", word[1:-1])
    return word


def split_list(text: str) -> list[str]:
    """Split at commas that stand neither in quotes nor in parentheses."""
    parts, depth = [""], 0
    for piece in _PIECE.findall(text):
        depth += (piece == "(") - (piece == ")")
        if piece == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part for part in parts if part]


def read_names(text: str | None) -> list[str] | None:
    return None if text is None else [unquote(part) for part in split_list(text)]


def column(relation: str, word: str) -> str:
    if not word.startswith('"') and "." in word:
        resource = word.partition(".")[0]
        hint = f"Verify that '{resource}' is included in the 'select' query parameter."
        raise RestError(
            400, "PGRST108", f"'{resource}' is not an embedded resource in this request", None, hint
        )
    return f"{relation}.{quoted(unquote(word))}"


def read_filters(relation: str, parameters: list[tuple[str, str]]) -> str:
    """Return the WHERE condition of all filters, "" if there are none."""
    made = []
    for name, value in parameters:
        if name in ("or", "and"):
            made.append(_group(relation, name, value))
        elif name not in _RESERVED:
            made.append(_condition(column(relation, name), value))
    return " AND ".join(made)


def _group(relation: str, word: str, value: str) -> str:
    inner = [_member(relation, part) for part in split_list(value[1:-1])]
    return "(" + f" {word.upper()} ".join(inner) + ")"


def _member(relation: str, part: str) -> str:
    for word in ("or", "and"):
        if part.startswith(f"{word}("):
            return _group(relation, word, part[len(word) :])
    named = re.match(r'("(?:[^"\\]|\\.)*"|[^.]+)\.(.*)$', part, re.DOTALL)
    if not named:
        raise _unreadable(part)
    return _condition(f"{relation}.{quoted(unquote(named[1]))}", named[2], nested=True)


def _condition(place: str, value: str, *, nested: bool = False) -> str:
    operator, _, rest = value.partition(".")
    if operator == "not":
        return f"NOT ({_condition(place, rest, nested=nested)})"
    if operator == "in" and rest.startswith("("):
        values = [literal(unquote(part)) for part in split_list(rest[1:-1])]
        return f"{place} IN ({', '.join(values)})" if values else "false"
    if operator == "is" and rest in ("null", "true", "false", "unknown"):
        return f"{place} IS {rest.upper()}"
    if operator in _OPERATORS:
        # A value on the first level is not unquoted: the quotes are part of it.
        return f"{place} {_OPERATORS[operator]} {literal(unquote(rest) if nested else rest)}"
    raise _unreadable(value)


def _unreadable(text: str) -> RestError:
    message = f'"failed to parse filter ({text})" (line 1, column 1)'
    return RestError(400, "PGRST100", message, f'unexpected "{text[:1]}" expecting operator (eq, gt, ...)')


def read_order(relation: str, text: str | None) -> str:
    made = []
    for part in split_list(text or ""):
        named = re.fullmatch(r'("(?:[^"\\]|\\.)*"|[^.]+)((?:\.\w+)*)', part)
        if not named:
            raise _unreadable(part)
        words = named[2].upper().replace("NULLSFIRST", "NULLS FIRST").replace("NULLSLAST", "NULLS LAST")
        made.append(f"{relation}.{quoted(unquote(named[1]))}{words.replace('.', ' ')}")
    return f" ORDER BY {', '.join(made)}" if made else ""
