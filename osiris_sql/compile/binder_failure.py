"""Says what DuckDB's binder says, without its noise and in the author's terms."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from osiris_sql.compile.places import Problem
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.relation import TableSchema

_WORD = re.compile(r"""  "(?:[^"]|"")*" | '(?:[^']|'')*' | \w+ | \S """, re.VERBOSE)
_QUALIFIED = re.compile(r'(?:"(?:[^"]|"")*"|\w+)\s*\.\s*(?P<column>"(?:[^"]|"")*"|\w+)')

Facts = dict[str, Any]
"""What DuckDB tells of an error, as JSON."""

# The first pattern that a message matches gives the rule.
_RULES = (
    (r"data-modifying|CTE needs a SELECT", "not-a-select"),
    (r"syntax error|unterminated", "syntax-error"),
    (r"must appear in the GROUP BY", "not-grouped"),
    (r"[Dd]uplicate (alias|CTE)", "duplicate-alias"),
    (r"Ambiguous reference", "ambiguous-column"),
    (r"cannot contain (aggregates|window)|aggregate function calls cannot|nested", "misplaced-aggregate"),
    (r"Set operations can only apply", "set-operation-width"),
    (r"Cannot (compare|mix|combine|deduce)|Could not (convert|cast)|Unimplemented type|Type "
     r"mismatch|type mismatch|must be of type|Conversion|Could not choose a best", "type-mismatch"),
)  # fmt: skip

_COLUMN = (
    re.compile(r'"(?P<table>[^"]+)" does not have a column named "(?P<column>[^"]+)"'),
    re.compile(r'Referenced column "?(?P<column>[^"\s]+)"? (was )?not found'),
    re.compile(r'Column "(?P<column>[^"]+)" in \w+ list not found'),
    re.compile(r'Column "(?P<column>[^"]+)" does not exist'),
    re.compile(r'Column "+(?P<column>[^"]+)"+ referenced in UNPIVOT'),
)
_TABLE = re.compile(r'Referenced table "(?P<table>[^"]+)" not found')
_CALL = re.compile(r"No function matches the given name and argument types '(.+?)'\. ")
_FIELD = re.compile(r'Could not find key "(?P<field>[^"]+)" in struct')
_QUOTED = re.compile(r'"+([^"]+)"+')
_MISSING = re.compile(r"(?P<kind>[\w ]+?) with name (?P<name>\S+) does not exist")


@dataclass(frozen=True, slots=True)
class InScope:
    """A relation that a query reads, by the name that it has there."""

    alias: str
    node: str
    schema: TableSchema


def explain_binder(error: Exception, sql: str, prefix: int, in_scope: Sequence[InScope]) -> Problem:
    """Return the problem that DuckDB has with `sql`, sent with `prefix` bytes before it."""
    facts = _facts(error)
    text = str(facts.get("exception_message") or error).strip()
    message, _, rest = text.partition("\n")
    start, length = _start(facts, sql, prefix), 1
    if start is None and (quoted := _QUOTED.search(message)):
        start, length = _find_word(sql, quoted[1], None)
    for pattern in _COLUMN:
        match = pattern.search(message)
        if match:
            table_name = match.groupdict().get("table")
            return _unknown_column(match["column"], table_name, facts, sql, start, in_scope)
    table = _TABLE.search(message)
    if table:
        return _unknown_table(table["table"], facts, sql, start, in_scope)
    if field := _FIELD.search(message):
        names = re.findall(r'"([^"]+)"', rest)
        said, why = f'the struct has no field "{field[1]}"', f"it has: {', '.join(names)}"
        return Problem("unknown-field", said, start, length, why, did_you_mean(field[1], names))
    missing = _MISSING.search(message)
    if missing:
        return _unknown_name(missing, facts, sql, start)
    length = max(length, _word_length(sql, start))
    call = _CALL.search(message)
    if call:
        rest = rest.replace("Candidate functions:", "")
        message, whole = f"nothing takes these types: {call[1]}", _whole(facts, sql, prefix)
        return Problem("type-mismatch", message, start, length, _short(rest), whole=whole)
    rule = next((rule for pattern, rule in _RULES if re.search(pattern, message)), "invalid-query")
    if rule == "set-operation-width" and start is None:
        words = [*re.finditer(r"\b(union|intersect|except)\b", sql, re.IGNORECASE)]
        start, length = (words[0].start(), len(words[0][0])) if len(words) == 1 else (None, 1)
    return Problem(rule, _plain(message), start, length, _short(rest), whole=_whole(facts, sql, prefix))


def _facts(error: Exception) -> Facts:
    text = str(error)
    try:
        facts = json.loads(text[text.index("{") :])
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _start(facts: Facts, sql: str, prefix: int) -> int | None:
    """Return the character at DuckDB's position, which counts bytes."""
    if "position" not in facts:
        return None
    start = _character(int(facts["position"]) - prefix, sql)
    # At the end of the text there is nothing to point at: the last character is the nearest thing.
    return start if start < len(sql) else max(0, len(sql.rstrip()) - 1)


def _whole(facts: Facts, sql: str, prefix: int) -> tuple[int, int] | None:
    """Return where the expression of an error begins and ends; DuckDB 1.5 does not say it."""
    match = re.fullmatch(r"\[(\d+),(\d+)\]", str(facts.get("location", "")))
    if match is None:
        return None
    first = int(match[1]) - prefix
    return _character(first, sql), _character(first + int(match[2]), sql)


