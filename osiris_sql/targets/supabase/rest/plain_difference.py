"""What a delivery would change in a small plain table, whose rows are read over REST and compared here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from osiris_sql.protocols import Load
from osiris_sql.targets._modes import refusal
from osiris_sql.targets.supabase.rest.bodies import read_rows, refuse_nul_rows
from osiris_sql.targets.supabase.rest.difference import tell_difference
from osiris_sql.targets.supabase.rest.keys import Key, fetch_rows, key_of
from osiris_sql.targets.supabase.rest.plain import count_rows
from osiris_sql.targets.supabase.rest.values import comparable, is_comparable, read_json
from osiris_sql.targets.supabase.rest.wire import Rest
from osiris_sql.targets.supabase.types import postgres_type
from osiris_sql.types.diagnostic import StepError
from osiris_sql.types.difference import Difference
from osiris_sql.types.plan import Publish

Row = Mapping[str, Any]
MOST = 50_000  # rows of either side: they are held in memory, and travel in pages of 1000


def compare_rows(
    rest: Rest, publication: Publish, load: Load, samples: int, ddl: Sequence[str]
) -> Difference:
    """Return what delivering the spool file would change; refuses tables that are large or to be altered."""
    refuse_nul_rows(publication, load.path)
    types = _types(publication)
    if ddl:
        raise _no_comparison(publication, "the table is to be made or altered first")
    total = count_rows(rest, publication)
    if max(total, load.rows) > MOST:
        raise _no_comparison(publication, f"{max(total, load.rows)} rows are more than {MOST}")
    sent = {key_of(publication, row): row for row in map(read_json, read_rows(load.path))}
    there = {key_of(publication, row): row for row in fetch_rows(rest, publication, list(types))}
    mode = publication.mode
    kinds = {
        "i": [key for key in sent if key not in there],
        "u": [key for key in sent if mode != "append" and key in there and _differ(sent, there, key, types)],
        "d": [key for key in there if mode in ("replace", "sync") and key not in sent],
    }
    shown = [
        {"kind": kind, "after": _texts(sent.get(key)), "before": _texts(there.get(key))}
        for kind, keys in kinds.items()
        for key in sorted(keys, key=_in_order)[:samples]
    ]
    inserted, updated, deleted = map(len, kinds.values())
    said = {"inserted": inserted, "updated": updated, "deleted": deleted, "total_before": total}
    return tell_difference(publication, load, {**said, "samples": shown})


def _types(publication: Publish) -> dict[str, str]:
    made = {column.name: postgres_type(column.type) for column in publication.columns}
    types = {name: type_.name for name, type_ in made.items() if type_}
    for name, type_ in types.items():
        if not is_comparable(type_):
            raise _no_comparison(publication, f'only PostgreSQL can compare "{name}", a {type_}')
    return types


def _differ(sent: Mapping[Key, Row], there: Mapping[Key, Row], key: Key, types: Mapping[str, str]) -> bool:
    return any(comparable(sent[key][n], t) != comparable(there[key][n], t) for n, t in types.items())


def _in_order(key: Key) -> list[tuple[int, int, str]]:
    """Whole numbers before texts, and by their value."""
    return [(0, int(part), "") if part.lstrip("-").isdecimal() else (1, 0, part) for part in key]


def _texts(row: Row | None) -> dict[str, str | None]:
    return {name: _text(value) for name, value in (row or {}).items()}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return (
        json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    )


def _no_comparison(publication: Publish, why: str) -> StepError:
    message = "rows can't be compared over REST without osiris-sql's functions"
    fix = "install them (osiris-sql doctor --bootstrap prints them), or give the connection a dsn"
    return StepError(refusal(publication, "no-comparison", message, why=why, fix=fix))