def _character(count: int, sql: str) -> int:
    """Return the character at so many bytes."""
    count = max(0, count)
    return count if sql.isascii() else len(sql.encode()[:count].decode(errors="ignore"))


def _word_length(sql: str, start: int | None) -> int:
    match = _WORD.match(sql, start) if start is not None else None
    return len(match[0]) if match else 1


def _find_word(sql: str, word: str, start: int | None) -> tuple[int | None, int]:
    """Return where a name stands at or after a position, or anywhere if it stands only once."""
    pattern = re.compile(rf'(?<!\w)"?{re.escape(word)}"?(?!\w)', re.IGNORECASE)
    if start is not None:
        match = pattern.search(sql, start)
        return (match.start(), len(match[0])) if match else (start, _word_length(sql, start))
    found = list(pattern.finditer(sql))
    return (found[0].start(), len(found[0][0])) if len(found) == 1 else (None, 1)


def _unknown_table(
    table: str, facts: Facts, sql: str, start: int | None, in_scope: Sequence[InScope]
) -> Problem:
    """Return what is wrong with `table.column`: DuckDB looks for a column that a subquery lacks in the query
    around it, and then misses its table there."""
    owners = [known for known in in_scope if known.alias.lower() == table.lower()]
    written = _QUALIFIED.match(sql, start) if start is not None else None
    column = written["column"].strip('"') if written else ""
    if start is not None and column and owners and not any(o.schema.type_of(column) for o in owners):
        return _unknown_column(column, table, {}, sql, start + len(table), owners)
    declared = rf'(\b(from|join)\s+[\w."]+|\))\s+(as\s+)?{re.escape(table)}\b'
    if column and start is not None and re.search(declared, sql, re.IGNORECASE):
        message = f'{table} has no column "{column}", or is a table of another query'
        return Problem("unknown-column", message, start, _word_length(sql, start))
    _, _, listed = str(facts.get("exception_message", "")).partition("Candidate tables:")
    tables = [name.strip('"') for name in _WORD.findall(listed) if name != ","]
    message = f'there is no table "{table}" here'
    why = f"tables here: {', '.join(tables)}" if tables else ""
    fix = did_you_mean(table, tables)
    return Problem("unknown-relation", message, start, _word_length(sql, start), why, fix)


def _unknown_column(
    column: str,
    table: str | None,
    facts: Facts,
    sql: str,
    start: int | None,
    in_scope: Sequence[InScope],
) -> Problem:
    start, length = _find_word(sql, column, start)
    asked = [known for known in in_scope if not table or known.alias.lower() == table.lower()]
    names = [name for known in asked for name in known.schema.names]
    candidates = _candidates(facts)
    if not set(candidates) <= set(names):
        # The column was looked for in a CTE or a subquery, which has a name of its own at best.
        asked, names = [], candidates
    nodes = list(dict.fromkeys(known.node for known in asked))
    owner = _owner(nodes[0]) if len(nodes) == 1 else table
    message = f'{owner} has no column "{column}"' if owner else f'there is no column "{column}" here'
    why = "; ".join(dict.fromkeys(_records(known) for known in asked))
    fix = did_you_mean(column, names)
    source = next((node for node in nodes if node.startswith("source:")), None)
    if source:
        discover = f"osiris-sql discover {_owner(source).split('.')[0]}"
        fix = f"{fix} if the table changed, run: {discover}".strip()
    return Problem("unknown-column", message, start, length, why, fix)


def _candidates(facts: Facts) -> list[str]:
    """Return the columns that DuckDB offers: few, those most like the unknown one."""
    _, _, listed = str(facts.get("exception_message", "")).partition("Candidate bindings:")
    return [name.split('"."')[-1] for name in re.findall(r'"((?:[^"]|"\."|"")*)"', listed)]


def _owner(node: str) -> str:
    return node.partition(":")[2]


def _records(known: InScope) -> str:
    names = ", ".join(known.schema.names)
    if known.node.startswith("source:"):
        return f"sources.lock records: {names}"
    return f"{_owner(known.node)} has: {names}"


def _unknown_name(match: re.Match[str], facts: Facts, sql: str, start: int | None) -> Problem:
    kind, name = match["kind"].lower(), match["name"].strip('"')
    rules = {"type": "unknown-type", "table": "unknown-relation", "schema": "unknown-relation"}
    rule = rules.get(kind, "unknown-function" if "function" in kind or "macro" in kind else "unknown-name")
    what = {"unknown-function": "function", "unknown-relation": "relation"}.get(rule, kind)
    start, length = _find_word(sql, name, start)
    candidates = [word for word in str(facts.get("candidates", "")).split(",") if word]
    # DuckDB offers something however far away it is, and offers its own catalogue for tables.
    near = "" if rule == "unknown-relation" else did_you_mean(name, candidates)
    return Problem(rule, f'there is no {what} "{name}"', start, length, fix=near)


def _plain(message: str) -> str:
    """Return a message as the middle of a sentence; a word in capitals keeps them."""
    first = message if message[1:2].isupper() else message[:1].lower() + message[1:]
    return first.rstrip(".!")


def _short(rest: str) -> str:
    """Return the rest of a message on one line, with the first few of many candidates."""
    lines = [line.strip() for line in rest.splitlines() if line.strip()]
    shown = "; ".join(lines[:4])
    return f"{shown}; …" if len(lines) > 4 else shown
